"""Business and telephone numbers and e-mail addresses: one form each, and refusals that repeat nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.kr import brn

from chassis.digits import NumberError, digits
from services.identity.numbers import (
    PhoneKind,
    business_number,
    email_address,
    email_key,
    mobile_number,
    phone_kind,
    phone_number,
)

BUSINESS_NUMBERS = ["123-45-67891", "999-81-00000", "999-81-00029", "999-82-00007", "999-80-00003", "999-89-00006"]
CHECKS = [business_number, phone_number, mobile_number, email_address, email_key, digits]


@pytest.mark.parametrize(
    "value", [*BUSINESS_NUMBERS, "１２３-４５-６７８９１", "１２３－４５－６７８９１", " 123 45 67891 "]
)
def test_a_business_number_is_taken_as_its_ten_digits(value: str) -> None:
    """The check digit of 사업자등록번호 and 고유번호 with both carries; full-width digits, spaces and dashes go."""
    number = business_number(value)

    assert re.fullmatch("[0-9]{10}", number)
    assert number == business_number(number)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("123-45-67890", "CHECK_DIGIT"),
        ("000-00-00000", "ALL_SAME"),
        ("12345678910", "LENGTH"),
        ("123456789", "LENGTH"),
        ("1234567891A", "NOT_DIGITS"),
        ("123.45.67891", "NOT_DIGITS"),
        ("123-45-6789²", "NOT_DIGITS"),
        ("①23-45-67891", "NOT_DIGITS"),
        ("١٢٣-45-67891", "NOT_DIGITS"),
        ("123-45-67891\n", "NOT_DIGITS"),
        ("", "EMPTY"),
        (" - ", "EMPTY"),
    ],
)
def test_a_wrong_business_number_is_refused_with_a_reason(value: str, reason: str) -> None:
    """Each way of being wrong has its own reason, so that a form can say what to do."""
    with pytest.raises(NumberError) as raised:
        business_number(value)
    assert reason == raised.value.reason


def test_the_library_for_business_numbers_does_not_look_at_the_check_digit() -> None:
    """Why the check is our own: stdnum.kr.brn takes a wrong digit and refuses right ones. Remove ours if this fails."""
    assert brn.is_valid("123-45-67890")
    assert not brn.is_valid("999-81-00000")


@given(st.text("0123456789", min_size=9, max_size=9).filter(lambda nine: len(set(nine)) > 1))
def test_of_ten_check_digits_exactly_one_is_right(nine: str) -> None:
    """The check digit is a function of the nine before it."""
    taken = []
    for last in "0123456789":
        try:
            taken.append(business_number(nine + last))
        except NumberError as error:
            assert error.reason == "CHECK_DIGIT"
    assert len(taken) == 1


@pytest.mark.parametrize(
    ("value", "expected", "kind"),
    [
        ("010-0000-0000", "+821000000000", PhoneKind.MOBILE),
        ("+82 10-0000-0000", "+821000000000", PhoneKind.MOBILE),
        ("82-010-0000-0000", "+821000000000", PhoneKind.MOBILE),
        ("82 010 0000 0000", "+821000000000", PhoneKind.MOBILE),
        ("+82 010 0000 0000", "+821000000000", PhoneKind.MOBILE),
        ("+8201000000000", "+821000000000", PhoneKind.MOBILE),
        ("821000000000", "+821000000000", PhoneKind.MOBILE),
        ("０１０－００００－００００", "+821000000000", PhoneKind.MOBILE),
        ("011-000-0000", "+82110000000", PhoneKind.MOBILE),
        ("02-000-0000", "+8220000000", PhoneKind.LANDLINE),
        ("02-0000-0000", "+82200000000", PhoneKind.LANDLINE),
        ("031-000-0000", "+82310000000", PhoneKind.LANDLINE),
        ("064-000-0000", "+82640000000", PhoneKind.LANDLINE),
        ("070-0000-0000", "+827000000000", PhoneKind.INTERNET),
        ("0500-0000-0000", "+8250000000000", PhoneKind.PERSONAL),
        ("1588-0000", "+8215880000", PhoneKind.REPRESENTATIVE),
        ("+82 1588-0000", "+8215880000", PhoneKind.REPRESENTATIVE),
        ("+1 202-555-0123", "+12025550123", PhoneKind.FOREIGN),
    ],
)
def test_a_telephone_number_is_taken_as_e164(value: str, expected: str, kind: PhoneKind) -> None:
    """Every spelling of one number gives one form, and the form tells its kind."""
    assert expected == phone_number(value)
    assert kind is phone_kind(expected)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("010-000-0000", "PHONE_NUMBER"),
        ("010-0000-00000", "PHONE_NUMBER"),
        ("000-0000-0000", "PHONE_NUMBER"),
        ("1234-5678", "PHONE_NUMBER"),
        ("10-0000-0000", "PHONE_NUMBER"),
        ("02-000", "PHONE_NUMBER"),
        ("+999 1234 5678", "PHONE_NUMBER"),
        ("8201000000000", "PHONE_NUMBER"),
        ("820412-1000000", "PHONE_NUMBER"),
        ("８２０４１２－１００００００", "PHONE_NUMBER"),
        ("820102-1000000", "PHONE_NUMBER"),
        ("8201021000000", "PHONE_NUMBER"),
        ("+1 111", "PHONE_NUMBER"),
        ("++82 10-0000-0000", "NOT_DIGITS"),
        ("010.0000.0000", "NOT_DIGITS"),
        ("담당자", "NOT_DIGITS"),
        ("+", "EMPTY"),
        ("", "EMPTY"),
    ],
)
def test_a_wrong_telephone_number_is_refused_with_a_reason(value: str, reason: str) -> None:
    """What no numbering plan has is not stored as a contact."""
    with pytest.raises(NumberError) as raised:
        phone_number(value)
    assert reason == raised.value.reason


def test_a_mobile_number_is_one_that_can_receive_a_message() -> None:
    """A representative number is a telephone and no mobile; the old prefixes are out of service."""
    assert "+821000000000" == mobile_number("010-0000-0000")
    for value in ("1588-0000", "02-000-0000", "011-000-0000", "070-0000-0000"):
        with pytest.raises(NumberError) as raised:
            mobile_number(value)
        assert raised.value.reason == "NOT_MOBILE"


@pytest.mark.parametrize(
    ("value", "address", "key"),
    [
        ("madeup@example.com", "madeup@example.com", "madeup@example.com"),
        (" Made.Up+bank@EXAMPLE.Com ", "Made.Up+bank@example.com", "made.up+bank@example.com"),
        ("ｍａｄｅｕｐ＠example.com", "madeup@example.com", "madeup@example.com"),
        ("a@b-c.co.kr", "a@b-c.co.kr", "a@b-c.co.kr"),
    ],
)
def test_an_address_keeps_its_local_part_and_is_found_without_regard_to_case(
    value: str, address: str, key: str
) -> None:
    """Mail goes to the local part as given; the index treats two cases as one person."""
    assert address == email_address(value)
    assert key == email_key(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "EMPTY"),
        ("madeup", "LOCAL_PART"),
        ("@example.com", "LOCAL_PART"),
        ("a..b@example.com", "LOCAL_PART"),
        (".a@example.com", "LOCAL_PART"),
        ("a b@example.com", "LOCAL_PART"),
        ("홍길동@example.com", "LOCAL_PART"),
        ("a@b@example.com", "LOCAL_PART"),
        ("a@example", "DOMAIN"),
        ("a@-example.com", "DOMAIN"),
        ("a@example..com", "DOMAIN"),
        ("a@203.0.113.77", "DOMAIN"),
        ("a@example.com\n", "DOMAIN"),
        ("a" * 65 + "@example.com", "LENGTH"),
        ("a@" + "b" * 60 + ".com" * 60, "LENGTH"),
        ("a@" + "b" * 64 + ".com", "DOMAIN"),
    ],
)
def test_a_wrong_address_is_refused_with_a_reason(value: str, reason: str) -> None:
    """No header can be smuggled in and no address is stored that mail cannot reach."""
    with pytest.raises(NumberError) as raised:
        email_address(value)
    assert reason == raised.value.reason


@pytest.mark.parametrize("check", CHECKS)
@given(value=st.one_of(st.text(max_size=40), st.text("0123456789-+ @.a０１²", max_size=24)))
def test_a_result_is_its_own_result_and_a_refusal_is_a_bare_reason(check: object, value: str) -> None:
    """Normalising twice is normalising once; an error is a word in capitals without a cause, and has no value."""
    assert callable(check)
    try:
        result = check(value)
    except NumberError as error:
        assert re.fullmatch("[A-Z_]+", str(error))
        assert (error.reason,) == error.args
        assert error.__cause__ is None
    else:
        assert result == check(result)

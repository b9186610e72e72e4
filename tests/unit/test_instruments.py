"""Cards, expiries, bank accounts and cash-receipt numbers: what the vault takes, and refusals that repeat nothing."""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from services.payment_vault.bank_accounts import account_number, bank, bank_code, banks, is_usual_length
from services.payment_vault.instruments import (
    Brand,
    CashReceiptKind,
    Expiry,
    NumberError,
    business_number,
    card_brand,
    card_expiry,
    card_number,
    cash_receipt_number,
    parse_card_expiry,
)

TODAY = date(2026, 11, 24)


def outcome(check: Callable[[str], str], value: str) -> tuple[str, NumberError | None]:
    """What the check answers: a result, or a refusal."""
    try:
        return check(value), None
    except NumberError as error:
        return "", error


@pytest.mark.parametrize(
    ("value", "brand"),
    [
        ("4111111111111111", Brand.VISA),
        ("4111-1111-1111-1111", Brand.VISA),
        ("４１１１　１１１１　１１１１　１１１１", Brand.VISA),
        ("4222222222222", Brand.VISA),
        ("5555555555554444", Brand.MASTERCARD),
        ("2221000000000009", Brand.MASTERCARD),
        ("2720999999999996", Brand.MASTERCARD),
        ("3530111333300000", Brand.JCB),
        ("4000000000000002", Brand.VISA),
        ("378282246310005", Brand.AMEX),
        ("36006666333344", Brand.DINERS),
        ("6200000000000000000", Brand.UNIONPAY),
        ("6011000000000004", Brand.DISCOVER),
        ("9410999900000009", Brand.DOMESTIC),
        ("4000000000090003", Brand.VISA),
        ("4000000000900003", Brand.VISA),
    ],
)
def test_a_card_number_is_taken_as_its_digits(value: str, brand: Brand) -> None:
    """Public test numbers of every scheme; the last two differ by a swap Luhn cannot see, so Luhn is no identity."""
    number = card_number(value)

    assert brand is card_brand(number)
    assert number == card_number(number)
    assert len(number) == len(re.sub("[^0-9]", "", number))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("4111111111111112", "CHECK_DIGIT"),
        ("0000000000000000", "ALL_SAME"),
        ("411111111111", "LENGTH"),
        ("41111111111111111111", "LENGTH"),
        ("37828224631000", "LENGTH"),
        ("41111111111111", "LENGTH"),
        ("2026112415300006", "ISSUER"),
        ("2721000000000004", "ISSUER"),
        ("1111111111111117", "ISSUER"),
        ("4111.1111.1111.1111", "NOT_DIGITS"),
        ("411111111111111²", "NOT_DIGITS"),
        ("", "EMPTY"),
    ],
)
def test_a_wrong_card_number_is_refused_with_a_reason(value: str, reason: str) -> None:
    """Each way of being wrong has its own reason, and none repeats the number."""
    with pytest.raises(NumberError) as raised:
        card_number(value)
    assert reason == raised.value.reason


def test_a_domestic_card_needs_a_luhn_digit_only_when_asked() -> None:
    """Whether every card with prefix 9 has one is not published: lenient by default, strict by a switch."""
    assert "9410999900000008" == card_number("9410-9999-0000-0008")
    assert "9410999900000009" == card_number("9410999900000009", luhn_strict_domestic=True)
    with pytest.raises(NumberError) as raised:
        card_number("9410999900000008", luhn_strict_domestic=True)
    assert raised.value.reason == "CHECK_DIGIT"


@given(st.text("0123456789", min_size=14, max_size=14))
def test_one_changed_digit_is_noticed(rest: str) -> None:
    """Luhn: of the ten last digits one is right."""
    body = "4" + rest
    number = body + luhn.calc_check_digit(body)
    wrong = body + str((int(number[-1]) + 1) % 10)

    assert number == card_number(number)
    with pytest.raises(NumberError):
        card_number(wrong)


def test_a_card_may_be_used_through_the_last_day_of_its_month() -> None:
    """PV-11: an expiry of this month is good, of the last month is not, whatever the day."""
    assert Expiry(2026, 11) == card_expiry(11, 2026, date(2026, 11, 30))
    assert date(2028, 2, 29) == card_expiry(2, 2028, TODAY).last_day()
    for month, year, reason in ((10, 2026, "EXPIRED"), (12, 2025, "EXPIRED"), (13, 2028, "MONTH"), (0, 2028, "MONTH")):
        with pytest.raises(NumberError) as raised:
            card_expiry(month, year, TODAY)
        assert reason == raised.value.reason


def test_an_expiry_is_read_as_cards_print_it() -> None:
    """MM/YY, and nothing else; an expiry no card is issued for is refused."""
    assert Expiry(2028, 12) == parse_card_expiry("12/28", TODAY)
    for text, reason in (("12/2028", "FORMAT"), ("1228", "FORMAT"), ("13/28", "FORMAT"), ("12/47", "YEAR")):
        with pytest.raises(NumberError) as raised:
            parse_card_expiry(text, TODAY)
        assert reason == raised.value.reason


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("004", "00000012345678", "00000012345678"),
        ("088", "00000000000000", "00000000000000"),
        ("088", "000-000-000000", "000000000000"),
        ("020", "1002-000-000000", "1002000000000"),
        ("081", "１２３４５６７８９０１２３４", "12345678901234"),
        ("240", "12345678", "12345678"),
        ("240", "1234567890123456", "1234567890123456"),
    ],
)
def test_an_account_number_keeps_its_zeros(code: str, value: str, expected: str) -> None:
    """CR-02: a number is text; leading zeros stay, and a customer may choose all zeros."""
    assert expected == account_number(code, value)


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        ("020", "123456789", "LENGTH"),
        ("020", "123456789012345", "LENGTH"),
        ("240", "1234567", "LENGTH"),
        ("240", "12345678901234567", "LENGTH"),
        ("20", "1234567890", "BANK_CODE"),
        ("999", "1234567890", "BANK_CODE"),
        ("０２０", "1234567890", "BANK_CODE"),
        ("020", "1234567890a", "NOT_DIGITS"),
        ("020", "", "EMPTY"),
    ],
)
def test_a_wrong_account_is_refused_with_a_reason(code: str, value: str, reason: str) -> None:
    """The code must be a bank's and the length possible; more only the bank knows."""
    with pytest.raises(NumberError) as raised:
        account_number(code, value)
    assert reason == raised.value.reason


def test_an_unusual_length_is_a_warning_only() -> None:
    """The lengths a bank is known to issue are a hint; banks without a hint never warn."""
    assert is_usual_length("020", "1002000000000")
    assert not is_usual_length("020", account_number("020", "1234567890"))
    assert is_usual_length("002", "1234567890")


def test_every_bank_is_named_once_under_a_code_of_three_characters() -> None:
    """The data file says where it comes from, has no code twice, and marks what was not confirmed."""
    text = (files("services.payment_vault") / "banks.toml").read_text("utf-8")
    directory = tomllib.loads(text)

    assert len(directory["banks"]) == len(banks())
    assert directory["source"]
    assert directory["as_of"] <= TODAY
    assert "국민은행" == bank("004").name
    assert not bank("240").confirmed
    assert all(bank_code(code, TODAY) == code for code in banks())


def test_a_closed_bank_takes_no_account_and_keeps_its_name() -> None:
    """A merged bank stays in the file, so that its code can be decoded; it takes accounts through its last day."""
    closed = bank("027").model_copy(update={"active_from": date(2004, 11, 1), "active_to": date(2026, 11, 23)})

    assert closed.takes_accounts(date(2026, 11, 23))
    assert not closed.takes_accounts(TODAY)
    assert not closed.takes_accounts(date(2004, 10, 31))
    assert bank("027").name == closed.name


def test_a_cash_receipt_number_is_what_it_is_said_to_be() -> None:
    """R-19: the kind is told and never guessed: eighteen digits could be a card of the bank as well."""
    assert "01000000000" == cash_receipt_number(CashReceiptKind.MOBILE, "010-0000-0000")
    assert "1234567891" == cash_receipt_number(CashReceiptKind.BUSINESS_NUMBER, "123-45-67891")
    assert "123456789012345678" == cash_receipt_number(CashReceiptKind.CASH_RECEIPT_CARD, "1234 5678 9012 345678")
    for kind, value, reason in (
        (CashReceiptKind.MOBILE, "02-000-0000", "NOT_MOBILE"),
        (CashReceiptKind.MOBILE, "900101-1234567", "NOT_MOBILE"),
        (CashReceiptKind.CASH_RECEIPT_CARD, "12345678901234567", "LENGTH"),
        (CashReceiptKind.CASH_RECEIPT_CARD, "000000000000000000", "ALL_SAME"),
        (CashReceiptKind.BUSINESS_NUMBER, "123-45-67890", "CHECK_DIGIT"),
    ):
        with pytest.raises(NumberError) as raised:
            cash_receipt_number(kind, value)
        assert reason == raised.value.reason


def test_the_payer_has_the_same_check_as_the_member() -> None:
    """One business number is one number in both services."""
    assert "1234567891" == business_number("１２３-４５-６７８９１")


@given(value=st.one_of(st.text(max_size=30), st.text("0123456789- ０１²", max_size=24)))
def test_a_result_is_its_own_result_and_a_refusal_is_a_bare_reason(value: str) -> None:
    """LG-10: normalising twice is normalising once; no error, and no cause of one, holds what was typed."""
    for check in (card_number, lambda v: account_number("088", v), lambda v: account_number("240", v)):
        result, refusal = outcome(check, value)
        if refusal is None:
            assert result == check(result)
        else:
            assert re.fullmatch("[A-Z_]+", str(refusal))
            assert refusal.__cause__ is None
            assert refusal.__context__ is None

"""Masks: the vectors of ISMS-P 2.6.3 and PCI DSS 3.4.1, and that no mask shows more than it may."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.masking import HIDDEN, mask

VECTORS = [
    ("MASK_NAME", "홍길동", "홍*동"),
    ("MASK_NAME", "김철", "김*"),
    ("MASK_NAME", "남궁길동", "남**동"),
    ("MASK_NAME", "김", "*"),
    ("MASK_NAME", "김 철", "김*"),
    ("MASK_NAME", "김\u200b철", "김*"),
    ("MASK_NAME", "\u1112\u1169\u11bc\u1100\u1175\u11af\u1103\u1169\u11bc", "홍*동"),
    ("MASK_PHONE", "010-1234-5678", "010-****-5678"),
    ("MASK_PHONE", "01012345678", "010-****-5678"),
    ("MASK_PHONE", "+821012345678", "010-****-5678"),
    ("MASK_PHONE", "+82 10-1234-5678", "010-****-5678"),
    ("MASK_PHONE", "82-010-1234-5678", "010-****-5678"),
    ("MASK_PHONE", "０１０－１２３４－５６７８", "010-****-5678"),
    ("MASK_PHONE", "011-123-4567", "011-***-4567"),
    ("MASK_PHONE", "02-123-4567", "02-***-4567"),
    ("MASK_PHONE", "+82212345678", "02-****-5678"),
    ("MASK_PHONE", "(031) 123-4567", "031-***-4567"),
    ("MASK_PHONE", "0507-1234-5678", "0507-****-5678"),
    ("MASK_PHONE", "1588-0000", "1588-****"),
    ("MASK_PHONE", "+8215880000", "1588-****"),
    ("MASK_PHONE", "+14155552671", "+*******2671"),
    ("MASK_PHONE", "5678", HIDDEN),
    ("MASK_PHONE", "홍길동", HIDDEN),
    ("MASK_EMAIL", "madeup@example.com", "ma****@example.com"),
    ("MASK_EMAIL", "abc@example.com", "ab*@example.com"),
    ("MASK_EMAIL", "ab@example.com", "a*@example.com"),
    ("MASK_EMAIL", "a@example.com", "*@example.com"),
    ("MASK_EMAIL", "@example.com", HIDDEN),
    ("MASK_EMAIL", "madeup", HIDDEN),
    ("MASK_EMAIL", "a@4111111111111111", HIDDEN),
    ("MASK_CARD_NUMBER", "4111111111111111", "4111-11**-****-1111"),
    ("MASK_CARD_NUMBER", "4111-1111-1111-1111", "4111-11**-****-1111"),
    ("MASK_CARD_NUMBER", "378282246310005", "378282******005"),
    ("MASK_CARD_NUMBER", "36006666333344", "360066******44"),
    ("MASK_CARD_NUMBER", "6200000000000000000", "620000*********0000"),
    ("MASK_CARD_NUMBER", "4222222222222", "422222******2"),
    ("MASK_CARD_NUMBER", "411111111111", HIDDEN),
    ("MASK_CARD_NUMBER", "41111111111111111111", HIDDEN),
    ("MASK_ACCOUNT_NUMBER", "110-123-456789", "********6789"),
    ("MASK_ACCOUNT_NUMBER", "00000012345678", "**********5678"),
    ("MASK_ACCOUNT_NUMBER", "123456", "****56"),
    ("MASK_ACCOUNT_NUMBER", "1234", "****"),
    ("MASK_ACCOUNT_NUMBER", "계좌", HIDDEN),
    ("MASK_IP_ADDRESS", "203.0.113.77", "203.0.***.77"),
    ("MASK_IP_ADDRESS", "::ffff:203.0.113.77", "203.0.***.77"),
    ("MASK_IP_ADDRESS", "2001:db8:0:12:aaaa:bbbb:cccc:dddd", "2001:db8:0:12:***"),
    ("MASK_IP_ADDRESS", "::1", "0:0:0:0:***"),
    ("MASK_IP_ADDRESS", "203.0.113", HIDDEN),
    ("MASK_BUSINESS_NUMBER", "123-45-67891", "123-45-*****"),
    ("MASK_BUSINESS_NUMBER", "1234567891", "123-45-*****"),
    ("MASK_BUSINESS_NUMBER", "12345", HIDDEN),
    ("MASK_ADDRESS", "서울특별시 영등포구 여의나루로 4길 21", "서울특별시 영등포구 ***"),
    ("MASK_ADDRESS", "서울특별시 영등포구", "서울특별시 ***"),
    ("MASK_ADDRESS", "서울특별시", HIDDEN),
    ("MASK_ADDRESS", "07330 서울특별시 영등포구 여의나루로", HIDDEN),
    ("MASK_ADDRESS", "부산광역시 중앙대로1 2층 203호", "부산광역시 ***"),
    ("MASK_NONE", "가나은행", "가나은행"),
    ("MASK_REDACT", "correct horse", HIDDEN),
    ("MASK_REDACT", "x", HIDDEN),
]
KINDS = sorted({kind for kind, _, _ in VECTORS})


def ascii_digits(text: str) -> str:
    """The ASCII digits of a text."""
    return re.sub("[^0-9]", "", text)


@pytest.mark.parametrize(("kind", "value", "expected"), VECTORS)
def test_a_value_is_shown_as_its_mask_says(kind: str, value: str, expected: str) -> None:
    """AC-12, PV-02: one look everywhere; what is too short or of another form is hidden altogether."""
    assert expected == mask(kind, value)


def test_every_mask_of_the_contract_has_a_vector_and_no_other_exists() -> None:
    """AC-12: the table of masks and the enum that fields choose from are the same list."""
    contract = Path(__file__).parents[2] / "proto/onggi/options/v1/options.proto"
    names = set(re.findall(r"^\s+(MASK_\w+) = ", contract.read_text("utf-8"), re.MULTILINE))

    assert names - {"MASK_UNSPECIFIED"} == set(KINDS)


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "36006666333344", "6200000000000000000"])
def test_a_card_shows_its_first_six_and_at_most_its_last_four_digits(number: str) -> None:
    """PV-02: first six and last min(4, length - 12); six digits from the seventh are always hidden."""
    plain = mask("MASK_CARD_NUMBER", number).replace("-", "")

    assert number[:6] == plain[:6]
    assert "******" == plain[6:12]
    assert min(4, len(number) - 12) == len(ascii_digits(plain[6:]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_value_stays_empty(kind: str) -> None:
    """What was never given is not made to look as if it had been."""
    assert "" == mask(kind, "")


@pytest.mark.parametrize("kind", ["MASK_UNSPECIFIED", "NAME", "mask_name", ""])
def test_an_unknown_mask_is_an_error(kind: str) -> None:
    """AC-12: a field without a known mask is never shown as it is."""
    with pytest.raises(KeyError) as raised:
        mask(kind, "홍길동")
    assert "홍길동" not in str(raised.value)


@given(
    st.sampled_from([kind for kind in KINDS if kind != "MASK_NONE"]),
    # Not the asterisk: a value that is masked already stays as it is.
    st.text(st.characters(exclude_characters="*"), min_size=1, max_size=40),
)
def test_no_mask_shows_the_whole_of_any_value(kind: str, value: str) -> None:
    """AC-12: whatever stands in the field, and however short, its masked form is not the value."""
    shown = mask(kind, value)

    assert "*" in shown
    assert value not in shown


@given(st.text("0123456789", min_size=1, max_size=24))
def test_masked_numbers_show_no_more_digits_than_allowed(number: str) -> None:
    """AC-12, PV-02: ten of a card, four of an account, five of a business number, never all of either."""
    for kind, most in (("MASK_CARD_NUMBER", 10), ("MASK_ACCOUNT_NUMBER", 4), ("MASK_BUSINESS_NUMBER", 5)):
        shown = ascii_digits(mask(kind, number))

        assert len(shown) <= most
        assert len(shown) < len(number)


@given(st.text("가나다라마바사아자차카타파하", min_size=1, max_size=12))
def test_a_name_shows_at_most_its_first_and_last_letter(name: str) -> None:
    """AC-12: one letter of two, two of three and more, none of one."""
    shown = mask("MASK_NAME", name)

    assert len(name) == len(shown)
    assert min(2, len(name) - 1) == len(shown.replace("*", ""))


@given(st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True))
def test_an_address_shows_at_most_two_letters_of_its_local_part(local: str) -> None:
    """AC-12: two letters, and one fewer than there are."""
    shown, _, domain = mask("MASK_EMAIL", local + "@example.com").partition("@")

    assert min(2, len(local) - 1) == len(shown.replace("*", ""))
    assert len(local) == len(shown)
    assert "example.com" == domain


@given(st.ip_addresses())
def test_an_address_of_a_machine_never_shows_the_hidden_part(address: object) -> None:
    """AC-12: two addresses that differ in the hidden part alone look the same."""
    shown = mask("MASK_IP_ADDRESS", str(address))

    assert shown.count("***") == 1
    assert len(shown.replace(":", ".").split(".")) <= 5

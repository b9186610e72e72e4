"""The scan of text fields: what it must find, what it must leave alone, and that it never repeats what it found."""

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from chassis.free_text import find_forbidden

RESIDENT_NUMBERS = [
    "900101-1234567",
    "9001011234567",
    "주민번호는 900101-1234567입니다",
    "９００１０１－１２３４５６７",
    "900101 - 1234567",
    "900101–1234567",
    "900101ㅡ1234567",
    "900101.1234567",
    "900101\u200b-\u200b1234567",
    "외국인등록번호 850229-5000000 아님 880229-5000000",
    "240229-3000000",
    "٩٠٠١٠١-١٢٣٤٥٦٧",
]
CARD_NUMBERS = [
    "4111111111111111",
    "4111-1111-1111-1111",
    "4111 1111 1111 1111",
    "4111.1111.1111.1111",
    "4111 1111-1111 1111",
    "4111  1111  1111  1111",
    "4111 - 1111 - 1111 - 1111",
    "카드 ４１１１－１１１１－１１１１－１１１１ 입니다",
    "5555555555554444",
    "3530111333300000",
    "4000000000000002",
    "3782-822463-10005",
    "378282246310005",
    "36006666333344",
    "3600 666633 3344",
    "6200000000000000000",
    "6200 0000 0000 0000 000",
    "4222222222222",
    "9410999900000009",
    "4000000000090003",
    "접수 20261124 4111 1111 1111 1111 12/28",
    "2026 4111 1111 1111 1111",
    "010-1234-5678 5555-5555-5555-4444",
    "card:4111111111111111;",
    "invoice_4111111111111111.pdf",
]
PINS = [
    "PIN 7391",
    "pin: 739182",
    "pin번호는 7391",
    "카드 비밀번호 앞 두자리 73",
    "카드비번 앞2자리는 73",
    "비밀번호 앞 두 자리: 73",
    "카드 비밀번호 7391",
    "ＰＩＮ　７３９１",
]
SECURITY_CODES = [
    "cvc 123",
    "CVC: 123",
    "cvv123",
    "CVV2=1234",
    "cvc번호는 123",
    "CVC 코드 123 입니다",
    "ＣＶＣ　１２３",
    "cvn 123",
    "card c.v.c 123",
]
ORDINARY = [
    "",
    "안녕하세요. 클라우드 이용 문의드립니다.",
    "문의 3건, 2026-11-24 15:30:00에 접수",
    "010-1234-5678",
    "010-1234-5678 010-2345-6789",
    "010 1234 5678 010 2345 6789",
    "123-45-67891",
    "203.0.113.77 198.51.100.24",
    "52.0.2.101 3.0.113.200",
    "서울특별시 영등포구 여의나루로 4길 21",
    "주문번호 20261124153000123",
    "901301-1234567",
    "900101-9234567",
    "900230-1234567",
    "110111-0000002 법인",
    "4111111111111112",
    "12345678901234567890123456789012",
    "550e8400-e29b-41d4-a716-446655440000",
    "CVC 번호는 적지 마세요",
    "CVE-2026-12345",
    "오류 500, 포트 8443",
    "여러 줄\r\n\t둘째 줄",
    "가족 👨‍👩‍👧 사진",
    "1\n2\n3\n4\n5\n6\n7",
]


@pytest.mark.parametrize("text", RESIDENT_NUMBERS)
def test_a_resident_number_is_found(text: str) -> None:
    """CR-02, 법 제24조의2: with any dash, in any digits, whether or not its last digit checks."""
    assert "RESIDENT_NUMBER" == find_forbidden(text)


@pytest.mark.parametrize("text", CARD_NUMBERS)
def test_a_card_number_is_found(text: str) -> None:
    """PV-03: a card number has no place outside the vault, however it is grouped and whatever stands beside it."""
    assert "CARD_NUMBER" == find_forbidden(text)


@pytest.mark.parametrize("text", PINS)
def test_a_cards_pin_is_found(text: str) -> None:
    """PCI DSS 3.3.1.3: neither a PIN nor the first digits of a card's 비밀번호 may stand in a text (PV-01)."""
    assert find_forbidden(text) == "CARD_PIN"


@pytest.mark.parametrize(
    "text",
    [
        "비밀번호를 잊었어요 2026",
        "spinning 1234 hours",
        "카드 비밀번호는 적지 마세요",
        "비밀번호 오류 5회",
        "PIN을 바꾸고 싶어요",
    ],
)
def test_a_text_about_a_pin_is_left_alone(text: str) -> None:
    """A word is not a number: who writes about a PIN without writing it is heard."""
    assert find_forbidden(text) is None


@pytest.mark.parametrize("text", SECURITY_CODES)
def test_a_security_code_is_found(text: str) -> None:
    """PV-01: a code that may not be kept even encrypted does not come in as text."""
    assert "CARD_SECURITY_CODE" == find_forbidden(text)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "가\u202e나", "\u2066x\u2069", "\u200fx", "\x1b[31m", "a\x85b"])
def test_control_characters_are_found(text: str) -> None:
    """What a database refuses, or what makes a reviewer read another text than is stored, is refused at the door."""
    assert "CONTROL_CHARACTER" == find_forbidden(text)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    """Telephone and business numbers, dates, addresses, order numbers and identifiers are no card."""
    assert find_forbidden(text) is None


def test_a_corporate_number_that_begins_like_a_date_is_taken_for_a_resident_number() -> None:
    """The limit of the scan: thirteen digits that begin with a day cannot be told apart, and no field takes such a number."""
    assert find_forbidden("110111-0000002") is None
    assert "RESIDENT_NUMBER" == find_forbidden("110111-1000003")


@given(
    st.sampled_from(["4", "51", "2221", "35", "62", "9"]),
    st.text("0123456789", min_size=15, max_size=15),
    st.sampled_from(["", " ", "-", ".", " - "]),
    st.sampled_from(["", "카드 ", "no=", "(", "12/28 "]),
)
def test_any_card_of_sixteen_digits_is_found_in_any_grouping(head: str, rest: str, between: str, before: str) -> None:
    """PV-03: every number with an issuer's prefix and a Luhn digit, for every separator and neighbour."""
    body = (head + rest)[:15]
    number = body + luhn.calc_check_digit(body)
    text = before + between.join(number[at : at + 4] for at in range(0, 16, 4)) + "."

    assert find_forbidden(text) in {"CARD_NUMBER", "RESIDENT_NUMBER"}


@given(st.text(max_size=200))
def test_any_text_has_an_answer_that_is_a_reason(text: str) -> None:
    """The scan ends on every string, lone surrogates too, and its answer is one of five words."""
    reasons = {None, "CONTROL_CHARACTER", "CARD_SECURITY_CODE", "CARD_PIN", "RESIDENT_NUMBER", "CARD_NUMBER"}

    assert find_forbidden(text) in reasons


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 50_000,
        "1" * 100_000,
        "4111 " * 20_000,
        "cvc" * 30_000,
        "pin " * 25_000,
        "카드 비밀번호 " * 9_000,
        "1-" * 50_000,
    ],
)
def test_a_long_text_is_scanned_in_time_that_grows_with_its_length(text: str) -> None:
    """A caller cannot make the scan costly: 100,000 characters of the worst kind take well under two seconds."""
    assert timeit.timeit(lambda: find_forbidden(text), number=1) < 2.0

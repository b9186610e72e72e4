"""What a card, an expiry, a bank account or a cash-receipt number must look like before the vault takes it.

Each function returns the form that is encrypted and fingerprinted, and returns that form unchanged; refusals are
`NumberError`s, a reason code and never the number. There is no function for a security code (PV-01).
"""

import re
from calendar import monthrange
from datetime import date
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from stdnum import luhn

from chassis.digits import NumberError, business_number, digits, refuse_all_same

__all__ = [
    "Brand",
    "CashReceiptKind",
    "Expiry",
    "NumberError",
    "business_number",
    "card_brand",
    "card_expiry",
    "card_number",
    "cash_receipt_number",
    "parse_card_expiry",
]


class Brand(StrEnum):
    """The scheme a card number belongs to, by its issuer prefix (ISO/IEC 7812)."""

    AMEX = "AMEX"
    DINERS = "DINERS"
    JCB = "JCB"
    VISA = "VISA"
    MASTERCARD = "MASTERCARD"
    UNIONPAY = "UNIONPAY"
    DISCOVER = "DISCOVER"
    DOMESTIC = "DOMESTIC"


_RANGES = (
    (re.compile("3[47]"), Brand.AMEX, {15}),
    (re.compile("30[0-5]|3[689]"), Brand.DINERS, {14, 15, 16, 17, 18, 19}),
    (re.compile("35"), Brand.JCB, {16, 17, 18, 19}),
    (re.compile("4"), Brand.VISA, {13, 16, 19}),
    (re.compile("5|22(?:2[1-9]|[3-9])|2[3-6]|27(?:[01]|20)"), Brand.MASTERCARD, {16}),
    (re.compile("62"), Brand.UNIONPAY, {16, 17, 18, 19}),
    (re.compile("60|6[45]"), Brand.DISCOVER, {16, 17, 18, 19}),
    (re.compile("9"), Brand.DOMESTIC, {16}),
)
_FURTHEST_EXPIRY_YEARS = 20
_MONTH_AND_YEAR = re.compile("(0[1-9]|1[0-2])/([0-9]{2})")
_MOBILE = re.compile("010[0-9]{8}")


class CashReceiptKind(StrEnum):
    """What a cash receipt is issued to (현금영수증 식별값). The kind is told, never guessed from the length."""

    MOBILE = "MOBILE"
    BUSINESS_NUMBER = "BUSINESS_NUMBER"
    CASH_RECEIPT_CARD = "CASH_RECEIPT_CARD"


class Expiry(NamedTuple):
    """The last month in which a card may be used; years in four digits. Cardholder data: encrypted like the number."""

    year: int
    month: int

    def last_day(self) -> date:
        """The last day on which the card may be used: that of the month."""
        return _last_day(self.year, self.month)


@cache
def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def card_number(value: str, *, luhn_strict_domestic: bool = False) -> str:
    """A card number as its 13 to 19 digits.

    Raises NumberError: EMPTY, NOT_DIGITS, LENGTH, ALL_SAME, ISSUER (no known prefix) or CHECK_DIGIT (Luhn). Whether
    every domestic card (prefix 9) has a Luhn digit is not published, so it is asked of them only with
    `luhn_strict_domestic`.
    """
    number = digits(value)
    if not 13 <= len(number) <= 19:
        raise NumberError("LENGTH")
    brand, lengths = _range_of(refuse_all_same(number))
    if len(number) not in lengths:
        raise NumberError("LENGTH")
    if (brand is not Brand.DOMESTIC or luhn_strict_domestic) and not luhn.is_valid(number):
        raise NumberError("CHECK_DIGIT")
    return number


def card_brand(number: str) -> Brand:
    """The scheme of a number that `card_number` has taken."""
    return _range_of(number)[0]


def card_expiry(month: int, year: int, today: date) -> Expiry:
    """An expiry that has not passed `today` (KST); `year` in four digits.

    Raises NumberError: MONTH, EXPIRED, or YEAR if it is further away than any card is issued for.
    """
    if not 1 <= month <= 12:
        raise NumberError("MONTH")
    expiry = Expiry(year, month)
    if expiry < (today.year, today.month):
        raise NumberError("EXPIRED")
    if year > today.year + _FURTHEST_EXPIRY_YEARS:
        raise NumberError("YEAR")
    return expiry


def parse_card_expiry(text: str, today: date) -> Expiry:
    """An expiry as cards print it, MM/YY. Raises NumberError: FORMAT, or what `card_expiry` does."""
    match = _MONTH_AND_YEAR.fullmatch(text)
    if match is None:
        raise NumberError("FORMAT")
    return card_expiry(int(match[1]), 2000 + int(match[2]), today)


def cash_receipt_number(kind: CashReceiptKind, value: str) -> str:
    """What a cash receipt is issued to, as digits: a mobile number, a business number or a card of 18 digits.

    Raises NumberError. The card has no published check rule. A resident number is none of the three (since 2014).
    """
    match kind:
        case CashReceiptKind.BUSINESS_NUMBER:
            return business_number(value)
        case CashReceiptKind.MOBILE:
            number = digits(value)
            if not _MOBILE.fullmatch(number):
                raise NumberError("NOT_MOBILE")
        case CashReceiptKind.CASH_RECEIPT_CARD:
            number = digits(value)
            if len(number) != 18:
                raise NumberError("LENGTH")
    return refuse_all_same(number)


def _range_of(number: str) -> tuple[Brand, set[int]]:
    for prefix, brand, lengths in _RANGES:
        if prefix.match(number):
            return brand, lengths
    raise NumberError("ISSUER")

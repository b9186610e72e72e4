"""Numbers that people type, reduced to their ASCII digits, and refused without being repeated.

Every number with a check rule comes through here, so that full-width input, spaces and dashes mean the same everywhere
and no error can carry the number itself.
"""

import unicodedata

_SEPARATORS = str.maketrans("", "", " -")
_BUSINESS_NUMBER_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


class NumberError(ValueError):
    """A number was refused. Carries a reason code in capitals, such as ``LENGTH``, and never the number."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def digits(value: str) -> str:
    """The ASCII digits of a number typed with spaces and dashes, full-width forms included (Unicode NFKC).

    Raises NumberError: EMPTY, or NOT_DIGITS for anything else that stands in the value. Superscripts and circled
    numbers are digits to ``str.isdigit`` and would survive NFKC; nobody means them as a number, so they are refused.
    """
    if value.isascii():  # as nearly all are; what follows is for the others
        compact = value.translate(_SEPARATORS)
    elif any(character.isdigit() and not character.isdecimal() for character in value):
        raise NumberError("NOT_DIGITS")
    else:
        compact = unicodedata.normalize("NFKC", value).translate(_SEPARATORS)
    if not compact:
        raise NumberError("EMPTY")
    if not (compact.isascii() and compact.isdigit()):
        raise NumberError("NOT_DIGITS")
    return compact


def refuse_all_same(number: str) -> str:
    """The number itself; raises NumberError ALL_SAME if it is one digit repeated, which passes most check rules."""
    if number == number[0] * len(number):
        raise NumberError("ALL_SAME")
    return number


def business_number(value: str) -> str:
    """A 사업자등록번호 or 고유번호 as its ten digits (AAA-BB-CCCCD without the dashes).

    Raises NumberError: EMPTY, NOT_DIGITS, LENGTH, ALL_SAME or CHECK_DIGIT. The check digit is computed here because
    stdnum.kr.brn does not look at it, and refuses the serial 0000 that no rule of the tax office forbids.
    """
    number = digits(value)
    if len(number) != 10:
        raise NumberError("LENGTH")
    refuse_all_same(number)
    place = [int(digit) for digit in number]
    weighted = sum(weight * digit for weight, digit in zip(_BUSINESS_NUMBER_WEIGHTS, place, strict=False))
    if place[9] != (10 - (weighted + 5 * place[8] // 10) % 10) % 10:
        raise NumberError("CHECK_DIGIT")
    return number

"""Numbers with right check digits that belong to nobody: invented ranges and the ranges that card schemes test with.

Each is drawn at most once, so that a number found in a file tells whose it is.
"""

from random import Random
from typing import Final

from stdnum import luhn

from chassis.digits import NumberError, business_number

_TAX_OFFICE: Final = "999"  # no tax office has this code
_TEST_CARD_PREFIXES: Final = ("400000", "411111", "424242", "555555", "353011", "941099")
_ACCOUNT_DIGITS: Final = {"003": 14, "004": 14, "011": 13, "020": 13, "081": 14, "088": 12}
_DIGITS: Final = "0123456789"
_TRIES: Final = 10_000


class NumberSource:
    """Draws numbers of which no two are the same.

    Args:
        random: where the draws come from; the same state gives the same numbers.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._drawn: set[str] = set()

    def business_number(self, classes: tuple[str, ...]) -> str:
        """A 사업자등록번호 or 단체고유번호, `999-CC-NNNNN`, with CC one of `classes`: ten thousand numbers each.

        Raises LookupError when hardly any is left.
        """
        for _ in range(_TRIES):
            stem = f"{_TAX_OFFICE}{self._random.choice(classes)}{self._digits(4)}"
            number = next(stem + last for last in _DIGITS if _is_business_number(stem + last))
            if self._is_new(number):
                return f"{number[:3]}-{number[3:5]}-{number[5:]}"
        raise LookupError("no business number is left")

    def phone(self, prefix: str) -> str:
        """A telephone number `prefix-0000-NNNN`: the exchange 0000 is given to nobody, so there are ten thousand.

        Raises LookupError when hardly any is left.
        """
        for _ in range(_TRIES):
            number = f"{prefix}-0000-{self._digits(4)}"
            if self._is_new(number):
                return number
        raise LookupError("no telephone number is left")

    def card(self) -> str:
        """A card number of sixteen digits with a Luhn digit, in groups of four, of a test range or an invented one."""
        while True:
            stem = self._random.choice(_TEST_CARD_PREFIXES) + self._digits(9)
            number = stem + luhn.calc_check_digit(stem)
            if self._is_new(number):
                return "-".join(number[at : at + 4] for at in range(0, 16, 4))

    def account(self) -> tuple[str, str]:
        """A bank's KFTC code and an account number of a length that the bank uses."""
        while True:
            code, length = self._random.choice(list(_ACCOUNT_DIGITS.items()))
            number = self._digits(length)
            if len(set(number)) > 4 and self._is_new(number):  # enough of a pattern that a file of zeros has none
                return code, number

    def approval(self) -> str:
        """A 승인번호 of twelve digits, with enough of a pattern that a file of zeros has none."""
        while True:
            number = self._digits(12)
            if len(set(number)) > 4 and self._is_new(number):
                return number

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices(_DIGITS, k=count))

    def _is_new(self, number: str) -> bool:
        if number in self._drawn:
            return False
        self._drawn.add(number)
        return True


def _is_business_number(number: str) -> bool:
    try:
        business_number(number)
    except NumberError:
        return False
    return True

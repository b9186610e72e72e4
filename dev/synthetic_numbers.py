"""Numbers with right check digits that belong to nobody: invented ranges and the ranges that card schemes test with.

Each is drawn at most once, so that a number found in a file tells whose it is.
"""

from collections.abc import Callable
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
    """Draws numbers of which no two are the same; raises LookupError when hardly any of a kind is left.

    Args:
        random: where the draws come from; the same state gives the same numbers.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._drawn: set[str] = set()

    def business_number(self, classes: tuple[str, ...]) -> str:
        """A 사업자등록번호 or 단체고유번호, `999-CC-NNNNN`, with CC one of `classes`: ten thousand numbers each."""

        def draw() -> str:
            stem = f"{_TAX_OFFICE}{self._random.choice(classes)}{self._digits(4)}"
            return next(stem + last for last in _DIGITS if _is_business_number(stem + last))

        number = self._new("business number", draw)
        return f"{number[:3]}-{number[3:5]}-{number[5:]}"

    def phone(self, prefix: str) -> str:
        """A telephone number `prefix-0000-NNNN`: the exchange 0000 is given to nobody, so there are ten thousand."""
        return self._new("telephone number", lambda: f"{prefix}-0000-{self._digits(4)}")

    def card(self) -> str:
        """A card number of sixteen digits with a Luhn digit, in groups of four, of a test range or an invented one."""

        def draw() -> str:
            stem = self._random.choice(_TEST_CARD_PREFIXES) + self._digits(9)
            return stem + luhn.calc_check_digit(stem)

        number = self._new("card number", draw)
        return "-".join(number[at : at + 4] for at in range(0, 16, 4))

    def account(self) -> tuple[str, str]:
        """A bank's KFTC code and an account number of a length that the bank uses."""
        code, length = self._random.choice(list(_ACCOUNT_DIGITS.items()))
        return code, self._new("account number", lambda: self._digits(length), _has_pattern)

    def approval(self) -> str:
        """A 승인번호 of twelve digits."""
        return self._new("approval number", lambda: self._digits(12), _has_pattern)

    def _new(self, kind: str, draw: Callable[[], str], fits: Callable[[str], bool] = bool) -> str:
        for _ in range(_TRIES):
            number = draw()
            if fits(number) and number not in self._drawn:
                self._drawn.add(number)
                return number
        raise LookupError(f"no {kind} is left")

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices(_DIGITS, k=count))


def _has_pattern(number: str) -> bool:
    """Whether it has enough of a pattern that a file of zeros has none."""
    return len(set(number)) > 4


def _is_business_number(number: str) -> bool:
    try:
        business_number(number)
    except NumberError:
        return False
    return True

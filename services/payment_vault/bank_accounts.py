"""Bank accounts: a bank by its KFTC code and a number of which only the bank knows the check rule.

What can be checked here is the code and the length; whether the account exists and is the payer's is asked of the bank
(예금주 조회). The banks are data, `banks.toml`, because they merge and open without a release of ours.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chassis.digits import NumberError, digits

__all__ = ["Bank", "NumberError", "account_number", "bank", "bank_code", "banks", "is_usual_length"]


class Bank(BaseModel):
    """An institution that keeps accounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern="^[0-9]{3}$")
    name: str = Field(min_length=1)
    kind: Literal["bank", "securities"] = "bank"
    confirmed: bool = False
    usual_lengths: frozenset[int] = frozenset()
    active_from: date | None = None
    active_to: date | None = None

    def takes_accounts(self, today: date) -> bool:
        """Whether the bank is open: not one that merged into another, or is yet to open."""
        return (self.active_from or date.min) <= today <= (self.active_to or date.max)


class _Lengths(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: int = Field(ge=8)
    maximum: int = Field(le=16)


class _Directory(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    as_of: date
    lengths: dict[Literal["bank", "securities"], _Lengths]
    banks: list[Bank]


@cache
def banks() -> Mapping[str, Bank]:
    """All banks by code, closed ones too, so that an old account can still be named."""
    return MappingProxyType({each.code: each for each in _directory().banks})


def bank(code: str) -> Bank:
    """The bank of a three-character code, such as "004"; NumberError BANK_CODE if there is none."""
    found = banks().get(code)
    if found is None:
        raise NumberError("BANK_CODE")
    return found


def bank_code(value: str, today: date) -> str:
    """The code of a bank that takes accounts `today`. Raises NumberError: BANK_CODE or BANK_CLOSED."""
    found = bank(value)
    if not found.takes_accounts(today):
        raise NumberError("BANK_CLOSED")
    return found.code


def account_number(code: str, value: str) -> str:
    """An account number at the bank `code`, as its digits; leading zeros stay, and all zeros are a number too.

    Raises NumberError: BANK_CODE, EMPTY, NOT_DIGITS or LENGTH (10 to 14 at banks, 8 to 16 at securities firms).
    """
    allowed = _directory().lengths[bank(code).kind]
    number = digits(value)
    if not allowed.minimum <= len(number) <= allowed.maximum:
        raise NumberError("LENGTH")
    return number


def is_usual_length(code: str, number: str) -> bool:
    """Whether the bank is known to have numbers of this length; False is a reason to ask, never to refuse."""
    usual = bank(code).usual_lengths
    return not usual or len(number) in usual


@cache
def _directory() -> _Directory:
    return _Directory.model_validate(tomllib.loads((files(__package__) / "banks.toml").read_text("utf-8")))

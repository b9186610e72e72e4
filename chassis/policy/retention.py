"""Chapter 4 of the policy: what is kept under which basis, from when and for how long, and which columns of it.

A category (보존 항목) is one row of the retention schedule, R-01 to R-28. A record kind (one message of the contract)
stands under one or more of them; it lives while any of them lives, and each of its fields while a category that keeps
this field lives (법 제21조 제1항 단서).
"""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final, Literal

from pydantic import Field, field_validator

from chassis.policy.chapter import Chapter
from chassis.policy.duration import Period
from chassis.policy.holds import Holds
from chassis.policy.model import Named, Table

AT_ONCE = "at once"
OPEN = "open"


class Basis(StrEnum):
    """Why something is kept, and so why it ends (보유 근거)."""

    CONTRACT = "CONTRACT"
    """As long as the contract stands (법 제15조 제1항 제4호)."""
    CONSENT = "CONSENT"
    """As long as the consent stands and its period runs (법 제15조 제1항 제1호)."""
    LAW_MIN = "LAW_MIN"
    """At least as long as a law says (법 제21조 제1항 단서)."""
    LAW_MAX = "LAW_MAX"
    """At most as long as a law says."""
    HOLD = "HOLD"
    """While an authority's order to preserve stands."""


ARCHIVE: Final = "archive"
"""The holder that keeps apart what has to be kept after the end (분리보관)."""

BY_WILL: Final = (Basis.CONSENT, Basis.CONTRACT)
"""What ends when somebody leaves or takes it back; what a law wants kept nobody's will ends."""


class Start(Table):
    """The start event (기산점) of a category's period.

    ``event``: "occurred" (the record's own date), "membership_ended" (탈퇴), or a name of its own, whose date somebody
    notes. ``fixed_by``: whether the law says so or this policy does. ``counted_from``: the event, or the statutory
    filing deadline (법정신고기한) of its tax period. ``dated``: false where the start is not one date.
    ``else_occurred``: the record's own date counts until the event is noted.
    """

    event: str
    korean: str
    english: str
    fixed_by: Literal["law", "policy"]
    counted_from: Literal["event", "filing_deadline"] = "event"
    dated: bool = True
    else_occurred: bool = False


class Category(Named):
    """One row of the retention schedule.

    ``law``: the article it stands on, of ``edition``, compared on ``checked_on``. ``certainty``: "verified", where article
    and period stand in the law's own text or in the published policy; "secondary", where others report the article;
    "proposed", where neither gives the period. ``period``: "5 years", "at once" or "open" (no period of its own).
    ``statute``: what the law says, "" where it is silent; the loader compares. ``store``: where it is kept once the member
    has left. ``holders``: the services that hold it; none needs a ``gap``. ``keeps``:
    the fields (``Message.field``) that it keeps. ``clause``, ``label``, ``reason``: as published (제7·8조), if it is.
    ``consent``: the one it stands on. ``purpose``: the one under which the archive may be read for it. ``requires``: the
    owner's setting that turns it on. ``when``: setting -> its value -> the period then, and ``statute_when`` what the law
    says then; ``period`` is the longest of them.
    """

    basis: Basis
    law: str
    edition: str
    checked_on: date
    certainty: Literal["verified", "secondary", "proposed"]
    statute: str = Field(default="", min_length=0)
    period: str
    start: Start
    store: Literal["live", "archive", "log", "vault", "ledger", "elsewhere"]
    method: Literal["M1", "M2", "M3", "M4"]
    holders: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    gap: str = Field(default="", min_length=0)
    clause: str = Field(default="", min_length=0)
    label: str = Field(default="", min_length=0)
    reason: str = Field(default="", min_length=0)
    reason_english: str = Field(default="", min_length=0)
    consent: str = Field(default="", min_length=0)
    purpose: str = Field(default="", min_length=0)
    requires: str = Field(default="", min_length=0)
    when: Mapping[str, Mapping[str, str]] = {}
    statute_when: Mapping[str, Mapping[str, str]] = {}

    @field_validator("period", "statute")
    @classmethod
    def _is_period(cls, value: str) -> str:
        if value not in (AT_ONCE, OPEN, ""):
            Period.parse(value)
        return value

    def period_under(self, setting: Callable[[str], str]) -> str:
        """Return the period for an owner; ``setting`` tells the value of a setting as a key of TOML writes it."""
        for name, periods in self.when.items():
            if (period := periods.get(setting(name))) is not None:
                return period
        return self.period


class RecordKind(Named):
    """A kind of record.

    ``message``: of the contract. ``may_stand_under``: the categories allowed; ``stands_under``: those it has unless told
    otherwise, and in any case the maxima of them that are in force. ``kept``: by field or, log-like, in month partitions.
    """

    message: str
    may_stand_under: tuple[str, ...] = Field(min_length=1)
    stands_under: tuple[str, ...] = Field(min_length=1)
    kept: Literal["by field", "by month"]


class Retention(Chapter):
    """The file ``chapters/4-retention.toml``."""

    ARTICLES: ClassVar[tuple[str, ...]] = ("제7조", "제8조")

    holds: Holds
    categories: Mapping[str, Category]
    records: Mapping[str, RecordKind]

    def held_by(self, service: str) -> Mapping[str, Category]:
        """Return the categories that a service is a holder of, by id."""
        return {name: category for name, category in self.categories.items() if service in category.holders}

    def brought_by_holds(self) -> Mapping[str, Category]:
        """Return the categories that a held record (보존 조치) has in the archive though the archive is no holder of them.

        A record moves with all its bases. Those by somebody's will were over by then, since they end with the membership or
        before it; a minimum that a law sets is never among them: it ends with its own period.
        """
        of_records = {
            name for kind in self.records.values() if kind.kept == "by field" for name in kind.may_stand_under
        }
        return {
            name: category
            for name, category in self.categories.items()
            if name in of_records and category.basis in BY_WILL and ARCHIVE not in category.holders
        }

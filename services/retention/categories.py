"""Which categories end, when and why. A table that a lawyer can read; a further category is a further row.

The holder of a category destroys its rows. Where only another holder knows the start event (탈퇴), the category names
the one whose subjects it follows; such categories are planned together or not at all, since once the members are gone
nobody knows any more whose tokens are due.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.retention.calendar import Period, due, due_at_once
from services.retention.refusals import CategoryUnknown


class Basis(StrEnum):
    """Why something is kept, and so why it ends."""

    CONTRACT = "CONTRACT"
    """As long as the contract or the consent stands (법 제15조)."""
    LAW_MIN = "LAW_MIN"
    """At least as long as a law says."""


class Measure(StrEnum):
    """What the forecast counts; also the names of its settings."""

    MEMBERS = "members"
    LOGIN_RECORDS = "login_records"


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the retention schedule.

    ``period``: kept so long after the start event, or None where it is due at once. ``follows``: the category whose
    subjects are this one's. ``measure``: what the forecast counts, units or (login records) rows.
    """

    name: str
    korean: str
    holder: str
    basis: Basis
    article: str
    period: Period | None
    measure: Measure
    follows: str | None = None

    def through(self, today: date) -> date:
        """Return the latest event date that is due on ``today``, a Korean day."""
        return due_at_once(today) if self.period is None else due(self.period, today)


CATEGORIES: Mapping[str, Category] = {
    category.name: category
    for category in (
        Category(
            name="R-01", korean="회원 정보", holder="identity", basis=Basis.CONTRACT, period=None,
            article="개인정보 보호법 제21조 제1항", measure=Measure.MEMBERS,
        ),
        Category(
            name="R-03", korean="자동결제 수단", holder="payment_vault", basis=Basis.CONTRACT, period=None,
            article="개인정보 보호법 제21조 제1항", measure=Measure.MEMBERS, follows="R-01",
        ),
        Category(
            name="R-12", korean="이용자 로그인 기록", holder="identity", basis=Basis.LAW_MIN, period=Period(months=3),
            article="통신비밀보호법 제15조의2, 같은 법 시행령 제41조 제2항", measure=Measure.LOGIN_RECORDS,
        ),
    )
}  # fmt: skip


def chosen(names: Collection[str]) -> list[Category]:
    """Return the categories to plan for, in the table's order: those named with those that go with them, or all.

    Raises CategoryUnknown.
    """
    if not CATEGORIES.keys() >= set(names):
        raise CategoryUnknown
    wanted = {_root(CATEGORIES[name]) for name in names or CATEGORIES}
    return [category for category in CATEGORIES.values() if _root(category) in wanted]


def _root(category: Category) -> str:
    return category.follows or category.name

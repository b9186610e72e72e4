"""Fixing a plan's set at the holders. Nothing is destroyed, and everything may be done again.

One thing it does that stays: the vault takes nothing in any more of who has left, once it has been told (R-03).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from onggi.purge.v1 import purge_service_pb2 as api

from services.retention.categories import Categories, Due
from services.retention.forecast import Forecast
from services.retention.holders import Connected, Holders
from services.retention.plan import FORECAST, Part, State, digest_of, utc_now
from services.retention.store import NOW

Parts = dict[Due, Part]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed set, the plan's state that follows from it, and what goes with that state, by column."""

    parts: Sequence[Part]
    state: State
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Preparation:
    """Fixes sets. ``forecast``: what may be destroyed without a person; ``clock``: the present, with a zone."""

    holders: Holders
    categories: Categories
    forecast: Forecast
    clock: Callable[[], datetime] = utc_now

    async def fix(self, attempt: tuple[str, int], traceparent: str, names: Sequence[str], day: date) -> Fixed:
        """Fix what is due on ``day`` of the categories named, or of all. ``attempt``: the plan's id and epoch.

        Raises HolderUnavailable, Overtaken, CategoryUnknown.
        """
        due = self.categories.chosen(names, day)
        async with self.holders.connected(*attempt, traceparent) as connected:
            parts = await prepare(connected, due)
        return decide(parts, self.forecast)


def decide(parts: Sequence[Part], forecast: Forecast) -> Fixed:
    """Approve what is within the forecast; leave more than that to a person who has not asked for it."""
    above = forecast.is_exceeded(parts)
    values: dict[str, Any] = {"digest": digest_of(parts), "exceeds_forecast": above}
    if not above:
        values |= {"approved_by": FORECAST, "approved_at": NOW}
    return Fixed(parts, State.PLANNED if above else State.APPROVED, values)


async def prepare(holders: Connected, due: Sequence[Due]) -> list[Part]:
    """Have the holders fix what is due, and return what they fixed, in the same order.

    ``due``: with those that they follow. The subjects that one holder finds due are passed on page by page and
    forgotten. Where no hold has left anything over, there is no part. Raises HolderUnavailable, Overtaken.
    """
    followers: dict[str | None, list[Due]] = {}
    for each in due:
        followers.setdefault(each.follows, []).append(each)
    parts: Parts = {}
    for each in followers.get(None, ()):
        await _fix(holders, each, () if each.left_over else followers.get(each.category, ()), parts)
    return [parts[each] for each in due if parts[each].units or not each.left_over]


async def _fix(holders: Connected, due: Due, followers: Sequence[Due], parts: Parts) -> None:
    page_token = ""
    while True:
        fixed = await holders.prepare(due, [], page_token)
        conflicts = fixed.conflicts if not page_token else parts[due].conflicts
        parts[due] = replace(_part(due, fixed), conflicts=conflicts)
        # Also where nobody is due: then the follower's set is fixed as an empty one.
        for each in followers:
            subject_ids = list(fixed.subject_ids)
            parts[each] = _part(each, await holders.prepare(each, subject_ids, ""))
        page_token = fixed.next_page_token
        if not page_token:
            return


def _part(due: Due, fixed: api.PreparePurgeResponse) -> Part:
    return Part(
        due.category, due.holder, due.through, counts(fixed.counts), fixed.units, fixed.digest, due.by_version,
        remaining=fixed.units,
    )  # fmt: skip


def counts(tables: Sequence[api.TableCount]) -> Mapping[str, int]:
    """Return rows by table."""
    return {item.table: item.rows for item in tables}

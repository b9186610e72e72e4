"""Fixing a plan's set at the holders. Nothing is destroyed, and everything may be done again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from onggi.purge.v1 import purge_service_pb2 as api

from services.retention.categories import Category, Measure, chosen
from services.retention.holders import Connected, Holders
from services.retention.plan import FORECAST, Part, State, digest_of, exceeds, utc_now
from services.retention.store import NOW


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
    forecast: Mapping[Measure, int]
    clock: Callable[[], datetime] = utc_now

    async def fix(self, attempt: tuple[str, int], traceparent: str, names: Sequence[str], day: date) -> Fixed:
        """Fix what is due on ``day`` of the categories named, or of all. ``attempt``: the plan's id and epoch.

        Raises HolderUnavailable, Overtaken.
        """
        async with self.holders.connected(*attempt, traceparent) as connected:
            parts = await prepare(connected, chosen(names), day)
        return decide(parts, self.forecast)


def decide(parts: Sequence[Part], forecast: Mapping[Measure, int]) -> Fixed:
    """Approve what is within the forecast; leave more than that to a person who has not asked for it."""
    above = exceeds(parts, forecast)
    values: dict[str, Any] = {"digest": digest_of(parts), "exceeds_forecast": above}
    if not above:
        values |= {"approved_by": FORECAST, "approved_at": NOW}
    return Fixed(parts, State.PLANNED if above else State.APPROVED, values)


async def prepare(holders: Connected, categories: Sequence[Category], day: date) -> list[Part]:
    """Have the holders fix what is due on ``day``, a Korean day, and return what they fixed, by category.

    ``categories``: with those that they follow. The subjects that one holder finds due are passed on page by page and
    forgotten. Raises HolderUnavailable, Overtaken.
    """
    followers: dict[str | None, list[Category]] = {}
    for category in categories:
        followers.setdefault(category.follows, []).append(category)
    parts: dict[str, Part] = {}
    for category in followers.get(None, ()):
        await _fix(holders, category, followers.get(category.name, ()), day, parts)
    return [parts[category.name] for category in categories]


async def _fix(
    holders: Connected, category: Category, followers: Sequence[Category], day: date, parts: dict[str, Part]
) -> None:
    page_token = ""
    while True:
        through = category.through(day)
        fixed = await holders.prepare(category.holder, category.name, through, [], page_token)
        parts[category.name] = _part(category, through, fixed)
        # Also where nobody is due: then the follower's set is fixed as an empty one.
        for follower in followers:
            parts[follower.name] = await _follow(holders, follower, day, list(fixed.subject_ids))
        page_token = fixed.next_page_token
        if not page_token:
            return


async def _follow(holders: Connected, follower: Category, day: date, subject_ids: list[str]) -> Part:
    through = follower.through(day)
    fixed = await holders.prepare(follower.holder, follower.name, through, subject_ids, "")
    return _part(follower, through, fixed)


def _part(category: Category, through: date, fixed: api.PreparePurgeResponse) -> Part:
    return Part(
        category.name, category.holder, through, counts(fixed.counts), fixed.units, fixed.digest, remaining=fixed.units
    )


def counts(tables: Sequence[api.TableCount]) -> Mapping[str, int]:
    """Return rows by table."""
    return {item.table: item.rows for item in tables}

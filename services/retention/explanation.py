"""What is kept of a person, why and until when: every holder's bases, dated by the policy (방침 제7·8조, 법 제35조).

Ends are computed while they are told. What one holder does not tell makes no answer: a part would read as the whole. The
order is of all that is told, so each page of an answer asks every holder for everything: the archive after the others,
since what moves there meanwhile would otherwise be told by nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

import structlog
from onggi.purge.v1 import purge_service_pb2 as purge
from onggi.retention.v1.kept_item_pb2 import KeptItem

from chassis.errors import PolicyIncomplete
from chassis.kst import event_date
from chassis.policy.calendars import Calendars
from chassis.policy.keeping import Standing, keep_until
from chassis.policy.retention import ARCHIVE, Basis
from services.retention.categories import FOLLOWS
from services.retention.hold import Hold
from services.retention.holders import ACCESS, Holders, Lines
from services.retention.plan import utc_now
from services.retention.refusals import HolderUnavailable

log = structlog.get_logger()

HOLD, HOLD_START = "보존 조치", "보존 조치일"
"""A hold and its start event in the words of the law; no row of the policy has them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one holder has told of one basis."""

    holder: str
    kept: purge.Kept

    @property
    def thing(self) -> tuple[str, str, str]:
        """What it keeps: bases of the same thing are judged together. A log-like day has no id and one basis."""
        return self.holder, self.kept.kind, self.kept.record_id or self.kept.event_date


class Position(NamedTuple):
    """What lines are sorted by, character by character; no two have the same.

    ``last_day``: "~" where nothing ends it. ``thing``: its id, or the day of what has none. ``holder`` comes last: what moves
    into the archive between two pages stays where it was in the order.
    """

    last_day: str = ""
    category: str = ""
    kind: str = ""
    thing: str = ""
    hold_id: str = ""
    holder: str = ""


class Line(NamedTuple):
    """One basis, with its place in the order."""

    position: Position
    item: KeptItem


@dataclass(frozen=True, slots=True)
class Explainer:
    """Tells what is kept. ``holds``: tells of holds what the register has; ``clock``: the present, with a zone."""

    holders: Holders
    calendars: Calendars
    holds: Callable[[Collection[str]], Awaitable[Mapping[str, Hold]]]
    clock: Callable[[], datetime] = utc_now

    def today(self) -> date:
        """Return the Korean day that it is."""
        return event_date(self.clock())

    async def explain(self, traceparent: str, today: date, member_id: str = "", record_id: str = "") -> list[Line]:
        """Return what is kept of the member, or of the record, on a day; in the order of the days on which it ends.

        Raises HolderUnavailable, PolicyIncomplete, DatabaseUnavailable.
        """
        request = purge.ListKeptRequest(access=ACCESS)
        if member_id:
            request.member_id = member_id
        else:
            request.record_id = record_id
        async with self.holders.asked(traceparent) as lines:
            sources = (_all_pages(lines, name, request) for name in lines.names if name != ARCHIVE)
            lists = await asyncio.gather(*sources)
            lists += [await _all_pages(lines, name, request) for name in lines.names if name == ARCHIVE]
        told = [each for answer in lists for each in answer]
        holds = await self.holds({each.kept.hold_id for each in told if each.kept.hold_id})
        # In a thread: of somebody with very many bases it takes seconds, and others' calls are answered meanwhile.
        return await asyncio.to_thread(explained, told, self.calendars, today, holds)


async def _all_pages(lines: Lines, holder: str, request: purge.ListKeptRequest) -> list[Told]:
    asked = purge.ListKeptRequest()
    asked.CopyFrom(request)
    told: list[Told] = []
    while True:
        page = await lines.call(holder, "ListKept", asked, purge.ListKeptResponse)
        told += [Told(holder, kept) for kept in page.kept]
        if not page.next_page_token:
            return told
        if page.next_page_token == asked.page_token:
            raise HolderUnavailable
        asked.page_token = page.next_page_token


def explained(
    told: Sequence[Told], calendars: Calendars, today: date, holds: Mapping[str, Hold] = MappingProxyType({})
) -> list[Line]:
    """Return the bases with their ends, the first to end first, those without an end last.

    ``holds``: by id. Raises PolicyIncomplete for a category that the policy does not have.
    """
    by_row = [each for each in told if not each.kept.hold_id]
    if unnamed := {each.kept.category for each in by_row} - calendars.categories.keys():
        log.error("rows stand under a category that the policy does not name", categories=sorted(unnamed))
        raise PolicyIncomplete
    things = groupby(sorted(_led(by_row), key=lambda each: each.thing), key=lambda each: each.thing)
    items = [item for _, bases in things for item in _of_one_thing(list(bases), calendars, today)]
    items += [_held(each, holds.get(each.kept.hold_id)) for each in told if each.kept.hold_id]
    return sorted(items, key=lambda line: line.position)


def _led(told: Sequence[Told]) -> list[Told]:
    """Give categories that follow another the date of its start event: their holder does not know it."""
    events = {each.kept.category: each.kept.event_date for each in told if each.kept.category in FOLLOWS.values()}
    led = []
    for each in told:
        event = events.get(FOLLOWS.get(each.kept.category, ""), "")
        if event and not each.kept.event_date:
            kept = purge.Kept()
            kept.CopyFrom(each.kept)
            kept.event_date = event
            led.append(Told(each.holder, kept))
        else:
            led.append(each)
    return led


def _of_one_thing(bases: Sequence[Told], calendars: Calendars, today: date) -> list[Line]:
    standings = [_standing(each.kept, calendars, today) for each in bases]
    maxima = [standing for standing in standings if standing.basis is Basis.LAW_MAX]
    conflict = keep_until(standings).conflict
    items = []
    for each, standing in zip(bases, standings, strict=True):
        until = standing.last_day if standing in maxima else keep_until([standing, *maxima]).until
        items.append(_line(each, _item(each, until, calendars, conflict=conflict, today=today)))
    return items


def _standing(kept: purge.Kept, calendars: Calendars, today: date) -> Standing:
    calendar = calendars.of(kept.policy_version, today)
    return Standing.under(calendar, kept.category, _day(kept.event_date), _day(kept.ended_on))


def _item(told: Told, until: date | None, calendars: Calendars, *, conflict: bool, today: date) -> KeptItem:
    kept, category = told.kept, calendars.categories[told.kept.category]
    return KeptItem(
        holder=told.holder, kind=kept.kind, record_id=kept.record_id, category=kept.category, korean=category.korean,
        basis=category.basis, article=category.law, start_event=category.start.korean, event_date=kept.event_date,
        last_day=until.isoformat() if until else "", items=kept.items, conflict=conflict,
        policy_version=kept.policy_version, ended=until is not None and until < today,
    )  # fmt: skip


def _line(told: Told, item: KeptItem) -> Line:
    thing = item.record_id or item.event_date
    position = Position(item.last_day or "~", item.category, item.kind, thing, told.kept.hold_id, item.holder)
    return Line(position, item)


def _held(told: Told, hold: Hold | None) -> Line:
    """Return a hold as a basis without an end. One that a holder has and the register has not is told all the same."""
    kept = told.kept
    return _line(told, KeptItem(
        holder=told.holder, kind=kept.kind, record_id=kept.record_id, korean=HOLD, basis=Basis.HOLD,
        article=hold.article if hold else "", start_event=HOLD_START, event_date=kept.event_date, items=kept.items,
        policy_version=kept.policy_version, review_on=hold.review_on.isoformat() if hold else "",
    ))  # fmt: skip


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None

"""What is kept of somebody all the same, as the answer to a withdrawal tells it: why, from when, until when, which items."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby

import structlog
from onggi.purge.v1.purge_service_pb2 import Kept
from onggi.retention.v1.kept_item_pb2 import KeptItem

from chassis.errors import PolicyIncomplete
from chassis.policy.calendars import Calendars
from chassis.policy.keeping import Standing, keep_until, living
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import Basis
from services.identity.kept import LOG_LIKE

log = structlog.get_logger()

HOLD, HOLD_START = "보존 조치", "보존 조치일"
MOST = 2000
"""More than these are told by kind and category, each with what is kept longest: an answer has to fit into a message."""
_NO_HOLDS: Mapping[str, str] = {}


class KeptItems:
    """Tells what is kept by the policy."""

    def __init__(self, policy: PrivacyPolicy) -> None:
        self._categories = policy.retention.categories
        self._calendars = Calendars(policy)
        self._by_field = {name for name, kind in policy.retention.records.items() if kind.kept == "by field"}

    def beyond(
        self, today: date, kept: Sequence[Kept], articles: Mapping[str, str] = _NO_HOLDS
    ) -> Sequence[KeptItem]:  # fmt: skip
        """Return what is kept on ``today`` and longer: one item a record and basis, one a category of log-like days.

        ``articles``: of the legal holds that stand, by their ids. Raises PolicyIncomplete: of what stands under a category
        that the policy does not name, neither article nor end can be told.
        """
        if unnamed := {each.category for each in kept if not each.hold_id} - self._categories.keys():
            log.error("rows stand under a category that the policy does not name", categories=sorted(unnamed))
            raise PolicyIncomplete
        days = [item for each in kept if each.kind in LOG_LIKE for item in self._running([each], today, articles)]
        others = sorted((each for each in kept if each.kind not in LOG_LIKE), key=_thing)
        # Things with the same bases end alike, so that each kind of them is worked out once, however many there are.
        alike: dict[tuple[object, ...], Sequence[KeptItem]] = {}
        things = []
        for (_, record_id), bases in groupby(others, key=_thing):
            standing = list(bases)
            shape = tuple(map(_shape, standing))
            if shape not in alike:
                alike[shape] = list(self._running(standing, today, articles))
            things.append((record_id, alike[shape]))
        if sum(len(items) for _, items in things) > MOST:
            told = list(_latest(item for items in alike.values() for item in items))
        else:
            told = [_of(record_id, item) for record_id, items in things for item in items]
        return sorted([*told, *_latest(days)], key=lambda item: (item.kind, item.record_id, item.category))

    def _running(self, told: Sequence[Kept], today: date, articles: Mapping[str, str]) -> Iterator[KeptItem]:
        """Yield those bases of one thing that keep it beyond ``today``, and its holds."""
        holds, bases = [each for each in told if each.hold_id], [each for each in told if not each.hold_id]
        standings = [self._standing(basis, today) for basis in bases]
        running = {standing.category: standing for standing in living(standings, today)}
        conflict = keep_until(standings).conflict
        maxima = [standing for standing in standings if standing.basis is Basis.LAW_MAX]
        moves = all(self._categories[name].store == "archive" for name in running) and told[0].kind in self._by_field
        # Where it is once the move has been made, and not for the moment until then.
        holder = "archive" if moves else "identity"
        for hold in holds:
            yield KeptItem(
                holder=holder, kind=hold.kind, record_id=hold.record_id, korean=HOLD, basis=Basis.HOLD,
                article=articles[hold.hold_id], start_event=HOLD_START, event_date=hold.event_date, items=hold.items,
                policy_version=hold.policy_version,
            )  # fmt: skip
        for basis in bases:
            if (standing := running.get(basis.category)) is not None:
                category, until = self._categories[basis.category], keep_until([standing, *maxima]).until
                yield KeptItem(
                    holder=holder, kind=basis.kind, record_id=basis.record_id,
                    category=basis.category, korean=category.korean, basis=category.basis.value, article=category.law,
                    start_event=category.start.korean, event_date=basis.event_date,
                    last_day=until.isoformat() if until else "", items=basis.items, conflict=conflict,
                    policy_version=basis.policy_version,
                )  # fmt: skip

    def _standing(self, kept: Kept, today: date) -> Standing:
        event = date.fromisoformat(kept.event_date) if kept.event_date else None
        ended_on = date.fromisoformat(kept.ended_on) if kept.ended_on else None
        calendar = self._calendars.of(kept.policy_version, today)
        return Standing.under(calendar, kept.category, event, ended_on)


def _shape(kept: Kept) -> tuple[object, ...]:
    return (
        kept.kind, kept.category, kept.event_date, kept.ended_on, kept.policy_version, kept.hold_id, *kept.items
    )  # fmt: skip


def _of(record_id: str, item: KeptItem) -> KeptItem:
    told = KeptItem()
    told.CopyFrom(item)
    told.record_id = record_id
    return told


def _thing(kept: Kept) -> tuple[str, str]:
    return kept.kind, kept.record_id


def _latest(told: Iterable[KeptItem]) -> Iterator[KeptItem]:
    """Yield the one of each kind and category that is kept longest, without its id, with the items of all."""
    by_kind = sorted(told, key=lambda item: (item.kind, item.category, item.last_day or "~", item.event_date))
    for _, group in groupby(by_kind, key=lambda item: (item.kind, item.category)):
        same = list(group)
        latest = KeptItem()
        latest.CopyFrom(same[-1])
        latest.record_id = ""
        latest.items[:] = sorted({item for each in same for item in each.items})
        yield latest

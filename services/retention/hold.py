"""A legal hold (보존 조치): its states and the rules over it, without a database.

PLACING → STANDING → RELEASING → RELEASED, and from PLACING to RELEASING too. While it is placed or released some holder has
not been told yet. One person places it, another one approves it and another one releases it (LC-13).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chassis.errors import InvalidField, Violation
from chassis.policy.calendar import last_day
from chassis.policy.duration import Period
from chassis.policy.holds import Holds as HoldRules
from chassis.requested_day import requested_day
from services.retention.refusals import OwnHold, WrongHoldState


class HoldState(StrEnum):
    """How far a hold has come; the names of the contract's HoldState."""

    PLACING = "PLACING"
    STANDING = "STANDING"
    RELEASING = "RELEASING"
    RELEASED = "RELEASED"


KEEPING = frozenset({HoldState.PLACING, HoldState.STANDING})
"""States in which nobody has released it."""
DONE: Mapping[HoldState, HoldState] = {
    HoldState.PLACING: HoldState.STANDING,
    HoldState.RELEASING: HoldState.RELEASED,
}
"""A state in which holders have still to be told -> the one that follows once all are."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, of a member or of a record; once it is released, of neither any more.

    ``placed_on``, ``review_on``, ``released_on``: Korean days. ``trace_id``, ``span_id``: of the call that asked for the
    last change which holders are told of. ``told``: holder -> the state that it has answered, "" where nothing yet.
    """

    hold_id: str
    state: HoldState
    member_id: str | None
    record_id: str | None
    authority: str
    document_number: str
    article: str
    placed_on: date
    review_on: date
    placed_by: str
    approved_by: str
    released_by: str
    released_on: date | None
    trace_id: str
    span_id: str
    created_at: datetime
    updated_at: datetime
    told: Mapping[str, str]

    @property
    def waiting_for(self) -> list[str]:
        """The holders that have not answered what the state says, by name."""
        awaited = DONE.get(self.state, self.state)
        return sorted(holder for holder, told in self.told.items() if told != awaited)

    def overdue(self, today: date) -> bool:
        """Whether its day of review is past and nobody has released it."""
        return self.state in KEEPING and self.review_on < today


def check_ground(article: str, rules: HoldRules) -> None:
    """Raise InvalidField unless the policy has the article as the ground of a hold: no article, no hold (LC-13)."""
    if article not in rules.articles:
        raise InvalidField([Violation("article", "unknown")])


def check_review(review_on: str, today: date, rules: HoldRules) -> date:
    """Return a day of review. Raises InvalidField for no day, one that is past, or one that the policy has too far."""
    day = requested_day(review_on, "review_on")
    if day < today:
        raise InvalidField([Violation("review_on", "in_the_past")])
    if day > last_day(today, Period(months=rules.longest_review_months)):
        raise InvalidField([Violation("review_on", "too_far")])
    return day


def check_approval(hold: Hold, approver: str) -> None:
    """Raise OwnHold or WrongHoldState unless the approver may approve it."""
    if approver == hold.placed_by:
        raise OwnHold
    if hold.state not in KEEPING or hold.approved_by:
        raise WrongHoldState


def check_standing(hold: Hold) -> None:
    """Raise WrongHoldState for a hold that somebody has released."""
    if hold.state not in KEEPING:
        raise WrongHoldState


def check_release(hold: Hold, releaser: str) -> None:
    """Raise OwnHold or WrongHoldState unless the releaser may release it: never who has placed it."""
    if releaser == hold.placed_by:
        raise OwnHold
    check_standing(hold)

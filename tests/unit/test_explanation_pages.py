"""However long the texts of a policy and however many the bases, a page fits into a message."""

from itertools import pairwise

import pytest
from onggi.purge.v1.purge_service_pb2 import Kept, ListKeptResponse
from onggi.retention.v1.kept_item_pb2 import KeptItem
from onggi.retention.v1.retention_service_pb2 import ExplainRetentionResponse

from chassis.kept import PAGE
from chassis.policy.load import load
from dev.environment import ROOT
from services.retention.explanation import Line, Position
from services.retention.explanation_pages import MOST_BYTES, fitting

LARGEST_PAGE = 1000
ONE_MESSAGE = 4 * 1024 * 1024
POLICY = load(ROOT / "policy")
ID = "5d0d8a1b-3c1f-4a53-9c3b-0b3f4e9e2c3d"


def line(number: int, text: str) -> Line:
    """A basis with every field filled, and every item of the policy."""
    item = KeptItem(
        holder="payment_vault", kind="electronic_transaction", record_id=ID, category="R-09b", korean=text, basis="CONTRACT",
        article=text, start_event=text, event_date="2026-05-10", last_day="2031-05-10", conflict=True, ended=True,
        items=POLICY.collection.items, policy_version="2026.1234567.ab", review_on="2026-11-10",
    )  # fmt: skip
    return Line(Position(thing=f"{number:06}"), item)


@pytest.mark.parametrize("letters", [10, 500, 1_000, 100_000])
def test_the_largest_page_fits_into_a_message(letters: int) -> None:
    """A thousand are asked for, with texts of any length: what comes is within half of what gRPC takes."""
    lines = [line(number, "가" * letters) for number in range(LARGEST_PAGE + 1)]
    shown = fitting(lines, LARGEST_PAGE)
    answer = ExplainRetentionResponse(kept=shown, next_page_token="t" * 512)
    assert answer.ByteSize() < MOST_BYTES + 1024 < ONE_MESSAGE
    assert shown
    assert shown == [item for _, item in lines[: len(shown)]]


def test_a_page_has_one_at_least() -> None:
    """Whatever its texts: a page of none would be the same page again and again."""
    assert len(fitting([line(number, "가" * MOST_BYTES) for number in range(2)], LARGEST_PAGE)) == 1


def test_a_page_of_a_holder_fits_into_a_message() -> None:
    """ListKept: a thousand bases, each with every item of the policy."""
    kept = Kept(
        kind="electronic_transaction", record_id=ID, category="R-09b", event_date="2026-05-10", ended_on="2026-05-10",
        items=POLICY.collection.items, policy_version="2026.1234567.ab", member_id=ID, hold_id=ID,
    )  # fmt: skip
    assert ListKeptResponse(kept=[kept] * PAGE, next_page_token="t" * 256).ByteSize() < ONE_MESSAGE


def test_places_are_in_the_order_of_the_days() -> None:
    """The first to end first, what nothing ends last; where it is kept decides last of all."""
    order = [Position(), Position("2026-01-01"), Position("2026-01-02"), Position("~"), Position("~", holder="archive")]
    assert all(before < after for before, after in pairwise(order))

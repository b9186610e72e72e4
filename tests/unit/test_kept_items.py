"""What the answer to a withdrawal says of records of several versions of the policy (R-05, GV-02)."""

from datetime import date
from uuid import uuid4

import pytest
from onggi.purge.v1.purge_service_pb2 import Kept

from services.identity.kept_items import MOST, KeptItems
from tests.unit.policy_periods import PERIODS, after

LEFT = date(2026, 11, 24)
ITEMS = KeptItems(after(PERIODS))


def inquiry(version: str, closed: str) -> Kept:
    """An inquiry that was collected under a version."""
    return Kept(kind="inquiry", record_id=str(uuid4()), category="R-05", policy_version=version, event_date=closed)


def test_each_record_ends_by_the_version_it_was_collected_under() -> None:
    """R-05: three years under version 1, four under version 2; the answer names the version beside the day."""
    told = ITEMS.beyond(LEFT, [inquiry("1", "2026-11-01"), inquiry("2", "2026-11-01")])
    assert {("1", "2029-11-01"), ("2", "2030-11-01")} == {(item.policy_version, item.last_day) for item in told}


@pytest.mark.parametrize(("version", "told"), [("1", 0), ("2", 1)])
def test_what_is_over_by_its_own_version_is_not_told(version: str, told: int) -> None:
    """R-05: closed three and a half years ago, it waits for its destruction under version 1 and lives under version 2."""
    assert len(ITEMS.beyond(LEFT, [inquiry(version, "2023-05-01")])) == told


def test_of_too_many_the_one_that_is_kept_longest_is_told() -> None:
    """R-05: not the latest event, where an earlier one was collected under a version that keeps longer."""
    many = [inquiry("1", "2026-11-01") for _ in range(MOST)] + [inquiry("2", "2026-10-01")]
    [one] = ITEMS.beyond(LEFT, many)
    assert ("2026-10-01", "2030-10-01") == (one.event_date, one.last_day)

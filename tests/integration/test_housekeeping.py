"""What a service does once a day: an end to old answers to repeated requests, however many there are."""

from typing import Any

import pytest
from sqlalchemy import event

from chassis.database import connect
from chassis.housekeeping import keep_house
from dev.stack import Stack
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.test_archive_movers import settings_of

pytestmark = pytest.mark.timeout(120)

ANSWERS = 25_000
MOST = 10_000
_OLD = """
INSERT INTO idempotency (caller, request_id, digest, answer, created_at)
SELECT 'test', gen_random_uuid(), 'x', '{}', now() - interval '8 days' FROM generate_series(1, $1::int)
"""


async def test_old_answers_end_however_many(stack: Stack, clients: Clients, log: Log) -> None:
    """AIP-155, R-01: all answers of a week ago go, today's stay, and no statement deletes more the more there are."""
    member_id = (await examples.new_member(clients)).member_id
    await log.fetch("identity", _OLD, ANSWERS)
    engine = connect(settings_of(stack).database)
    counts: list[int] = []

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def count(*told: Any) -> None:
        counts.append(told[1].rowcount)

    await keep_house(engine)

    await engine.dispose()
    assert max(counts) == MOST < ANSWERS
    assert not await log.fetch("identity", "SELECT 1 FROM idempotency WHERE caller = 'test'")
    assert await log.fetch("identity", "SELECT 1 FROM idempotency WHERE subject_id = $1::text::uuid", member_id)

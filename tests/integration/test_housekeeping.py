"""What a service does once a day: an end to old answers to repeated requests, and the coming partitions of the log."""

import asyncio
from typing import Any

import grpc
import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from chassis.database import connect
from chassis.housekeeping import forget_answers, make_months
from dev.postgres import SUPERUSER
from dev.stack import Stack
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log, session
from tests.integration.memberships import get
from tests.integration.test_archive_movers import settings_of

pytestmark = pytest.mark.timeout(120)

ANSWERS = 25_000
MOST = 10_000
_OLD = """
INSERT INTO idempotency (caller, request_id, digest, answer, created_at)
SELECT 'test', gen_random_uuid(), 'x', '{}', now() - interval '8 days' FROM generate_series(1, $1::int)
"""
_LAST_MONTH = """
SELECT c.oid::regclass::text FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'processing_log'::regclass AND c.relname <> 'processing_log_default' ORDER BY c.relname DESC LIMIT 1
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

    await forget_answers(engine)

    await engine.dispose()
    assert max(counts) == MOST < ANSWERS
    assert not await log.fetch("identity", "SELECT 1 FROM idempotency WHERE caller = 'test'")
    assert await log.fetch("identity", "SELECT 1 FROM idempotency WHERE subject_id = $1::text::uuid", member_id)


async def test_a_new_month_of_the_log_stops_nobody(stack: Stack, clients: Clients, log: Log) -> None:
    """LG-01: while a backup reads the log, its new month waits, and neither a read nor a change does; it comes afterwards."""
    member_id = (await examples.new_member(clients)).member_id
    [[month]] = await log.fetch("identity", _LAST_MONTH)
    await log.fetch("identity", f"DROP TABLE {month}")
    engine = connect(settings_of(stack).database)

    async with session(stack.postgres.login("identity", SUPERUSER)) as reader, reader.transaction():
        await reader.execute("SELECT count(*) FROM processing_log")
        keeping = asyncio.create_task(make_months(engine))
        await asyncio.sleep(0.1)
        answer = await asyncio.wait_for(get(clients, member_id), 2)
        await asyncio.wait_for(examples.new_member(clients), 2)
        with pytest.raises(DBAPIError, match="lock timeout"):
            await keeping
    await make_months(engine)

    await engine.dispose()
    assert answer.code is grpc.StatusCode.OK
    assert await log.fetch("identity", _LAST_MONTH) == [(month,)]

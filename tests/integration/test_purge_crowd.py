"""A member with very many records is destroyed like any other: no statement is given more the more there are (R-01)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.cutoffs import Cutoffs
from chassis.database import connect
from chassis.job import job_entry
from chassis.ledger import append_within
from chassis.policy.load import load
from dev.stack import Stack
from services.identity import keys
from services.identity.purge_members import WithdrawnMembers
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import today
from tests.integration.purges import change
from tests.integration.test_archive_movers import settings_of
from tests.integration.test_kept_pages import member_with

pytestmark = pytest.mark.timeout(120)

RECORDS = 2_500
MOST = 1_000
_FIELDS = """
SELECT field, count(*) AS number FROM record_field JOIN record USING (record_id)
WHERE member_id = $1 AND kind = 'payment' GROUP BY field
"""
_LEAVES = "UPDATE member SET state = 'WITHDRAWN', withdrawn_on = $2 WHERE member_id = $1"


@asynccontextmanager
async def measured(stack: Stack) -> AsyncIterator[tuple[AsyncConnection, list[int]]]:
    """A transaction of identity, and the length of each list that its statements are given."""
    engine = connect(settings_of(stack).database)
    lengths: list[int] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def measure(*told: Any) -> None:
        parameters = told[3]
        lengths.extend(len(value) for value in parameters if isinstance(value, list))

    async with engine.begin() as connection:
        yield connection, lengths
    await engine.dispose()


async def test_very_many_records_lose_what_the_membership_kept(stack: Stack, clients: Clients, log: Log) -> None:
    """R-01: with thousands of payments all payers' telephone numbers go, none of what the laws keep does."""
    destruction = WithdrawnMembers(load(settings_of(stack).policy_directory).retention)
    async with member_with(clients, log, RECORDS) as member_id:
        await change(log, _LEAVES, UUID(member_id), today())  # no call: the records are to stay where they are
        async with measured(stack) as (connection, lengths):
            await append_within(
                connection, [job_entry("spiffe://onggi/ns/onggi/sa/identity", "1", "test", "PURGE", [])]
            )
            gone = await destruction.destroy(connection, Cutoffs(today()), [keys.member_unit(member_id)])
        rows = await log.fetch("identity", _FIELDS, UUID(member_id))

    left = {row["field"]: row["number"] for row in rows}
    assert max(lengths) <= MOST < RECORDS
    assert "payer_phone" not in left
    assert left["amount"] == gone.rows["record_basis"] == gone.rows["record_field"]
    assert gone.rows["record_basis"] == RECORDS

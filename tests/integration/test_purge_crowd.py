"""A member with very many records is destroyed like any other: no statement takes longer the more there are (R-01)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
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

RECORDS = 40_000
_FIELDS = """
SELECT field, count(*) AS number FROM record_field JOIN record USING (record_id)
WHERE member_id = $1 AND kind = 'payment' GROUP BY field
"""
_LEAVES = "UPDATE member SET state = 'WITHDRAWN', withdrawn_on = $2 WHERE member_id = $1"


@asynccontextmanager
async def impatient(stack: Stack) -> AsyncIterator[AsyncConnection]:
    """A transaction of identity in which no statement may take longer than a second; a service's have five."""
    engine = connect(settings_of(stack).database.model_copy(update={"timeout_seconds": 1.0}))
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def test_very_many_records_lose_what_the_membership_kept(stack: Stack, clients: Clients, log: Log) -> None:
    """R-01: with forty thousand payments all payers' telephone numbers go, none of what the laws keep does."""
    destruction = WithdrawnMembers(load(settings_of(stack).policy_directory).retention)
    async with member_with(clients, log, RECORDS) as member_id:
        await change(log, _LEAVES, UUID(member_id), today())  # no call: the records are to stay where they are
        async with impatient(stack) as connection:
            await append_within(
                connection, [job_entry("spiffe://onggi/ns/onggi/sa/identity", "1", "test", "PURGE", [])]
            )
            gone = await destruction.destroy(connection, Cutoffs(today()), [keys.member_unit(member_id)])
        rows = await log.fetch("identity", _FIELDS, UUID(member_id))

    left = {row["field"]: row["number"] for row in rows}
    assert "payer_phone" not in left
    assert left["amount"] == gone.rows["record_basis"] == gone.rows["record_field"]
    assert gone.rows["record_basis"] == RECORDS

"""Records that cannot move: each stays alone, its neighbours move, and no row of the log says what was not done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dev.stack import Stack
from tests.integration import examples
from tests.integration.archives import fields, leave, places
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import append, before, payment
from tests.integration.purges import change
from tests.integration.test_archive_movers import another_mover

pytestmark = pytest.mark.timeout(120)

_ROWS = "SELECT count(*) AS number FROM processing_log WHERE resource_ids @> ARRAY[$1::text]"
_DESTROYED = "INSERT INTO erasure_key (unit, destroyed_at) VALUES ('record:' || $1 || ':amount', now())"
_LOSE = "UPDATE erasure_key SET wrapped_salt = NULL, destroyed_at = now() WHERE unit = 'record:' || $1 || ':amount'"
_REFUSING = """
CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation';
END $$
"""
_REFUSE = """
CREATE TRIGGER refuse_one BEFORE INSERT ON record FOR EACH ROW WHEN (NEW.record_id = '{}') EXECUTE FUNCTION refuse_one()
"""


async def payments(clients: Clients, count: int) -> tuple[str, list[str]]:
    """A member and its payments' ids."""
    member_id = (await examples.new_member(clients)).member_id
    return member_id, list(await append(clients, *(payment(member_id, before(1)) for _ in range(count))))


@asynccontextmanager
async def refused_by_the_archive(log: Log, record_id: str) -> AsyncIterator[None]:
    """Have the archive's database refuse one record for what it is, as a constraint does."""
    await log.fetch("archive", _REFUSING)
    await log.fetch("archive", _REFUSE.format(record_id))
    try:
        yield
    finally:
        await log.fetch("archive", "DROP FUNCTION refuse_one CASCADE")


async def assert_alone(stack: Stack, log: Log, record_id: str) -> None:
    """It is in identity alone, further looks do no more about it, it was told once, and no row says that it was moved."""
    async with another_mover(stack) as mover:
        for _ in range(3):
            await mover.look()
    assert await places(log, [record_id]) == ({record_id}, set())
    for database in ("identity", "archive"):
        [row] = await log.fetch(database, _ROWS, record_id)
        assert row["number"] == 0, database
    told = [line for line in (stack.log_dir / "identity.log").read_text().splitlines() if record_id in line]
    assert len(told) == 1


async def test_what_has_ended_in_the_archive_stays_alone(stack: Stack, clients: Clients, log: Log) -> None:
    """LG-01: after a restored backup a record comes that the archive has destroyed already: not moved, not said to be."""
    member_id, (ended, *whole) = await payments(clients, 3)
    await change(log, _DESTROYED, ended, database="archive")

    await leave(clients, log, member_id, whole)

    await assert_alone(stack, log, ended)


async def test_what_the_archive_refuses_stays_alone(stack: Stack, clients: Clients, log: Log) -> None:
    """R-09b: one record that the archive's database refuses does not keep a batch, and all after it, from moving."""
    member_id, (refused, *whole) = await payments(clients, 7)

    async with refused_by_the_archive(log, refused):
        await leave(clients, log, member_id, whole)
        await assert_alone(stack, log, refused)


async def test_what_has_lost_a_salt_stays_alone(stack: Stack, clients: Clients, log: Log) -> None:
    """R-10: a field that cannot be opened any more is not left behind in silence: the record stays, whole, for a person."""
    member_id, (torn, *whole) = await payments(clients, 3)
    await change(log, _LOSE, torn)

    await leave(clients, log, member_id, whole)

    await assert_alone(stack, log, torn)
    assert "amount" in await fields(log, "identity", torn)

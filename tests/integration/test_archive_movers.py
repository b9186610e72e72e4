"""Several movers at once, a record that does not open, an archive that is away: nothing is moved twice, nothing is stuck."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import pytest

from chassis.database import connect
from chassis.job import own_spiffe_id
from chassis.policy.load import load
from chassis.transit import Transit
from dev.stack import Stack
from services.identity import keys
from services.identity.archive.depositor import Depositor
from services.identity.archive.mover import Actor, Mover
from services.identity.archive.reseal import Resealer
from services.identity.archive.standings import Standings
from services.identity.settings import Settings
from tests.integration import examples, process_settings
from tests.integration.archives import fields, leave, moved, places
from tests.integration.clients import Clients
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, before, payment, withdraw

pytestmark = pytest.mark.timeout(120)


def settings_of(stack: Stack) -> Settings:
    """The settings that the stack's identity reads."""
    return process_settings.read(Settings, stack, "identity")


@asynccontextmanager
async def another_mover(stack: Stack) -> AsyncIterator[Mover]:
    """A mover as a further replica of identity has it, driven by the test."""
    settings = settings_of(stack)
    async with AsyncExitStack() as parts:
        transit = Transit(settings.vault, settings.tls, keys.VAULT_ROLE)
        await transit.start()
        parts.push_async_callback(transit.close)
        here, there = connect(settings.database), connect(settings.archive)
        parts.push_async_callback(here.dispose)
        parts.push_async_callback(there.dispose)
        actor = Actor(own_spiffe_id(settings.tls.certificate_file), lambda: "1")
        yield Mover(here, Depositor(there), Resealer(transit), Standings(load(settings.policy_directory)), actor)


async def test_many_movers_move_each_record_once(stack: Stack, clients: Clients, log: Log) -> None:
    """R-09b: four replicas look at the same records at the same time; each record is moved by one of them, with one row."""
    members = [(await examples.new_member(clients)).member_id for _ in range(3)]
    record_ids: list[str] = []
    for member_id in members:
        record_ids += await append(clients, *(payment(member_id, before(1)) for _ in range(60)))
    async with AsyncExitStack() as replicas:
        movers = [await replicas.enter_async_context(another_mover(stack)) for _ in range(3)]
        for member_id in members:
            await withdraw(clients, member_id)
        await asyncio.gather(*(mover.look() for mover in movers for _ in range(2)))
        await moved(log, record_ids)
    for database in ("identity", "archive"):
        statement = (
            "SELECT id, count(*) AS number FROM processing_log CROSS JOIN unnest(resource_ids) AS id "
            "WHERE action = 'ARCHIVE' AND id = ANY($1) GROUP BY id"
        )
        rows = await log.fetch(database, statement, record_ids)
        assert {row["id"]: row["number"] for row in rows} == dict.fromkeys(record_ids, 1)


async def test_a_record_that_does_not_open_stays_alone(stack: Stack, clients: Clients, log: Log) -> None:
    """R-09b: a damaged ciphertext keeps its record in identity, whole, for an operator; the others move."""
    member_id = (await examples.new_member(clients)).member_id
    broken, *whole = await append(clients, *(payment(member_id, before(1)) for _ in range(3)))
    async with session(stack.postgres.login("identity", "postgres")) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "UPDATE record_field SET sealed = (SELECT sealed FROM record_field WHERE record_id = $2 AND field = 'amount') "
            "WHERE record_id = $1 AND field = 'amount'", UUID(broken), UUID(whole[0]),
        )  # fmt: skip

    await leave(clients, log, member_id, whole)

    assert await places(log, [broken]) == ({broken}, set())
    assert len(await fields(log, "identity", broken)) == 6
    told = [line for line in (stack.log_dir / "identity.log").read_text().splitlines() if broken in line]
    assert len(told) == 1
    assert "does not open" in told[0]


async def test_a_move_waits_while_the_archive_is_away(stack: Stack, clients: Clients, log: Log) -> None:
    """R-09b: without the archive's database a withdrawal is answered all the same, nothing is lost, the move follows."""
    member_id = (await examples.new_member(clients)).member_id
    record_ids = await append(clients, payment(member_id, before(1)))
    superuser = stack.postgres.login("archive", "postgres")
    async with session(superuser) as connection:
        await connection.execute("ALTER ROLE archive_depositor CONNECTION LIMIT 0")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'archive_depositor'"
        )
        try:
            assert (await withdraw(clients, member_id)).message.withdrawn_on
            await asyncio.sleep(0.5)
            assert await places(log, record_ids) == (set(record_ids), set())
        finally:
            await connection.execute("ALTER ROLE archive_depositor CONNECTION LIMIT -1")
    await moved(log, record_ids)

"""Killed at every step of a move into the archive: no record is lost, none is in two places in the end, all can be read.

Three steps are held open by a lock of the test, so that the kill falls into each of them for certain; the others fall
where they fall. A record under a legal hold goes the same way, and is as much held when it has come there.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import grpc
import pytest
from onggi.identity.v1.record_service_pb2 import Record

from chassis.kst import KST
from dev.postgres import SUPERUSER
from dev.stack import Stack
from tests.e2e.faults import Figures, query
from tests.integration import examples
from tests.integration.archives import get, list_all, moved, places
from tests.integration.clients import Clients
from tests.integration.holding import Hold
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, before, payment, withdraw
from tests.integration.purges import Plan, change

pytestmark = pytest.mark.timeout(300)

_MEMBERS, _RECORDS = 20, 10
_PLACES = ("identity", "archive")
_LONG_AGO = date(1961, 6, 1)
_ALL_BASES = ("R-09b", "R-10", "R-11", "R-01")
"""Of a payment, past whose last day the archive keeps nothing; the last is there by the hold alone."""
_PURPOSES = ("consumer_protection", "tax", "electronic_finance")
_SALTS = """
SELECT count(*) AS number FROM erasure_key
WHERE substr(unit, 8, 36) = ANY($1::text[]) AND unit LIKE 'record:%' AND wrapped_salt IS NOT NULL
"""
_SALTLESS = """
SELECT count(*) AS number FROM record_field AS f WHERE NOT EXISTS (
    SELECT FROM erasure_key AS k WHERE k.unit = 'record:' || f.record_id || ':' || f.field AND k.wrapped_salt IS NOT NULL)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Identity and the archive, to be broken."""
    running = Stack(tmp_path_factory.mktemp("move"), services=("archive", "identity"))
    running.start()
    try:
        yield running
    finally:
        running.erase()


@asynccontextmanager
async def locked(stack: Stack, database: str, statement: str, *values: object) -> AsyncIterator[Any]:
    """Hold what a statement of the superuser locks, until the block ends; nothing of it stays."""
    async with session(stack.postgres.login(database, SUPERUSER)) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(statement, *values)
        try:
            yield connection
        finally:
            await transaction.rollback()


def _kill(stack: Stack) -> None:
    stack.services["identity"].kill()


def _restart(stack: Stack) -> None:
    stack.services["identity"].start()


async def _member(clients: Clients) -> tuple[str, dict[str, Record]]:
    """Register a member with payments: its id, and what each record is."""
    member_id = (await examples.new_member(clients)).member_id
    given = [payment(member_id, before(number % 5 + 1)) for number in range(_RECORDS)]
    return member_id, dict(zip(await append(clients, *given), given, strict=True))


async def _withdraw(clients: Clients, member_id: str, request_id: str) -> None:
    """Withdraw until it is acknowledged, under one request id."""
    while (await withdraw(clients, member_id, request_id)).code is not grpc.StatusCode.OK:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def _until(condition: Any, seconds: float = 20.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


async def _waits(log: Log, database: str, user: str) -> bool:
    """Whether a statement of this role waits for a lock."""
    statement = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND usename = $2 AND wait_event_type = 'Lock'"
    return bool(await log.fetch(database, statement, database, user))


async def _check(stack: Stack, clients: Clients, log: Log, known: dict[str, dict[str, Record]]) -> dict[str, int]:
    """Hold what the archive has against what was given: every record once, every value right, nothing left behind."""
    record_ids = [record_id for records in known.values() for record_id in records]
    await moved(log, record_ids, seconds=60.0)
    wrong = values = 0
    for member_id, given in known.items():
        seen: dict[str, dict[str, str]] = {record_id: {} for record_id in given}
        for purpose in _PURPOSES:
            found = await list_all(clients, member_id, purpose)
            assert sorted(item.record_id for item in found) == sorted(given)
            for item in found:
                seen[item.record_id] |= {field.name: value for field, value in item.payment.ListFields()}
        for record_id, record in given.items():
            expected = {
                field.name: value for field, value in record.payment.ListFields() if field.name != "payer_phone"
            }
            values += len(expected)
            wrong += sum(_bare(seen[record_id].get(name, "")) != _bare(value) for name, value in expected.items())
            assert seen[record_id].keys() == expected.keys()
    [here] = await query(stack, "identity", _SALTS, record_ids)
    [there] = await query(stack, "archive", _SALTLESS)
    return {
        "records": len(record_ids), "values": values, "wrong": wrong, "salts left": here["number"],
        "saltless": there["number"],
    }  # fmt: skip


def _bare(value: str) -> str:
    return value.replace("-", "")


async def _kill_when(stack: Stack, log: Log, database: str, user: str) -> None:
    await _until(lambda: _waits(log, database, user))
    await asyncio.to_thread(_kill, stack)


async def _before_the_deposit(stack: Stack, log: Log, record_ids: Sequence[str]) -> AsyncIterator[None]:
    """Identity has locked and waits for the archive to take the records."""
    statement = (
        "INSERT INTO record (record_id, member_id, kind, occurred_on, policy_version) "
        "VALUES ($1, $1, 'payment', '2026-01-01', '1')"
    )
    async with locked(stack, "archive", statement, UUID(record_ids[0])):
        yield
        await _kill_when(stack, log, "archive", "archive_depositor")
        assert await places(log, record_ids) == (set(record_ids), set())


async def _between_the_commits(stack: Stack, log: Log, record_ids: Sequence[str]) -> AsyncIterator[None]:
    """The archive has the records, identity is about to destroy its own."""
    statement = "SELECT 1 FROM erasure_key WHERE unit = $1 FOR UPDATE"
    async with locked(stack, "identity", statement, f"record:{record_ids[0]}:amount"):
        yield
        await _kill_when(stack, log, "identity", "identity")
        assert await places(log, record_ids) == (set(record_ids), set(record_ids))


async def _after_the_salts(stack: Stack, log: Log, record_ids: Sequence[str]) -> AsyncIterator[None]:
    """Identity has destroyed the salts and not yet the rows, within the one transaction."""
    statement = "SELECT 1 FROM record_field WHERE record_id = $1 AND field = 'amount' FOR UPDATE"
    async with locked(stack, "identity", statement, UUID(record_ids[0])):
        yield
        await _kill_when(stack, log, "identity", "identity")
        assert await places(log, record_ids) == (set(record_ids), set(record_ids))


STEPS = {
    "before the deposit": _before_the_deposit,
    "between the commits": _between_the_commits,
    "after the salts": _after_the_salts,
}

_DEPOSITS = {"before the deposit": 1, "between the commits": 2, "after the salts": 2}


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_a_step_the_move_is_done_again(stack: Stack, figures: Figures, step: str) -> None:
    """R-09b, C5: at each step between two databases, kill -9 and a restart end with each record in the archive once."""
    clients, log = Clients(stack), Log(stack)
    try:
        member_id, records = await _member(clients)
        async with asynccontextmanager(STEPS[step])(stack, log, list(records)):
            await _withdraw(clients, member_id, examples.new_id())
        await asyncio.to_thread(_restart, stack)
        counts = await _check(stack, clients, log, {member_id: records})
        rows = await log.fetch(
            "archive", "SELECT 1 FROM processing_log WHERE $1 = ANY(resource_ids)", next(iter(records))
        )
    finally:
        await clients.close()
        await log.close()
    figures(f"kill -9 identity {step}: {counts}")

    assert (counts["wrong"], counts["salts left"], counts["saltless"]) == (0, 0, 0)
    assert len(rows) == _DEPOSITS[step], "a deposit without its row, or a row without one"


async def _held(log: Log, record_id: str) -> list[int]:
    """How many holds stand on a record, at each place."""
    statement = "SELECT 1 FROM legal_hold WHERE record_id = $1 AND NOT released"
    return [len(await log.fetch(place, statement, UUID(record_id))) for place in _PLACES]


async def _purge(clients: Clients, category: str) -> int:
    """Have the archive destroy what ended long ago; how many units a hold has kept from that."""
    plan = Plan(clients, category, _LONG_AGO, "archive")
    await plan.prepare()
    while (answer := await plan.execute()).remaining:
        pass
    assert [check.name for check in (await plan.verify()).checks if not check.passed] == []
    kept: int = answer.held
    return kept


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_a_step_a_held_record_stays_held(stack: Stack, figures: Figures, step: str) -> None:
    """LC-13, R-09b, C5: kill -9 at each step; it is in the archive once and whole, no purge takes it before its release."""
    clients, log = Clients(stack), Log(stack)
    try:
        member_id, records = await _member(clients)
        record_id, given = next(iter(records.items()))
        hold = Hold.of(clients, record_id=record_id)
        await hold.set(*_PLACES)
        async with asynccontextmanager(STEPS[step])(stack, log, list(records)):
            await _withdraw(clients, member_id, examples.new_id())
        assert await _held(log, record_id) == [1, 1]
        await asyncio.to_thread(_restart, stack)
        counts = await _check(stack, clients, log, {member_id: records})
        assert (counts["wrong"], counts["salts left"], counts["saltless"]) == (0, 0, 0)
        assert await _held(log, record_id) == [1, 1]
        opened = (await get(clients, record_id, "legal_hold")).message.record
        wanted = {field.name: _bare(value) for field, value in given.payment.ListFields()}
        phone = wanted["payer_phone"]  # which the purpose does not show in full
        wanted["payer_phone"] = f"{phone[:3]}****{phone[-4:]}"
        assert {field.name: _bare(value) for field, value in opened.payment.ListFields()} == wanted

        over = "UPDATE record_basis SET event_date = $2 WHERE record_id = $1"
        await change(log, over, UUID(record_id), _LONG_AGO, database="archive")
        kept = {category: await _purge(clients, category) for category in _ALL_BASES}
        assert kept == dict.fromkeys(_ALL_BASES, 1)
        assert (await get(clients, record_id, "legal_hold")).message.record.payment == opened.payment
        await hold.release(*_PLACES)
        assert {await _purge(clients, category) for category in _ALL_BASES} == {0}
        assert await places(log, [record_id]) == (set(), set())
        salts = "SELECT 1 FROM erasure_key WHERE unit LIKE $1 AND wrapped_salt IS NOT NULL"
        assert [await log.fetch(place, salts, f"record:{record_id}:%") for place in _PLACES] == [[], []]
    finally:
        await clients.close()
        await log.close()
    figures(f"kill -9 identity {step}, under a hold: {counts}, kept from {len(kept)} purges")


@pytest.mark.long
async def test_killed_at_random_no_record_is_lost_or_doubled(stack: Stack, figures: Figures) -> None:
    """R-09b, C1: 200 records of 20 members move amid 20 kills of identity; each is in the archive, once, and opens."""
    clients, log, seed = Clients(stack), Log(stack), int(datetime.now(KST).timestamp())
    draw, found_at = random.Random(seed), Counter[str]()
    try:
        known = dict([await _member(clients) for _ in range(_MEMBERS)])
        for member_id, records in known.items():
            await _withdraw(clients, member_id, examples.new_id())
            await asyncio.sleep(draw.uniform(0.0, 0.2))
            await asyncio.to_thread(_kill, stack)
            here, there = await places(log, list(records))
            assert here | there == set(records), "a record is in neither"
            found_at["in both" if here & there else "here" if here else "there"] += 1
            await asyncio.to_thread(_restart, stack)
        counts = await _check(stack, clients, log, known)
    finally:
        await clients.close()
        await log.close()
    figures(f"kill -9 identity x{_MEMBERS} amid moves (seed {seed}): found {dict(found_at)}, then {counts}")

    assert counts["records"] == _MEMBERS * _RECORDS
    assert (counts["wrong"], counts["salts left"], counts["saltless"]) == (0, 0, 0)

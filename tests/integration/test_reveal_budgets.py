"""Budgets of distinct members: exact, however many callers race, and nothing is revealed beyond them (PV-08)."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from dev.postgres import SUPERUSER
from dev.stack import Stack
from services.payment_vault.approvals import FORGET as FORGET_REQUESTS
from services.payment_vault.reveals import FORGET as FORGET_SUBJECTS
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log, session
from tests.integration.reveal_calls import (
    BILLING,
    BUDGET,
    leave_room,
    members_with_tokens,
    reveal,
    reveal_all,
    used,
)

EXHAUSTED = ("RESOURCE_EXHAUSTED", "BUDGET_EXHAUSTED")
_RATION = """
SELECT * FROM ration_reveals($1::uuid[], $2::text[], $3::int[], $4::int[], NULL, NULL, '', 'billing', $5::int[], $6::text[],
                             $7::uuid[])
"""


@pytest.fixture(autouse=True)
async def _room(log: Log) -> AsyncIterator[None]:
    """Leave the whole budget to the tests that come after."""
    yield
    await leave_room(log, hour=BUDGET.hour)


async def test_sixteen_parallel_callers_do_not_overshoot(stack: Stack, clients: Clients, log: Log) -> None:
    """PV-08: with room for 25 of 40 members, sixteen connections that each ask for all see 25, by the very number.

    What is refused is told when to come again, and stands in the log with the member and without an item.
    """
    held = await members_with_tokens(clients, 40)
    await leave_room(log, hour=25)
    callers = [Clients(stack) for _ in range(16)]

    async def all_of(caller: Clients) -> list[tuple[str, Any]]:
        mine = random.Random(examples.RANDOM.random()).sample(held, len(held))
        return list(
            zip((one[0] for one in mine), await asyncio.gather(*(reveal(caller, one) for one in mine)), strict=True)
        )

    answers = [answer for found in await asyncio.gather(*map(all_of, callers)) for answer in found]
    await asyncio.gather(*(caller.close() for caller in callers))
    seen = {member_id for member_id, outcome in answers if outcome.code.name == "OK"}
    assert len(seen) == 25
    assert await used(log) == (BUDGET.hour, 25)
    for member_id, outcome in answers:
        told = (outcome.code.name, outcome.reason)
        assert told == (("OK", "") if member_id in seen else EXHAUSTED)
        assert outcome.code.name == "OK" or 1 <= outcome.retry_after <= 3600
    refused = next(outcome for member_id, outcome in answers if member_id not in seen)
    row = await log.one_row_of(refused)
    assert (row["status"], row["error_reason"], row["items"]) == (*EXHAUSTED, [])
    again = await reveal(clients, next(one for one in held if one[0] in seen))
    assert again.code.name == "OK", "who counts already costs nothing"


async def test_sixteen_replicas_do_not_overshoot(stack: Stack, clients: Clients, log: Log) -> None:
    """PV-08: sixteen connections to the database, each a replica with flushes of several calls, share one budget exactly."""
    held = await members_with_tokens(clients, 60)
    login = stack.postgres.login("payment_vault", SUPERUSER)
    caller = f"{BILLING}-{uuid4()}"

    async def replica(number: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        mine = random.Random(number).sample(held, len(held))
        async with session(login) as connection:
            for start in range(0, len(mine), 6):
                flush = mine[start : start + 6]
                rows = await connection.fetch(
                    _RATION, [uuid4() for _ in flush], [caller] * len(flush), [37] * len(flush), [50] * len(flush),
                    list(range(1, len(flush) + 1)), [one[1] for one in flush], [UUID(one[0]) for one in flush],
                )  # fmt: skip
                seen.update(flush[row["item"] - 1][0] for row in rows if row["known"])
        return seen

    seen = set().union(*await asyncio.gather(*(replica(number) for number in range(16))))
    [row] = await log.fetch("payment_vault", "SELECT hour_used, day_used FROM reveal_budget WHERE caller = $1", caller)
    assert (len(seen), row["hour_used"], row["day_used"]) == (37, 37, 37)


async def test_a_batch_fits_whole_or_not_at_all(clients: Clients, log: Log) -> None:
    """PV-08: thirty members into room for 25 reveal nobody and count nobody; 25 of them fit."""
    held = await members_with_tokens(clients, 30)
    await leave_room(log, hour=25)
    refused = await reveal_all(clients, held)
    assert (refused.code.name, refused.reason) == EXHAUSTED
    row = await log.one_row_of(refused)
    assert (row["status"], row["subject_count"], row["items"]) == ("RESOURCE_EXHAUSTED", 30, [])
    assert await used(log) == (BUDGET.hour - 25, 0)
    answer = (await reveal_all(clients, held[:25])).message
    assert all(result.instrument.card.number for result in answer.results)
    assert await used(log) == (BUDGET.hour, 25)


async def test_the_day_ends_later_than_the_hour(clients: Clients, log: Log) -> None:
    """PV-08: without room in the day the next hour is of no use, and the answer says so; a new day has room."""
    [held, other] = await members_with_tokens(clients, 2)
    await leave_room(log, hour=5, day=1)
    assert (await reveal(clients, held)).code.name == "OK"
    refused = await reveal(clients, other)
    assert (refused.code.name, refused.reason) == EXHAUSTED
    [row] = await log.fetch("payment_vault", """
        SELECT extract(epoch FROM date_trunc('day', now(), 'Asia/Seoul') + interval '1 day' - now()) AS left
    """)  # fmt: skip
    assert abs((refused.retry_after or 0) - float(row["left"])) < 5
    for column in ("day", "hour"):
        await log.fetch("payment_vault", f"UPDATE reveal_budget SET {column} = {column} - interval '1 day'")
        await log.fetch("payment_vault", f"UPDATE reveal_subject SET {column} = {column} - interval '1 day'")
    assert (await reveal(clients, other)).code.name == "OK"
    assert await used(log) == (1, 1)


async def test_what_is_not_there_costs_nothing(clients: Clients, log: Log) -> None:
    """PV-08: a budget counts members that were revealed; another's token and an unknown one use nothing up."""
    [held, other] = await members_with_tokens(clients, 2)
    await leave_room(log, hour=1)
    for one in ((held[0], other[1]), (other[0], held[1])):
        assert (await reveal(clients, one)).reason == "TOKEN_NOT_FOUND"
    assert await used(log) == (BUDGET.hour - 1, 0)


async def test_whom_a_caller_has_revealed_is_forgotten_with_the_day(stack: Stack, clients: Clients, log: Log) -> None:
    """LG-10: what housekeeping runs, under the service's own login, leaves today's members and no other; so for requests."""
    held = await members_with_tokens(clients, 2)
    await leave_room(log, hour=BUDGET.hour)
    for one in held:
        assert (await reveal(clients, one)).code.name == "OK"
    await log.fetch(
        "payment_vault", "UPDATE reveal_subject SET day = day - interval '1 day' WHERE subject = $1", UUID(held[0][0])
    )
    async with session(stack.postgres.login("payment_vault", "payment_vault")) as connection:
        await connection.execute(str(FORGET_SUBJECTS))
        await connection.execute(str(FORGET_REQUESTS))
    left = await log.fetch("payment_vault", "SELECT subject FROM reveal_subject WHERE caller = $1", BILLING)
    assert [str(row["subject"]) for row in left] == [held[1][0]]

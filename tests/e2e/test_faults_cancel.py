"""Callers that go away in the middle: the server goes on, the log knows of them, and they may come back."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import grpc
import pytest

from dev.stack import Stack
from tests.e2e.faults import Figures, Registration, freeze, query, thaw, until
from tests.e2e.known import Known

pytestmark = pytest.mark.timeout(120)

_CALLS = 200
_ONLY_CANCELLED = """
SELECT request_id FROM processing_log WHERE request_id = ANY($1) GROUP BY request_id
HAVING bool_and(status = 'CANCELLED')
"""


async def test_cancelled_calls_are_recorded_and_may_be_repeated(breakable: Stack, figures: Figures) -> None:
    """200 calls cancelled while OpenBao hangs: a row for each, no connection lost, and a retry gives the token (A5)."""
    async with Known(breakable) as known:
        wanted = known.fresh(_CALLS)
        freeze(breakable.openbao.process)
        try:
            gone = await _cancelled(known, wanted, lambda: 0.5)
        finally:
            thaw(breakable.openbao.process)
        await until(lambda: _all_recorded(breakable, wanted), 10.0)
        rows = await _rows(breakable, wanted)
        again = Counter([await _codes(known, wanted), await _codes(known, known.fresh(_CALLS))])
        figures(
            f"cancelled {gone} of {_CALLS}, rows {Counter(map(len, rows.values()))}, asked again and others {again}"
        )

        assert gone == _CALLS
        assert again == {f"OK x {_CALLS}": 2}


async def test_a_call_cancelled_at_any_moment_has_a_row_or_no_effect(breakable: Stack, figures: Figures) -> None:
    """400 calls cancelled at random moments: no token without a row that names the call; all succeed when repeated."""
    async with Known(breakable) as known:
        wanted = known.fresh(2 * _CALLS)
        gone = await _cancelled(known, wanted, lambda: random.uniform(0, 0.4))
        await asyncio.sleep(2.0)
        rows = await _rows(breakable, wanted)
        done = await _done(breakable, wanted)
        silent, denied = done - set(rows), await _denied(breakable, wanted)
        again = await _codes(known, wanted)
        figures(f"cancelled at random: {gone} of {len(wanted)} gone, {len(done)} done, {len(silent)} of them "
              f"without a row, {len(denied)} with a row that says CANCELLED alone")  # fmt: skip

        assert gone > 0
        assert silent == set()
        assert again == f"OK x {len(wanted)}"


async def test_a_call_cancelled_in_the_commit_has_one_row_per_record_id(breakable: Stack) -> None:
    """Cancelled while the statement that carries its row waits: that row stands, and a second entry tells the outcome."""
    async with Known(breakable) as known:
        wanted = known.fresh(20)
        async with _log_held(breakable):
            await _cancelled(known, wanted, lambda: 0.5)
            await asyncio.sleep(0.3)
        await asyncio.sleep(1.0)

        assert _twice(await _rows(breakable, wanted)) == []


async def test_a_call_cancelled_before_the_commit_has_one_row_per_record_id(breakable: Stack, figures: Figures) -> None:
    """Cancelled while its flush waits for OpenBao: one row per record id, and one that says OK where a token was made."""
    async with Known(breakable) as known:
        wanted = known.fresh(20)
        freeze(breakable.openbao.process)
        try:
            gone = asyncio.create_task(_cancelled(known, wanted, lambda: 0.3))  # well within the second that Vault has
            await asyncio.sleep(0.1)
            async with _log_held(breakable):  # the cancellation's row is on its way when the flush goes on
                await gone
                await asyncio.sleep(0.1)
                thaw(breakable.openbao.process)
                await asyncio.sleep(0.7)
        finally:
            thaw(breakable.openbao.process)
        await asyncio.sleep(1.0)
        twice, denied = _twice(await _rows(breakable, wanted)), await _denied(breakable, wanted)
        figures(f"cancelled before the commit: {len(twice)} of {len(wanted)} entries written twice under one record id")

        assert twice == []
        assert denied == []


async def _done(stack: Stack, wanted: Sequence[Registration]) -> set[str]:
    """The request ids that made a token."""
    statement = "SELECT request_id::text AS id FROM idempotency WHERE request_id = ANY($1::text[]::uuid[])"
    found = await query(stack, "payment_vault", statement, [one.request_id for one in wanted])
    return {row["id"] for row in found}


async def _denied(stack: Stack, wanted: Sequence[Registration]) -> list[str]:
    """The request ids that made a token, and of which the log says nothing but CANCELLED."""
    found = await query(stack, "payment_vault", _ONLY_CANCELLED, list(await _done(stack, wanted)))
    return [row["request_id"] for row in found]


def _twice(rows: dict[str, list[str]]) -> list[str]:
    """Record ids that stand for more than one row."""
    return [one for ids in rows.values() for one, count in Counter(ids).items() if count > 1]


async def _cancelled(known: Known, wanted: Sequence[Registration], after: Callable[[], float]) -> int:
    """Call for all of them and cancel each after some seconds; return how many had no answer by then."""

    async def one(call: Any) -> bool:
        await asyncio.sleep(after())
        call.cancel()
        try:
            await call
        except (asyncio.CancelledError, grpc.aio.AioRpcError):
            return True
        return False

    calls = [known.billing.tokens.Tokenize(one.request(), timeout=10.0) for one in wanted]
    return sum(await asyncio.gather(*map(one, calls)))


async def _rows(stack: Stack, wanted: Sequence[Registration]) -> dict[str, list[str]]:
    """Request id -> record ids of its rows."""
    found: dict[str, list[str]] = {}
    statement = "SELECT request_id, record_id::text AS id FROM processing_log WHERE request_id = ANY($1)"
    for row in await query(stack, "payment_vault", statement, [one.request_id for one in wanted]):
        found.setdefault(row["request_id"], []).append(row["id"])
    return found


async def _all_recorded(stack: Stack, wanted: Sequence[Registration]) -> bool:
    return len(await _rows(stack, wanted)) == len(wanted)


async def _codes(known: Known, wanted: Sequence[Registration]) -> str:
    answers = await asyncio.gather(
        *(known.billing.ask(known.billing.tokens.Tokenize, one.request(), 20.0) for one in wanted)
    )
    return ", ".join(f"{code} x {count}" for code, count in Counter(answer.code for answer in answers).items())


@asynccontextmanager
async def _log_held(stack: Stack) -> AsyncIterator[None]:
    """Let nobody write the log for a while, so that statements wait in the database with their rows in hand."""
    login = stack.postgres.login("payment_vault", "postgres")
    connection = await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE processing_log IN EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()

"""A caller that goes away in the middle, by cancelling or at its deadline: what was done and what was not is recorded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.accesses import Trace, check_five_items, existing, new_trace
from tests.integration.bad_input import world_of
from tests.integration.clients import Clients, servers_of
from tests.integration.log_rows import Log, session

pytestmark = pytest.mark.timeout(120)

# What a held lock makes wait, so that the caller goes away in the middle: RPC -> the table that its flush needs.
HELD = {
    "onggi.identity.v1.MemberService/GetMember": "member",
    "onggi.identity.v1.MemberService/WithdrawMember": "member",
    "onggi.identity.v1.RecordService/AppendRecords": "member",
    "onggi.payment_vault.v1.TokenizationService/Tokenize": "token",
    "onggi.payment_vault.v1.DetokenizationService/Detokenize": "token",
}


# Reads of one call alone, which the caller takes along when it goes.
HELD_ALONE = {
    "onggi.identity.v1.ContactService/ListContacts": "contact",
    "onggi.identity.v1.RecordService/ListRecords": "login_record",
    "onggi.payment_vault.v1.TokenizationService/ListTokens": "token",
}


DEADLINE_SECONDS = 1.5
_WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass"


@asynccontextmanager
async def held(stack: Stack, service: str, table: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Hold a table locked, so that a call waits in the middle; give what tells whether one waits by now."""
    async with session(stack.postgres.login(service, "postgres")) as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

        async def waited_for() -> bool:
            return bool(await connection.fetch(_WAITS, table))

        yield waited_for


async def gone_away(stack: Stack, clients: Clients, rpc: str, request: Any, table: str, *, cancel: bool) -> Trace:
    """Make a call whose caller goes away while a lock holds it up: by cancelling it, or at its deadline."""
    trace, started = new_trace(), asyncio.Event()
    calls: list[Any] = []

    def began(call: Any) -> None:
        calls.append(call)
        started.set()

    async with held(stack, servers_of(rpc)[0], table) as waited_for:
        task = asyncio.create_task(
            clients.call(
                allowed_caller(rpc), rpc, request, metadata=trace.metadata, timeout=20.0 if cancel else DEADLINE_SECONDS,
                on_start=began,
            )
        )  # fmt: skip
        await started.wait()
        while not task.done() and not await waited_for():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if cancel:
            calls[0].cancel()
        outcome = await task
        assert outcome.code is (grpc.StatusCode.CANCELLED if cancel else grpc.StatusCode.DEADLINE_EXCEEDED)
        await asyncio.sleep(0.2)
    return trace


async def settled_rows(log: Log, rpc: str, trace: Trace) -> list[Any]:
    """The rows of a call when no more come."""
    service = servers_of(rpc)[0]
    rows = await log.wait_for_rows(service, trace.trace_id)
    await asyncio.sleep(0.5)
    return await log.rows_of_trace(service, trace.trace_id) if rows else []


@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "deadline"])
@pytest.mark.parametrize("rpc", [*HELD, *HELD_ALONE])
async def test_a_caller_that_goes_away_is_recorded(
    stack: Stack, clients: Clients, log: Log, rpc: str, cancel: bool
) -> None:
    """Cancelled or out of time in the middle of a flush: a row of the access, and its end (A5).

    Where the flush goes on without its caller, the first row tells what was touched and a second, by an id of its own,
    that nobody waited for the answer.
    """
    world = await world_of(stack, clients, f"{__name__} {rpc} {cancel}")
    trace = await gone_away(stack, clients, rpc, existing(rpc, world), (HELD | HELD_ALONE)[rpc], cancel=cancel)
    rows = await settled_rows(log, rpc, trace)
    for row in rows:
        check_five_items(row, rpc, allowed_caller(rpc))
        assert (row["trace_id"], row["parent_span_id"]) == (trace.trace_id, trace.span_id)
    told = sorted((row["phase"], row["status"]) for row in rows)
    ends = (
        {"CANCELLED"} if cancel else {"CANCELLED", "DEADLINE_EXCEEDED"}
    )  # the server may give up before the caller does
    assert told in [[("ACCESS", "OK"), ("OUTCOME", end)] for end in ends] + [[("ACCESS", end)] for end in ends]
    assert len({row["record_id"] for row in rows}) == len(rows)
    for row in rows:
        entry = examples.example("onggi.processing_log.v1.ProcessingLogService/GetEntry")
        entry.record_id = str(row["record_id"])
        service = servers_of(rpc)[0]
        read = await clients.call(
            "security-reviewer", "onggi.processing_log.v1.ProcessingLogService/GetEntry", entry, service=service
        )
        assert read.message.entry.trace_id == trace.trace_id


async def test_a_change_whose_caller_went_away_before_it_began_is_told_as_done(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """RegisterMember, cancelled while it waits to begin, commits all the same: then a row says OK (LG-01, 1.)."""
    rpc, request = "onggi.identity.v1.MemberService/RegisterMember", examples.register()
    trace = await gone_away(stack, clients, rpc, request, "idempotency", cancel=True)
    rows = await settled_rows(log, rpc, trace)
    find = examples.example("onggi.identity.v1.MemberService/FindMember")
    find.email = request.profile.email
    found = await clients.call("portal", "onggi.identity.v1.MemberService/FindMember", find)
    done = [row for row in rows if row["status"] == "OK"]
    assert (found.code is grpc.StatusCode.OK) == (len(done) == 1)
    assert len({row["record_id"] for row in rows}) == len(rows)

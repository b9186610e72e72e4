"""Batches and the stream of an import beside the statement that they end in, run alone, in turns.

The statement alone has a connection for each batch in flight, arguments made beforehand, and the server's core for its
driver. Its rows go into the same tables and are deleted afterwards, since what they seal is drawn at random.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, Final, NamedTuple

import asyncpg
import grpc.aio
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from bench import requests, rows
from bench.cpu import Meter, notes, settle
from bench.figures import Row, Target, median, shares
from bench.processes import SERVER_CORE, on
from bench.rounds import ROUNDS, SECONDS
from bench.statements import Statement, statement
from chassis.database import BY_HASH
from dev.identities import account, server_name
from dev.stack import Stack

SERVICE: Final = "/onggi.payment_vault.v1.TokenizationService"
_TIMEOUT_SECONDS: Final = 60.0
_MEMBERS: Final = 200


class Kind(NamedTuple):
    """A way of storing many: the name of its row, its method, items a message, messages in flight, messages a turn."""

    name: str
    method: str
    size: int
    in_flight: int
    messages: int
    target: Target


def _messages(items_a_second: int, size: int) -> int:
    return max(4, int(items_a_second * SECONDS / size))


BATCH: Final = Kind(
    "BatchTokenize of 1,000, 4 in flight, against its SQL statement alone", "BatchTokenize", 1_000, 4,
    _messages(12_000, 1_000), Target(0.45, 0.70),
)  # fmt: skip
STREAM: Final = Kind(
    "import stream (StreamTokenize of 500, 3 under way), against its SQL statement alone", "StreamTokenize", 500, 3,
    _messages(12_000, 500), Target(0.50, 0.75),
)  # fmt: skip

Turn = Callable[[], Awaitable[float]]
"""Stores so many items; returns the seconds."""


class Stored(NamedTuple):
    """The row, and how many tokens and log rows the answers account for."""

    row: Row
    tokens: int
    logged: int


async def measure(stack: Stack, kind: Kind, subjects: Sequence[str], others: Mapping[str, int]) -> Stored:
    """Return the row of one kind. Raises RuntimeError where an item was not stored."""
    process = stack.services["payment_vault"].pid
    rates: list[float] = []
    alone: list[float] = []
    cpu: list[Mapping[str, float]] = []
    async with _members(stack) as strangers, channel(stack) as opened, _connections(stack, kind.in_flight) as drivers:
        # Not the other kind's cards: a known card would get its token and no row.
        ours, theirs = requests.batches(subjects, kind.size, kind.size), requests.batches(strangers, kind.size, 0)
        send = _send_stream if kind is STREAM else _send_batches
        for number in range(ROUNDS + 1):
            prepared = [await statement(request) for request in islice(theirs, kind.messages)]
            wanted = list(islice(ours, kind.messages))
            settle([process])
            with on(SERVER_CORE):
                seconds_alone = await _run_alone(drivers, prepared)
            meter, own = Meter({"server": process, **others}), time.process_time()
            seconds = await send(opened, wanted, kind)
            share = meter.shares(seconds) | {"client": (time.process_time() - own) / seconds}
            items = kind.size * kind.messages
            print(f"  {kind.method:28} {items / seconds:7.0f}/s, its statement alone {items / seconds_alone:7.0f}/s")
            if number:  # the first round warms up
                rates.append(items / seconds)
                alone.append(items / seconds_alone)
                cpu.append(share)
    found = shares(cpu)
    row = Row(kind.name, median(rates), median(alone), kind.target, "tokens/s", cpu=found, notes=notes(found))
    messages = kind.messages * (ROUNDS + 1)
    return Stored(row, messages * kind.size, messages)


async def _run_alone(drivers: Sequence[Any], prepared: Sequence[Statement]) -> float:
    waiting = iter(prepared)

    async def work(driver: Any) -> None:
        for one in waiting:
            stored = await driver.fetch(one.text, *one.arguments)
            assert len(stored) == len(one.arguments[1])

    began = time.perf_counter()
    await asyncio.gather(*(work(driver) for driver in drivers))
    return time.perf_counter() - began


async def _send_batches(channel: grpc.aio.Channel, wanted: Sequence[tokens.BatchTokenizeRequest], kind: Kind) -> float:
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"{SERVICE}/{kind.method}")
    waiting = iter([request.SerializeToString() for request in wanted])

    async def work() -> list[bytes]:
        return [await call(request, timeout=_TIMEOUT_SECONDS) for request in waiting]

    began = time.perf_counter()
    answers = await asyncio.gather(*(work() for _ in range(kind.in_flight)))
    seconds = time.perf_counter() - began
    _check([tokens.BatchTokenizeResponse.FromString(raw).results for some in answers for raw in some], wanted)
    return seconds


async def _send_stream(channel: grpc.aio.Channel, wanted: Sequence[tokens.BatchTokenizeRequest], kind: Kind) -> float:
    opening = tokens.StreamTokenizeRequest(access=requests.BILLING).SerializeToString()
    messages = [
        tokens.StreamTokenizeRequest(request_id=one.request_id, items=one.items).SerializeToString() for one in wanted
    ]
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(f"{SERVICE}/{kind.method}")
    answers: list[bytes] = []
    began = time.perf_counter()
    call = method(timeout=_TIMEOUT_SECONDS)
    await call.write(opening)
    for message in messages[: kind.in_flight]:
        await call.write(message)
    for number in range(len(messages)):
        answer = await call.read()
        assert isinstance(answer, bytes), "the stream ended early"
        answers.append(answer)
        if number + kind.in_flight < len(messages):
            await call.write(messages[number + kind.in_flight])
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    seconds = time.perf_counter() - began
    _check([tokens.StreamTokenizeResponse.FromString(answer).results for answer in answers], wanted)
    return seconds


def _check(results: Sequence[Sequence[tokens.TokenizeResult]], wanted: Sequence[tokens.BatchTokenizeRequest]) -> None:
    stored = sum(1 for one in results for result in one if result.HasField("token"))
    if stored != (asked := sum(len(request.items) for request in wanted)):
        refused = Counter(
            (result.error.code, result.error.reason, result.error.field, result.error.rule)
            for one in results
            for result in one
            if result.HasField("error")
        )
        raise RuntimeError(f"{asked} items were sent and {stored} stored: {dict(refused)}")


@asynccontextmanager
async def channel(stack: Stack) -> AsyncIterator[grpc.aio.Channel]:
    """Give a channel to the payment vault."""
    files = stack.client_credentials("billing")
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", server_name(account("payment_vault")))]
    async with grpc.aio.secure_channel(stack.addresses["payment_vault"], credentials, options) as opened:
        yield opened


@asynccontextmanager
async def _connections(stack: Stack, number: int) -> AsyncIterator[list[Any]]:
    """Connections of the service's own role."""
    login = stack.postgres.login("payment_vault", "payment_vault")
    connections: list[Any] = []
    try:
        for _ in range(number):
            connections.append(  # noqa: PERF401 - those that are open are closed when the next one fails
                await asyncpg.connect(
                    host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
                )
            )
        for connection in connections:
            await connection.execute(BY_HASH)  # planned as the vault's own
        yield connections
    finally:
        for connection in connections:
            await connection.close()


@asynccontextmanager
async def _members(stack: Stack) -> AsyncIterator[list[str]]:
    """Members for the statement alone, whose rows are deleted in the end: no key opens what stands there."""
    members = [str(uuid.uuid4()) for _ in range(_MEMBERS)]
    connection = await rows.connect(stack, "payment_vault")
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "INSERT INTO erasure_key (unit, wrapped_salt) SELECT 'member:' || m, 'vault:v1:' || repeat('A', 80) "
            "FROM unnest($1::uuid[]) AS m", members,
        )  # fmt: skip
        yield members
    finally:
        await connection.execute("DELETE FROM token WHERE member_id = ANY($1::uuid[])", members)
        await connection.execute("DELETE FROM idempotency WHERE subject_id = ANY($1::uuid[])", members)
        await connection.execute(
            "DELETE FROM erasure_key WHERE unit IN (SELECT 'member:' || m FROM unnest($1::uuid[]) AS m)", members
        )
        await connection.close()

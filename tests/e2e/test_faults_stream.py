"""Streams of batches when the vault stops, dies or is left waiting: what was answered stands, the rest can be sent again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from onggi.payment_vault.v1.tokenization_service_pb2 import StreamTokenizeRequest, TokenizeItem
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub

from dev.stack import Stack
from tests.e2e.faults import BILLING, Figures, _channel, _reason, logged, query, registrations
from tests.integration import import_files
from tests.integration.clients import blocking_channel, credentials_of

pytestmark = pytest.mark.timeout(120)

_IDLE = 1.0


@pytest.fixture
def impatient(breakable: Stack) -> Iterator[Stack]:
    """The stack with a vault that waits no longer than a second for the next message of a stream."""
    vault = breakable.services["payment_vault"]
    before = dict(vault._environment)
    vault._environment |= {"ONGGI_SERVER__STREAM_IDLE_SECONDS": str(_IDLE)}
    vault.kill()
    vault.start()
    yield breakable
    vault._environment = before
    vault.kill()  # the next test starts it with its own settings again


@pytest.fixture
async def streams(breakable: Stack) -> AsyncIterator[TokenizationServiceStub]:
    """Calls as billing, nothing repeated by the client's own library."""
    channel = _channel(breakable.addresses["payment_vault"], breakable.client_credentials("billing"), "payment_vault")
    yield TokenizationServiceStub(channel)
    await channel.close()


@pytest.fixture
def sending(breakable: Stack) -> Iterator[TokenizationServiceStub]:
    """The same by the blocking client: grpc.aio loses the status of a stream that ends while it sends."""
    credentials = credentials_of(breakable.client_credentials("billing"))
    with blocking_channel(breakable, "payment_vault", credentials) as channel:
        yield TokenizationServiceStub(channel)


def batches(count: int, size: int, seed: int) -> list[StreamTokenizeRequest]:
    """Batches of cards, no two the same."""
    items = [
        TokenizeItem(member_id=one.member_id, instrument=one.request().instrument)
        for one in registrations(count * size, 20, seed)
    ]
    return [
        StreamTokenizeRequest(request_id=str(uuid4()), items=items[at : at + size])
        for at in range(0, len(items), size)
    ]  # fmt: skip


async def test_a_stopping_vault_ends_the_batch_under_way(
    breakable: Stack, sending: TokenizationServiceStub, figures: Figures
) -> None:
    """SIGTERM in a stream: batches are answered or not done, then UNAVAILABLE STOPPING, and the exit status is 0 (U5)."""
    vault = breakable.services["payment_vault"]
    wanted, answered = batches(200, 50, 11), []
    call: Any = sending.StreamTokenize(iter([StreamTokenizeRequest(access=BILLING), *wanted]), timeout=60)
    with pytest.raises(grpc.RpcError) as raised:
        await asyncio.to_thread(_read_all, call, answered, lambda: os.kill(vault.pid, signal.SIGTERM))
    status = await asyncio.to_thread(vault._child.wait, 30)  # type: ignore[union-attr]
    figures(f"a stream that meets SIGTERM: {len(answered)} batches answered, then {raised.value.code().name}")

    assert (raised.value.code(), _reason(raised.value)) == (grpc.StatusCode.UNAVAILABLE, "STOPPING")
    assert status == 0
    assert 5 <= len(answered) < 200
    await _check(breakable, wanted, answered)
    [rows] = (await logged(breakable, "payment_vault", [_record_id(raised.value)])).values()
    told = [(row["phase"], row["status"], row["error_reason"]) for row in rows]
    if rows[0]["request_id"]:  # a batch had just been read: it is refused itself, before anything was done
        assert told == [("ACCESS", "UNAVAILABLE", "STOPPING")]
        assert rows[0]["request_id"] in [batch.request_id for batch in wanted[len(answered) :]]
    else:  # between two batches the stream itself ends
        assert told == [("ACCESS", "OK", ""), ("OUTCOME", "UNAVAILABLE", "STOPPING")]

    await asyncio.to_thread(vault.start)
    again: Any = sending.StreamTokenize(iter([StreamTokenizeRequest(access=BILLING), *wanted[:20]]), timeout=60)
    repeated = await asyncio.to_thread(list, again)
    for first, second in zip(answered, repeated, strict=False):
        assert [result.token.token for result in first.results] == [result.token.token for result in second.results]


async def test_who_sends_nothing_is_not_waited_for(impatient: Stack, streams: TokenizationServiceStub) -> None:
    """A stream that stands still ends after its time, before the first message as after it, and is recorded so (F6)."""
    for said in ([], [StreamTokenizeRequest(access=BILLING)]):
        call: Any = streams.StreamTokenize(timeout=20, wait_for_ready=True)
        for message in said:
            await call.write(message)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call.read()
        assert (raised.value.code(), _reason(raised.value)) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        [rows] = (await logged(impatient, "payment_vault", [_record_id(raised.value)])).values()
        assert (rows[-1]["status"], rows[-1]["error_reason"]) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")
        assert len(rows) == len(said) + 1


async def test_an_import_outlives_the_vault(breakable: Stack, figures: Figures, tmp_path: Path) -> None:
    """The vault is killed twice and stopped once under an import, which goes on by itself: each card one token."""
    made = import_files.make(tmp_path / "cards.csv", 6_000, seed=12)
    vault = breakable.services["payment_vault"]
    running = import_files.start(breakable, made, "--batch", "100")
    for done, end in ((10, vault.kill), (25, vault.stop), (40, vault.kill)):
        while import_files.batches_done(made) < done:
            assert running.poll() is None, running.stderr.read() if running.stderr else ""
            await asyncio.sleep(0.01)
        await asyncio.to_thread(end)
        await asyncio.to_thread(vault.start)
    _, told = await asyncio.to_thread(running.communicate)
    assert running.returncode == 0, told
    rows = made.rows(made.out)
    stored = await query(
        breakable, "payment_vault", "SELECT token FROM token WHERE member_id = ANY($1::uuid[])", list(made.members)
    )
    figures(f"import over two kills and a stop of the vault: {len(rows)} of 6000 cards, {len(stored)} tokens")
    assert [int(line) for line, _ in rows] == made.good
    assert sorted(row["token"] for row in stored) == sorted(token for _, token in rows)


def _read_all(call: Any, answered: list[Any], at_the_fifth: Callable[[], None]) -> None:
    for response in call:
        answered.append(response)
        if len(answered) == 5:
            at_the_fifth()


async def _check(stack: Stack, wanted: list[StreamTokenizeRequest], answered: list[Any]) -> None:
    """Every acknowledged token is there; every batch is there as a whole or not at all, and with its row."""
    given = {result.token.token for response in answered for result in response.results}
    members = list({item.member_id for batch in wanted for item in batch.items})
    stored = await query(stack, "payment_vault", "SELECT token FROM token WHERE member_id = ANY($1::uuid[])", members)
    assert given <= {row["token"] for row in stored}
    assert len(stored) % len(wanted[0].items) == 0
    rows = await query(
        stack, "payment_vault", "SELECT request_id FROM processing_log WHERE phase = 'ACCESS' AND status = 'OK' "
        "AND request_id = ANY($1)", [batch.request_id for batch in wanted],
    )  # fmt: skip
    assert len(rows) == len(stored) // len(wanted[0].items) >= len(answered)


def _record_id(error: grpc.aio.AioRpcError) -> str:
    return str(dict(error.trailing_metadata() or ())["onggi-record-id"])

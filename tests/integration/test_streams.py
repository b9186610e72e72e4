"""A stream of batches: its first message says why, each later one is an access with a row and an answer of its own."""

import asyncio
from typing import Any

import grpc
import pytest
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from dev.stack import Stack
from tests.integration import examples
from tests.integration.accesses import check_five_items, new_trace
from tests.integration.bad_fields import card as card_text
from tests.integration.bad_input import assert_recorded, assert_silent
from tests.integration.clients import Clients
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

STREAM = "onggi.payment_vault.v1.TokenizationService/StreamTokenize"
BATCH = "onggi.payment_vault.v1.TokenizationService/BatchTokenize"


@pytest.fixture
async def member_id(clients: Clients) -> str:
    """A member that exists."""
    return (await examples.new_member(clients)).member_id


def opening() -> Any:
    """The first message."""
    return examples.example(STREAM)


def batch(member_id: str, count: int = 3, **changes: Any) -> Any:
    """A batch of cards."""
    items = [tokens.TokenizeItem(member_id=member_id, instrument=examples.card()) for _ in range(count)]
    return tokens.StreamTokenizeRequest(**{"request_id": examples.new_id(), "items": items, **changes})


def tokens_of(message: Any) -> list[str]:
    """The tokens of an answer."""
    return [result.token.token for result in message.results]


async def test_each_batch_has_an_answer_and_a_row(clients: Clients, log: Log, member_id: str) -> None:
    """Batches are answered in order; the opening and each batch have a row of their own, under one why (LG-01, PV-05)."""
    batches, trace = [batch(member_id, 3), batch(member_id, 2), batch(member_id, 1)], new_trace()
    outcome = await clients.call("billing", STREAM, [opening(), *batches], metadata=trace.metadata)
    assert outcome.code is grpc.StatusCode.OK, outcome.reason
    assert [message.request_id for message in outcome.messages] == [one.request_id for one in batches]
    assert [len(set(tokens_of(message))) for message in outcome.messages] == [3, 2, 1]
    found = await log.rows_of_trace("payment_vault", trace.trace_id)
    first, *rows = sorted(found, key=lambda row: row["occurred_at"])
    assert (str(first["record_id"]), first["request_id"], first["subject_count"]) == (outcome.record_id, "", 0)
    assert [row["request_id"] for row in rows] == [one.request_id for one in batches]
    for row in rows:
        check_five_items(row, STREAM, "billing")
        assert (row["status"], row["phase"], row["purpose"], row["reason"]) == ("OK", "ACCESS", "billing", "a test")
        assert [str(found) for found in row["subject_ids"]] == [member_id]
        assert row["parent_span_id"] == first["span_id"]
        assert "card_number" in row["items"]
    assert len({row["span_id"] for row in [first, *rows]}) == 4


async def test_a_batch_sent_again_has_the_same_tokens(clients: Clients, log: Log, member_id: str) -> None:
    """In the same stream, in another, and beside a new one: a batch's request_id stands for its answer (AIP-155)."""
    sent = batch(member_id, 4)
    before = await log.fetch("payment_vault", "SELECT count(*) AS number FROM token")
    first = await clients.call("billing", STREAM, [opening(), sent, sent])
    again = await clients.call("billing", STREAM, [opening(), batch(member_id, 1), sent])
    after = await log.fetch("payment_vault", "SELECT count(*) AS number FROM token")
    answers = [tokens_of(message) for message in (*first.messages, again.messages[1])]
    assert answers[0] == answers[1] == answers[2]
    assert after[0]["number"] - before[0]["number"] == 5


async def test_other_content_under_the_same_id_is_refused(clients: Clients, member_id: str) -> None:
    """REQUEST_ID_REUSED, item by item, and the stream goes on."""
    sent = batch(member_id, 2)
    other = batch(member_id, 2, request_id=sent.request_id)
    assert len(tokens_of((await clients.call("billing", STREAM, [opening(), sent])).message)) == 2
    outcome = await clients.call("billing", STREAM, [opening(), other, batch(member_id, 1)])
    assert outcome.code is grpc.StatusCode.OK
    assert [result.error.code for result in outcome.messages[0].results] == ["ALREADY_EXISTS"] * 2
    assert len(tokens_of(outcome.messages[1])) == 1


async def test_a_bad_item_leaves_its_neighbours_alone(clients: Clients, log: Log, member_id: str) -> None:
    """Each item has its own result; a batch of none that is good has its row all the same (PV-06)."""
    mixed, bad = batch(member_id, 3), batch(member_id, 1)
    mixed.items[1].instrument.card.expiry = "01/20"
    bad.items[0].member_id = "nobody"
    trace = new_trace()
    outcome = await clients.call("billing", STREAM, [opening(), mixed, bad], metadata=trace.metadata)
    answered = [[result.WhichOneof("outcome") for result in message.results] for message in outcome.messages]
    assert answered == [["token", "error", "token"], ["error"]]
    assert outcome.messages[0].results[1].error.field == "instrument.card.expiry"
    rows = await log.rows_of_trace("payment_vault", trace.trace_id)
    assert [row["status"] for row in rows] == ["OK"] * 3


def _with(message: Any, **values: Any) -> Any:
    message.MergeFrom(type(message)(**values))
    return message


MEMBER = "0198c0de-0000-7000-8000-0000000000aa"
OPENINGS = {
    "nothing": (b"", "PURPOSE_REQUIRED"),
    "no purpose": (tokens.StreamTokenizeRequest(access=examples.access("")), "PURPOSE_REQUIRED"),
    "items": (_with(opening(), items=batch(MEMBER, 1).items), "INVALID_FIELD"),
    "an id": (_with(opening(), request_id=examples.new_id()), "INVALID_FIELD"),
    "no message": (b"\xff\xff", "MALFORMED_REQUEST"),
    "a field of nobody": (b"\xfa\x7f\x06900101", "UNKNOWN_FIELD"),
}


@pytest.mark.parametrize("name", OPENINGS)
async def test_an_opening_says_why_and_nothing_else(clients: Clients, log: Log, name: str) -> None:
    """What comes first is checked like any request, refused and recorded, and nothing after it is read (F1, F5)."""
    first, reason = OPENINGS[name]
    for _ in range(5):  # without a receipt it is grpc.aio's own INTERNAL: its write has met the end of the stream
        outcome = await clients.call("billing", STREAM, [first, batch(MEMBER, 1)])
        if outcome.record_id:
            break
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    row = await assert_recorded(log, outcome)
    assert row["items"] == []
    assert outcome.messages == []


async def test_a_stream_without_a_message_is_recorded(clients: Clients, log: Log) -> None:
    """Who opens a stream and ends it has said no purpose."""
    outcome = await clients.call("billing", STREAM, [])
    assert outcome.reason == "PURPOSE_REQUIRED"
    await assert_recorded(log, outcome)


REFUSED = [("stranger", "billing", "ACCESS_DENIED"), ("billing", "membership", "PURPOSE_NOT_ALLOWED")]


@pytest.mark.parametrize("refused", REFUSED)
async def test_who_may_not_streams_nothing(
    clients: Clients, log: Log, member_id: str, refused: tuple[str, str, str]
) -> None:
    """The rule is asked at the opening; no batch is read (AC-01)."""
    caller, purpose, reason = refused
    outcome = await clients.call(caller, STREAM, [examples.example(STREAM, purpose), batch(member_id)])
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.PERMISSION_DENIED, reason)
    assert outcome.messages == []
    assert len(await log.rows_of(outcome)) == 1


LATER = {
    "no message": (lambda _: b"\xff\xff", "MALFORMED_REQUEST"),
    "a field of nobody": (lambda member: batch(member).SerializeToString() + b"\xfa\x7f\x06900101", "UNKNOWN_FIELD"),
    "no id": (lambda member: batch(member, request_id=""), "INVALID_FIELD"),
    "an id that is none": (lambda member: batch(member, request_id=card_text()), "INVALID_FIELD"),
    "no items": (lambda member: batch(member, 0), "INVALID_FIELD"),
    "501 items": (lambda member: batch(member, items=[tokens.TokenizeItem()] * 501), "INVALID_FIELD"),
    "a why of its own": (lambda member: _with(batch(member), access=opening().access), "INVALID_FIELD"),
}


@pytest.mark.parametrize("name", LATER)
async def test_a_bad_message_ends_the_stream_and_undoes_nothing(
    clients: Clients, log: Log, member_id: str, name: str
) -> None:
    """Answered batches stay done; the bad one has a typed error, and its row is the receipt (F1, LG-02)."""
    make, reason = LATER[name]
    good, trace = batch(member_id, 2), new_trace()
    after = [] if name == "no items" else [batch(member_id, 1)]  # that rule is the vault's own: the next may be begun
    outcome = await clients.call("billing", STREAM, [opening(), good, make(member_id), *after],
                                 metadata=trace.metadata)  # fmt: skip
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert b"900101" not in outcome.everything
    [answered] = outcome.messages
    stored = await log.fetch("payment_vault", "SELECT token FROM token WHERE member_id = $1", member_id)
    assert {row["token"] for row in stored} == set(tokens_of(answered))
    rows = await log.rows_of_trace("payment_vault", trace.trace_id)
    told = {str(row["record_id"]): (row["status"], row["error_reason"]) for row in rows}
    assert sorted(told.values()) == [("INVALID_ARGUMENT", reason), ("OK", ""), ("OK", "")]
    assert told[outcome.record_id] == ("INVALID_ARGUMENT", reason)


async def test_free_text_in_a_later_message_is_read_too(clients: Clients, member_id: str) -> None:
    """A card number where none belongs is refused in a batch as anywhere; the value is not repeated (PV-01, LG-10)."""
    planted = card_text()
    sent = batch(member_id, 1)
    sent.items[0].instrument.card.expiry = planted
    outcome = await clients.call("billing", STREAM, [opening(), sent])
    assert outcome.code is grpc.StatusCode.OK
    assert_silent(outcome, planted)
    assert planted not in str(outcome.messages)
    assert outcome.messages[0].results[0].HasField("error")


async def test_a_deadline_ends_the_stream_between_batches(clients: Clients, log: Log, member_id: str) -> None:
    """The caller's time ends while the server waits for it: DEADLINE_EXCEEDED, what was answered stays, all recorded."""
    trace = new_trace()
    channel = clients.channel("payment_vault", "billing")
    call = channel.stream_stream(f"/{STREAM}")(timeout=3.0, metadata=tuple(trace.metadata))
    await call.write(opening().SerializeToString())
    await call.write(batch(member_id, 1).SerializeToString())
    assert await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call.read()
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    rows = await _rows_when(log, trace.trace_id, 3)
    assert [(row["phase"], row["status"]) for row in rows] == [
        ("ACCESS", "OK"), ("ACCESS", "OK"), ("OUTCOME", "DEADLINE_EXCEEDED")]  # fmt: skip


async def test_the_next_batch_waits_for_the_last(clients: Clients, stack: Stack, member_id: str) -> None:
    """Back-pressure: of batches sent without reading an answer no more are done than the windows of gRPC let through."""
    channel = clients.channel("payment_vault", "billing")
    call = channel.stream_stream(f"/{STREAM}")(timeout=60)
    await call.write(opening().SerializeToString())
    written = 0
    try:
        async with asyncio.timeout(3):
            while written < 400:
                await call.write(batch(member_id, 500).SerializeToString())
                written += 1
    except TimeoutError:
        pass
    assert 1 <= written < 400
    call.cancel()


async def test_a_caller_who_goes_away_leaves_the_batch_done_and_recorded(
    clients: Clients, log: Log, member_id: str
) -> None:
    """Cancelled in the middle of a batch: its tokens stand or do not, and its row says what the caller did not see."""
    trace = new_trace()
    channel = clients.channel("payment_vault", "billing")
    call = channel.stream_stream(f"/{STREAM}")(timeout=30, metadata=tuple(trace.metadata))
    await call.write(opening().SerializeToString())
    sent = batch(member_id, 500)
    await call.write(sent.SerializeToString())
    await asyncio.sleep(0.12)
    call.cancel()
    await _rows_when(log, trace.trace_id, 2)
    await asyncio.sleep(1.0)
    rows = [row for row in await log.rows_of_trace("payment_vault", trace.trace_id) if row["request_id"]]
    stored = await log.fetch("payment_vault", "SELECT count(*) AS number FROM token WHERE member_id = $1", member_id)
    told = [(row["phase"], row["status"]) for row in rows]
    if stored[0]["number"]:
        assert stored[0]["number"] == 500
        assert told[0] == ("ACCESS", "OK")
        assert told[1:] in ([], [("OUTCOME", "CANCELLED")])
    else:
        assert told in ([], [("ACCESS", "CANCELLED")])
    again = await clients.call("billing", STREAM, [opening(), sent])
    assert len(set(tokens_of(again.message))) == 500


async def _rows_when(log: Log, trace_id: str, count: int) -> list[Any]:
    for _ in range(100):
        rows = await log.rows_of_trace("payment_vault", trace_id)
        if len(rows) >= count:
            break
        await asyncio.sleep(0.05)
    return rows

"""Bad bytes and bad connections: what is no message, no method, no certificate or no end is refused and harms nobody."""

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.internal import api_implementation

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.bad_input import assert_recorded
from tests.integration.clients import METHODS, Clients, servers_of
from tests.integration.examples import RANDOM, SEED
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

GET = "onggi.identity.v1.MemberService/GetMember"
BATCH = "onggi.payment_vault.v1.TokenizationService/BatchTokenize"
REVEAL = "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize"
UNKNOWN = ["onggi.identity.v1.MemberService/DropMember", "onggi.nobody.v1.Nobody/Call", "x/900101-1234567"]


def good() -> bytes:
    """A right request."""
    raw: bytes = examples.example(GET).SerializeToString()
    return raw


def nested(depth: int) -> bytes:
    """A field 1 within a field 1, so many times."""
    raw = b""
    for _ in range(depth):
        raw = b"\x0a" + _varint(len(raw)) + raw
    return raw


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


MALFORMED = {
    "random": os.urandom(64) + b"\xff",
    "truncated": good()[:-3],
    "no end of a length": b"\x0a\x7f",
    "endless varint": b"\xff" * 11,
    "field number 0": b"\x00\x01",
    "wire type 7": b"\x0f\x00",
    "end of a group that never began": b"\x0c",
    "invalid UTF-8": b"\x0a\x04\x0a\x02\xc3\x28",
    "surrogate in UTF-8": b"\x0a\x05\x0a\x03\xed\xa0\x80",
    "a thousand groups": b"\x0b" * 1000,
}
UNKNOWN_FIELDS = {
    "at the top": good() + b"\xfa\x7f\x06900101",
    "nested": b"\x0a\x14\x0a\x0amembership\x7a\x06900101",
    "the reserved field": b"\x0a\x14\x0a\x0amembership\x22\x06900101",
    "a group": good() + b"\xfb\x7f\xfc\x7f",
    "a hundred thousand": good() + b"\xf8\x7f\x01" * 100_000,
}


async def test_the_native_parser_is_loaded() -> None:
    """Not the one in Python, which recursed without a limit (CVE-2025-4565; F2)."""
    assert api_implementation.Type() == "upb"


@pytest.mark.parametrize("name", MALFORMED)
async def test_bytes_that_are_no_message(clients: Clients, log: Log, name: str) -> None:
    """INVALID_ARGUMENT, MALFORMED_REQUEST, and a row: never gRPC's own INTERNAL (F1)."""
    outcome = await clients.call("portal", GET, MALFORMED[name])
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")
    await assert_recorded(log, outcome)


@pytest.mark.parametrize("depth", [49, 99, 100, 1000, 20_000])
async def test_nesting_ends(clients: Clients, log: Log, depth: int) -> None:
    """However deep, a nest of fields is refused and recorded (F2)."""
    outcome = await clients.call("portal", GET, nested(depth))
    assert outcome.code is grpc.StatusCode.INVALID_ARGUMENT
    assert outcome.reason in {"MALFORMED_REQUEST", "UNKNOWN_FIELD", "INVALID_FIELD"}
    await assert_recorded(log, outcome)


@pytest.mark.parametrize("name", UNKNOWN_FIELDS)
async def test_fields_that_are_not_in_the_contract(clients: Clients, log: Log, name: str) -> None:
    """An unknown field is refused wherever it stands, its content told to nobody (F5)."""
    outcome = await clients.call("portal", GET, UNKNOWN_FIELDS[name])
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_FIELD")
    assert b"900101" not in outcome.everything
    row = await assert_recorded(log, outcome)
    assert "900101" not in str(row["items"]) + row["reason"] + row["purpose"]


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_message_over_two_mebibytes(clients: Clients, stack: Stack, compression: Any) -> None:
    """RESOURCE_EXHAUSTED by the transport, compressed or not, and no bytes of it kept (F3, F4).

    It ends below the chain, before a message or a method is known: it is no access and has no row.
    """
    memory = _resident(stack)
    outcome = await clients.call("portal", GET, good() + b"\x00" * (24 * 1024 * 1024), compression=compression)
    assert outcome.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert outcome.record_id == ""
    assert _resident(stack) - memory < 64 * 1024 * 1024


async def test_a_message_just_below_the_limit_is_read(clients: Clients, log: Log) -> None:
    """Two mebibytes are looked at by the chain, and refused for what they hold, with a row."""
    raw = good()
    filler = b"\xfa\x7f" + _varint(2 * 1024 * 1024 - len(raw) - 6)
    outcome = await clients.call("portal", GET, raw + filler + b"a" * (2 * 1024 * 1024 - len(raw) - 6))
    assert outcome.reason == "UNKNOWN_FIELD"
    await assert_recorded(log, outcome)


async def test_metadata_beyond_the_limit(clients: Clients) -> None:
    """RESOURCE_EXHAUSTED, and the answer repeats no value of it (X13)."""
    outcome = await clients.call("portal", GET, good(), metadata=[("x-note", "900101-1234567 " * 1500)])
    assert outcome.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert b"900101" not in outcome.everything


@pytest.mark.parametrize(("rpc", "item"), [(BATCH, b"\x1a\x00"), (REVEAL, b"\x12\x00")])
async def test_a_million_empty_items_hold_nobody_up(clients: Clients, rpc: str, item: bytes) -> None:
    """A list of a million empty items, from a caller in no rule, is refused in less than a second for all others (F5).

    What the machine itself is held up by counts only if it comes five times in a row.
    """
    request = examples.example(rpc)
    del request.items[:]
    waited: list[float] = []
    while len(waited) < 5 and not (waited and waited[-1] < 1.0):
        flood = asyncio.create_task(clients.call("stranger", rpc, request.SerializeToString() + item * 1_000_000))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        other = await clients.call("billing", "onggi.payment_vault.v1.TokenizationService/GetToken",
                                   examples.example("onggi.payment_vault.v1.TokenizationService/GetToken"))  # fmt: skip
        waited.append(time.monotonic() - started)
        assert other.reason == "TOKEN_NOT_FOUND"
        assert (await flood).code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED}
    assert min(waited) < 1.0


@pytest.mark.parametrize("service", ["identity", "payment_vault", "retention"])
@pytest.mark.parametrize("rpc", UNKNOWN)
async def test_a_method_that_is_not_there(clients: Clients, log: Log, service: str, rpc: str) -> None:
    """UNIMPLEMENTED, METHOD_UNKNOWN, and a row that does not repeat the name, which may hold anything (X13, A5)."""
    outcome = await clients.call("stranger", rpc, b"\x0a\x03abc", service=service)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN")
    row = await assert_recorded(log, outcome)
    assert (row["rpc_method"], row["actor"]) == ("unknown", "spiffe://onggi/ns/apps/sa/stranger")


async def test_a_service_has_only_its_own_methods(clients: Clients) -> None:
    """No service answers an RPC of another."""
    for rpc in METHODS:
        for service in {"identity", "payment_vault", "retention"} - set(servers_of(rpc)):
            outcome = await clients.call(allowed_caller(rpc), rpc, examples.example(rpc), service=service)
            assert outcome.reason == "METHOD_UNKNOWN", (rpc, service)


async def test_random_bytes_by_the_thousand(clients: Clients, log: Log, stack: Stack) -> None:
    """2,000 byte strings over every RPC: only INVALID_ARGUMENT, the processes live, log rows = calls (F1)."""
    print(f"seed {SEED}")
    source = random.Random(RANDOM.random())
    pids = {name: process.pid for name, process in stack.services.items()}
    before = sum([await log.count(service) for service in pids])
    rpcs = list(METHODS)
    calls = [(source.choice(rpcs), source) for _ in range(2_000)]
    answers: dict[tuple[str, str], int] = {}
    for start in range(0, len(calls), 50):
        part = [(rpc, _noise(rpc, source)) for rpc, _ in calls[start : start + 50]]
        for outcome in await asyncio.gather(*(clients.call(allowed_caller(rpc), rpc, raw) for rpc, raw in part)):
            answers[outcome.code.name, outcome.reason] = answers.get((outcome.code.name, outcome.reason), 0) + 1
    assert {code for code, _ in answers} == {"INVALID_ARGUMENT"}, answers
    assert {reason for _, reason in answers} >= {"MALFORMED_REQUEST", "UNKNOWN_FIELD", "INVALID_FIELD"}, answers
    assert sum([await log.count(service) for service in pids]) - before == 2_000
    assert {name: process.pid for name, process in stack.services.items() if process.running} == pids


def _noise(rpc: str, source: random.Random) -> bytes:
    """Random bytes, or a right request cut short or without its first byte, which says why; never a right one."""
    match source.randrange(5):
        case 4:  # a message of the right type that has nothing but a short text in its second field
            return b"\x12\x03" + bytes(source.choices(b"abcxyz", k=3))
        case 0:
            return source.randbytes(source.randrange(1, 300))
        case 1:
            raw = examples.example(rpc).SerializeToString()
            return bytes(raw[: source.randrange(1, len(raw))]) + b"\xff"
        case 2:
            return bytes(examples.example(rpc).SerializeToString())[1:]
        case _:
            return bytes([source.randrange(8, 128)]) + _varint(source.randrange(2**40))


def _resident(stack: Stack) -> int:
    pages = int(Path(f"/proc/{stack.services['identity'].pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

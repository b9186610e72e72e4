"""Forged page tokens, times that no calendar has, numbers that no column takes: INVALID_ARGUMENT, not a database's error."""

import base64
import json
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from dev.stack import Stack
from services.payment_vault.tokens import new_token
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.bad_input import assert_recorded, world_of
from tests.integration.clients import Clients, servers_of
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(60)

CONTACTS = "onggi.identity.v1.ContactService/ListContacts"
OUTDATED = "onggi.identity.v1.ConsentService/ListOutdatedConsents"
RECORDS = "onggi.identity.v1.RecordService/ListRecords"
TOKENS = "onggi.payment_vault.v1.TokenizationService/ListTokens"
ENTRIES = "onggi.processing_log.v1.ProcessingLogService/SearchEntries"
PLANS = "onggi.retention.v1.RetentionService/ListPlans"
HOLDS = "onggi.retention.v1.HoldService/ListHolds"
EXPLANATION = "onggi.retention.v1.RetentionService/ExplainRetention"
LISTS = (CONTACTS, OUTDATED, RECORDS, TOKENS, ENTRIES, PLANS, HOLDS, EXPLANATION)
SIGNED = {TOKENS, EXPLANATION}
NOBODY = "00000000-0000-0000-0000-000000000000"


def forged(*key: object) -> str:
    """A page token with this key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


FORGED = {
    "no base64": "4111-1111-1111-1111",
    "no JSON": base64.urlsafe_b64encode(b"{[").decode(),
    "a deep list": base64.urlsafe_b64encode(b"[" * 180).decode(),
    "no list": base64.urlsafe_b64encode(b'{"a": "b"}').decode(),
    "one part": forged("2026-01-01T00:00:00+00:00"),
    "three parts": forged("2026-01-01T00:00:00+00:00", NOBODY, NOBODY),
    "numbers": forged(1, 2),
    "no time": forged("900101-1234567", NOBODY),
    "beyond the calendar": forged("0001-01-01T00:00:00+14:00", NOBODY),
    "NUL": forged("2026-01-01T00:00:00+00:00", "\0"),
    "half a character": forged("2026-01-01T00:00:00+00:00", "\ud800"),
    "no zone": forged("2026-01-01T00:00:00", "a"),
    "a made-up signature": forged("2026-01-01T00:00:00+00:00", new_token("card"), "vault:v1:" + "A" * 43 + "="),
    "a signature of half a character": forged("2026-01-01T00:00:00+00:00", new_token("card"), "\ud800"),
}


def pairs() -> list[Any]:
    """Every list with every forged token."""
    return [
        pytest.param(
            rpc, name, id=f"{rpc.rpartition('/')[2]}-{name}",
        )
        for rpc in LISTS
        for name in FORGED
    ]  # fmt: skip


@pytest.mark.parametrize(("rpc", "name"), pairs())
async def test_a_forged_page_token(stack: Stack, clients: Clients, log: Log, rpc: str, name: str) -> None:
    """PAGE_TOKEN_INVALID by every list, for a member that exists; never UNAVAILABLE, which says "retry"."""
    request = examples.example(rpc)
    request.page_token = FORGED[name]
    if hasattr(request, "member_id"):
        request.member_id = (await world_of(stack, clients, __name__)).member_id
    outcome = await clients.call(allowed_caller(rpc), rpc, request)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    assert outcome.violations == [("page_token", "invalid")]
    await assert_recorded(log, outcome)


@pytest.mark.parametrize("rpc", [rpc for rpc in LISTS if rpc not in SIGNED])
async def test_a_page_token_is_not_another_lists(clients: Clients, rpc: str) -> None:
    """A well-formed token of another member's list leads to nothing that is not the caller's to see."""
    request = examples.example(rpc)
    request.page_token = {
        OUTDATED: forged(NOBODY),
        RECORDS: forged("2026-01-01", NOBODY),
    }.get(rpc, forged("2026-01-01T00:00:00+00:00", NOBODY))
    outcome = await clients.call(allowed_caller(rpc), rpc, request)
    assert outcome.code in {grpc.StatusCode.OK, grpc.StatusCode.NOT_FOUND}


@pytest.mark.parametrize("field", ["since", "until"])
@pytest.mark.parametrize(
    "instant", [Timestamp(seconds=1 << 60), Timestamp(seconds=-(1 << 60)), Timestamp(seconds=1, nanos=-5)],
    ids=["far ahead", "far back", "negative nanoseconds"],
)  # fmt: skip
async def test_a_time_that_no_calendar_has(clients: Clients, log: Log, field: str, instant: Timestamp) -> None:
    """A timestamp out of its range is INVALID_FIELD of its field (F1)."""
    request = examples.example(ENTRIES)
    getattr(request, field).CopyFrom(instant)
    outcome = await clients.call("security-reviewer", ENTRIES, request)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert [name for name, _ in outcome.violations] == [field]
    await assert_recorded(log, outcome)


@pytest.mark.parametrize("rpc", ["PreparePurge", "ExecutePurge"])
@pytest.mark.parametrize("service", ["identity", "payment_vault"])
async def test_an_epoch_that_no_column_takes(clients: Clients, log: Log, service: str, rpc: str) -> None:
    """An attempt beyond a signed 64-bit number is refused by its field (P5)."""
    rpc = f"onggi.purge.v1.PurgeService/{rpc}"
    assert service in servers_of(rpc)
    request = examples.example(rpc)
    request.epoch, request.category = 2**64 - 1, {"identity": "R-01", "payment_vault": "R-03"}[service]
    outcome = await clients.call("retention", rpc, request, service=service)
    assert outcome.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [name for name, _ in outcome.violations] == ["epoch"]
    await assert_recorded(log, outcome)

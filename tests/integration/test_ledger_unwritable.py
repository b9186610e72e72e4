"""No record, no answer: when the processing log cannot be written, nothing is disclosed and nothing is done.

The faults are PostgreSQL's own: a right that is taken away, a trigger that refuses the insert.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.bad_input import World, name_what_exists, world_of
from tests.integration.clients import Clients
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

IDENTITY = [
    "onggi.identity.v1.MemberService/GetMember",
    "onggi.identity.v1.MemberService/FindMember",
    "onggi.identity.v1.MemberService/RegisterMember",
    "onggi.identity.v1.MemberService/UpdateMember",
    "onggi.identity.v1.MemberService/WithdrawMember",
    "onggi.identity.v1.ContactService/AddContact",
    "onggi.identity.v1.ContactService/GetContact",
    "onggi.identity.v1.ContactService/ListContacts",
    "onggi.identity.v1.ContactService/RemoveContact",
    "onggi.identity.v1.RecordService/AppendRecords",
    "onggi.identity.v1.RecordService/ListRecords",
    "onggi.processing_log.v1.ProcessingLogService/SearchEntries",
]
VAULT = [
    "onggi.payment_vault.v1.TokenizationService/Tokenize",
    "onggi.payment_vault.v1.TokenizationService/BatchTokenize",
    "onggi.payment_vault.v1.TokenizationService/GetToken",
    "onggi.payment_vault.v1.TokenizationService/ListTokens",
    "onggi.payment_vault.v1.TokenizationService/DeleteToken",
    "onggi.payment_vault.v1.DetokenizationService/Detokenize",
    "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize",
]
ALL = [*IDENTITY, *VAULT]
KEPT = {
    "identity": "SELECT (SELECT count(*) FROM member WHERE state = 'ACTIVE'), (SELECT count(*) FROM contact), "
                "(SELECT sum(version) FROM member), (SELECT count(*) FROM login_record), (SELECT count(*) FROM idempotency), "
                "(SELECT count(*) FROM processing_log)",
    "payment_vault": "SELECT (SELECT count(*) FROM token), (SELECT count(*) FROM idempotency), "
                     "(SELECT count(*) FROM processing_log)",
}  # fmt: skip


@asynccontextmanager
async def without_the_right(log: Log, service: str) -> AsyncIterator[None]:
    """Take the right to insert into the log from a service, and give it back as it was."""
    columns = await log.fetch(
        service,
        "SELECT column_name FROM information_schema.column_privileges WHERE grantee = $1 AND table_name = "
        "'processing_log' AND privilege_type = 'INSERT'",
        service,
    )
    names = ", ".join(row[0] for row in columns)
    assert names
    await log.fetch(service, f"REVOKE INSERT ON processing_log FROM {service}")
    try:
        yield
    finally:
        await log.fetch(service, f"GRANT INSERT ({names}) ON processing_log TO {service}")


@asynccontextmanager
async def with_a_refusing_trigger(log: Log, service: str) -> AsyncIterator[None]:
    """Have a trigger refuse every row of the log, with a text that must reach nobody."""
    await log.fetch(
        service,
        "CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'a trigger says 900101-1234567'; END$$",
    )
    await log.fetch(
        service,
        "CREATE TRIGGER refuse BEFORE INSERT ON processing_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_row()",
    )
    try:
        yield
    finally:
        await log.fetch(service, "DROP TRIGGER refuse ON processing_log")
        await log.fetch(service, "DROP FUNCTION refuse_row()")


FAULTS = {"right revoked": without_the_right, "trigger": with_a_refusing_trigger}


def broken(fault: str, log: Log, service: str) -> AbstractAsyncContextManager[None]:
    """The fault of this name, for the length of a block."""
    return FAULTS[fault](log, service)


def request_for(rpc: str, world: World) -> Any:
    """A right request about things that exist, a full view where there is one."""
    request = examples.example(rpc)
    name_what_exists(request, world)
    for item in [request, *getattr(request, "items", ())]:
        if "token" in item.DESCRIPTOR.fields_by_name:
            item.token = world.token
    if rpc.endswith("/FindMember"):
        request.email = world.email
    if "view" in request.DESCRIPTOR.fields_by_name:
        request.view = 2
    if rpc.endswith("/UpdateMember"):
        request.update_mask.CopyFrom(FieldMask(paths=["address"]))
    return request


async def state_of(log: Log, service: str) -> Mapping[str, object]:
    """What is kept, in numbers."""
    [row] = await log.fetch(service, KEPT[service])
    return dict(enumerate(row))  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_record_no_answer(stack: Stack, clients: Clients, log: Log, fault: str) -> None:
    """Reads, changes, reveals and refusals are UNAVAILABLE while the log cannot be written, and change nothing.

    Then all of them work again, by the same processes (LG-07).
    """
    world = await world_of(stack, clients, f"{__name__} {fault}")
    pids = {name: process.pid for name, process in stack.services.items()}
    before = {service: await state_of(log, service) for service in KEPT}
    requests = {rpc: request_for(rpc, world) for rpc in ALL}
    async with broken(fault, log, "identity"), broken(fault, log, "payment_vault"):
        for rpc, request in requests.items():
            outcome = await clients.call(allowed_caller(rpc), rpc, request)
            assert (outcome.code, outcome.reason) == (grpc.StatusCode.UNAVAILABLE, "LEDGER_UNAVAILABLE"), rpc
            assert outcome.messages == []
            assert outcome.retry_after is not None
            assert outcome.retry_after > 0
            assert b"900101" not in outcome.everything
        for rpc in ("onggi.identity.v1.MemberService/GetMember", "onggi.identity.v1.MemberService/Nobody"):
            outcome = await clients.call("stranger", rpc, requests[ALL[0]])
            assert outcome.code is grpc.StatusCode.UNAVAILABLE
        assert {service: await state_of(log, service) for service in KEPT} == before
    for rpc, request in requests.items():
        if not rpc.endswith(("WithdrawMember", "RemoveContact", "DeleteToken")):
            outcome = await clients.call(allowed_caller(rpc), rpc, request)
            assert outcome.code is grpc.StatusCode.OK, (rpc, outcome.reason)
    assert {name: process.pid for name, process in stack.services.items() if process.running} == pids
    assert "900101" not in "".join(path.read_text() for path in stack.log_dir.iterdir())


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_is_even_decrypted(stack: Stack, clients: Clients, log: Log, fault: str) -> None:
    """A reveal that cannot be recorded never asks Vault for the number (PV-08)."""
    world = await world_of(stack, clients, f"{__name__} {fault} reveal")
    audit = stack.directory / "openbao" / "audit.log"
    rpc = "onggi.payment_vault.v1.DetokenizationService/Detokenize"
    async with broken(fault, log, "payment_vault"):
        decrypted = audit.read_text().count("transit/decrypt/card")
        outcomes = await asyncio.gather(*(clients.call("billing", rpc, request_for(rpc, world)) for _ in range(20)))
        assert {outcome.reason for outcome in outcomes} == {"LEDGER_UNAVAILABLE"}
        assert audit.read_text().count("transit/decrypt/card") == decrypted
    assert (await clients.call("billing", rpc, request_for(rpc, world))).code is grpc.StatusCode.OK
    assert audit.read_text().count("transit/decrypt/card") > decrypted


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_retry_after_the_fault_is_the_first_time(stack: Stack, clients: Clients, log: Log, fault: str) -> None:
    """The same request_id, refused while the log was broken, is done once afterwards and not twice."""
    rpc, request = "onggi.identity.v1.MemberService/RegisterMember", examples.register()
    async with broken(fault, log, "identity"):
        outcomes = await asyncio.gather(*(clients.call("portal", rpc, request) for _ in range(5)))
        assert {outcome.reason for outcome in outcomes} == {"LEDGER_UNAVAILABLE"}
    first = (await clients.call("portal", rpc, request)).message.member.member_id
    assert (await clients.call("portal", rpc, request)).message.member.member_id == first

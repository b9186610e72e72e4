"""The same request gives the same answer, however often and however many at once it is sent; other content does not."""

import asyncio
import copy
import json
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from dev.stack import Stack
from tests.integration import examples
from tests.integration.bad_input import assert_recorded, world_of
from tests.integration.calls_at_once import many, request_of, told
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log, session

pytestmark = pytest.mark.timeout(120)

REGISTER = "onggi.identity.v1.MemberService/RegisterMember"
UPDATE = "onggi.identity.v1.MemberService/UpdateMember"
WITHDRAW = "onggi.identity.v1.MemberService/WithdrawMember"
ADD_CONTACT = "onggi.identity.v1.ContactService/AddContact"
UPDATE_CONTACT = "onggi.identity.v1.ContactService/UpdateContact"
REMOVE_CONTACT = "onggi.identity.v1.ContactService/RemoveContact"
GIVE = "onggi.identity.v1.ConsentService/GiveConsent"
END = "onggi.identity.v1.ConsentService/WithdrawConsent"
APPEND = "onggi.identity.v1.RecordService/AppendRecords"
TOKENIZE = "onggi.payment_vault.v1.TokenizationService/Tokenize"
BATCH = "onggi.payment_vault.v1.TokenizationService/BatchTokenize"
DELETE_TOKEN = "onggi.payment_vault.v1.TokenizationService/DeleteToken"

EFFECTS = {
    REGISTER: ("identity", "SELECT count(*) FROM member"),
    UPDATE: ("identity", "SELECT sum(version) FROM member"),
    WITHDRAW: ("identity", "SELECT count(*) FROM member WHERE state = 'WITHDRAWN'"),
    ADD_CONTACT: ("identity", "SELECT count(*) FROM contact"),
    UPDATE_CONTACT: ("identity", "SELECT sum(version) FROM contact"),
    REMOVE_CONTACT: ("identity", "SELECT -count(*) FROM contact"),
    GIVE: ("identity", "SELECT count(*) FROM consent"),
    END: ("identity", "SELECT count(*) FROM consent WHERE withdrawn_at IS NOT NULL"),
    APPEND: ("identity", "SELECT count(*) FROM login_record"),
    TOKENIZE: ("payment_vault", "SELECT count(*) FROM token"),
    BATCH: ("payment_vault", "SELECT count(*) FROM token"),
    DELETE_TOKEN: ("payment_vault", "SELECT -count(*) FROM token"),
}


async def effect(log: Log, rpc: str) -> int:
    """A number that goes up by one with every effect of this RPC."""
    service, statement = EFFECTS[rpc]
    [row] = await log.fetch(service, statement)
    return int(row[0])


def answer(outcome: Outcome) -> bytes:
    """What was answered, as bytes."""
    raw: bytes = outcome.message.SerializeToString(deterministic=True)
    return raw


@pytest.mark.parametrize("rpc", EFFECTS)
async def test_one_after_the_other(stack: Stack, clients: Clients, log: Log, rpc: str) -> None:
    """Three times the same request, one after the other: one effect, one answer, three rows (AIP-155)."""
    request = await request_of(rpc, stack, clients, f"{__name__} {rpc} serial")
    before = await effect(log, rpc)
    outcomes = [(await many(clients, rpc, request, 1))[0] for _ in range(3)]
    assert told(outcomes) == {("OK", ""): 3}
    assert len({answer(outcome) for outcome in outcomes}) == 1
    assert await effect(log, rpc) - before == 1
    for outcome in outcomes:
        await log.one_row_of(outcome)


@pytest.mark.parametrize("rpc", EFFECTS)
async def test_all_at_once(stack: Stack, clients: Clients, log: Log, rpc: str) -> None:
    """Fifty times the same request at once: one effect, and all fifty hear the one answer (AIP-155, N2).

    A lock holds the first up until all have come.
    """
    request = await request_of(rpc, stack, clients, f"{__name__} {rpc} at once")
    service, _ = EFFECTS[rpc]
    before = await effect(log, rpc)
    async with session(stack.postgres.login(service, "postgres")) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("LOCK TABLE idempotency IN SHARE MODE")  # may be read and not yet be written
        calls = asyncio.create_task(many(clients, rpc, request, 7 if service == "identity" else 50))
        await asyncio.sleep(0.8)
        await transaction.commit()
    outcomes = await calls
    outcomes += await many(clients, rpc, request, 50 - len(outcomes))
    assert await effect(log, rpc) - before == 1
    assert told(outcomes) == {("OK", ""): len(outcomes)}
    assert len({answer(outcome) for outcome in outcomes}) == 1


def another_content(rpc: str, request: Any) -> Any:
    """The same request with other content."""
    other = copy.deepcopy(request)
    match rpc:
        case "onggi.identity.v1.MemberService/RegisterMember":
            other.profile.address += " 2"
        case "onggi.payment_vault.v1.TokenizationService/Tokenize":
            other.instrument.CopyFrom(examples.card())
        case _ if hasattr(other, "profile"):
            other.update_mask.CopyFrom(FieldMask(paths=["email"])) if hasattr(other, "update_mask") else None
            other.profile.email = "other@other.example"
        case _ if hasattr(other, "records"):
            other.records[0].login.user_agent += " 2"
        case _ if hasattr(other, "contact_id"):
            other.contact_id = examples.new_id()
        case _:
            other.member_id = examples.new_id()
    return other


@pytest.mark.parametrize("rpc", [rpc for rpc in EFFECTS if rpc not in {BATCH, UPDATE_CONTACT}])
async def test_other_content_is_refused(stack: Stack, clients: Clients, log: Log, rpc: str) -> None:
    """A used request_id with other content is ALREADY_EXISTS, REQUEST_ID_REUSED, and has no effect (X5)."""
    request = await request_of(rpc, stack, clients, f"{__name__} {rpc} other")
    assert told(await many(clients, rpc, request, 1)) == {("OK", ""): 1}
    before = await effect(log, rpc)
    [outcome] = await many(clients, rpc, another_content(rpc, request), 1)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert outcome.violations == [("request_id", "reused")]
    assert await effect(log, rpc) == before
    await assert_recorded(log, outcome)


async def test_a_batch_refuses_other_content_item_by_item(stack: Stack, clients: Clients, log: Log) -> None:
    """A batch sent again with one item changed: the others give their first answers, that one is refused (X5)."""
    request = await request_of(BATCH, stack, clients, f"{__name__} batch")
    request.items.add(member_id=request.items[0].member_id, instrument=examples.card())
    first = (await clients.call("billing", BATCH, request)).message.results
    request.items[1].instrument.CopyFrom(examples.card())
    second = (await clients.call("billing", BATCH, request)).message.results
    assert second[0].token.token == first[0].token.token
    assert (second[1].error.code, second[1].error.field) == ("ALREADY_EXISTS", "request_id")


async def test_a_request_id_is_one_for_all_methods_and_each_callers_own(stack: Stack, clients: Clients) -> None:
    """A request_id that one RPC has used is refused to another RPC of the caller, and is another caller's to use (X5)."""
    request = await request_of(ADD_CONTACT, stack, clients, f"{__name__} methods")
    assert told(await many(clients, ADD_CONTACT, request, 1)) == {("OK", ""): 1}
    register = examples.register()
    register.request_id = request.request_id
    [reused] = await many(clients, REGISTER, register, 1)
    assert reused.reason == "REQUEST_ID_REUSED"
    tokenize = examples.tokenize(request.member_id)
    tokens = [(await clients.call(caller, TOKENIZE, tokenize)).message.token.token for caller in ("portal", "billing")]
    assert tokens[0] == tokens[1]


async def test_why_and_when_are_no_content(stack: Stack, clients: Clients) -> None:
    """A retry may state its reason in other words: it is the same request."""
    request = await request_of(TOKENIZE, stack, clients, f"{__name__} why")
    first = (await clients.call("billing", TOKENIZE, request)).message.token.token
    request.access.reason = "once more"
    assert (await clients.call("billing", TOKENIZE, request)).message.token.token == first


async def test_one_card_of_a_hundred_callers_is_one_token(stack: Stack, clients: Clients, log: Log) -> None:
    """A hundred requests at once with the same card, each with an id of its own: one token, one row in the table (X4)."""
    world = await world_of(stack, clients, f"{__name__} card")
    card = examples.card()
    requests = [examples.tokenize(world.member_id, card) for _ in range(100)]
    outcomes = await asyncio.gather(*(
        clients.call(("portal", "billing")[number % 2], TOKENIZE, request) for number, request in enumerate(requests)
    ))  # fmt: skip
    assert told(list(outcomes)) == {("OK", ""): 100}
    tokens = {outcome.message.token.token for outcome in outcomes}
    assert len(tokens) == 1
    [row] = await log.fetch("payment_vault", "SELECT count(*) FROM token WHERE token = ANY($1)", list(tokens))
    assert row[0] == 1
    [all_of_it] = await log.fetch("payment_vault", "SELECT count(*) FROM token WHERE member_id = $1", world.member_id)
    assert all_of_it[0] == 2  # and the one that the member had


async def test_a_value_that_another_member_has_alarms_nobody(stack: Stack, clients: Clients) -> None:
    """Who registers an address that is known is told so; the service's log has no error of it, as of a missing right."""
    first, second = examples.register(), examples.register()
    second.profile.email = first.profile.email
    await clients.call("portal", REGISTER, first)
    file = stack.log_dir / "identity.log"
    before = len(file.read_text().splitlines())

    assert (await clients.call("portal", REGISTER, second)).reason == "ALREADY_REGISTERED"

    lines = [json.loads(line) for line in file.read_text().splitlines()[before:]]
    told = [line for line in lines if line.get("constraint") == "member_email"]
    assert [(line["event"], line["level"]) for line in told] == [("statement refused", "info")]


async def test_the_same_card_of_two_members_is_two_tokens(stack: Stack, clients: Clients) -> None:
    """Fingerprints are each member's own: a shared card links nobody (PV-07)."""
    world = await world_of(stack, clients, f"{__name__} two")
    card = examples.card()
    tokens = [
        (await clients.call("billing", TOKENIZE, examples.tokenize(member, card))).message.token.token
        for member in (world.member_id, world.other_member_id)
    ]
    assert tokens[0] != tokens[1]


async def test_a_retry_after_deletion_brings_nothing_back(stack: Stack, clients: Clients, log: Log) -> None:
    """Tokenize, DeleteToken, Tokenize again with the first request_id: a typed answer, and the number stays gone (R-03)."""
    request = await request_of(TOKENIZE, stack, clients, f"{__name__} deleted")
    token = (await clients.call("billing", TOKENIZE, request)).message.token.token
    deletion = examples.example(DELETE_TOKEN)
    deletion.member_id, deletion.token = request.member_id, token
    assert (await clients.call("billing", DELETE_TOKEN, deletion)).code is grpc.StatusCode.OK
    again = await clients.call("billing", TOKENIZE, request)
    assert again.code is not grpc.StatusCode.INTERNAL
    assert await log.fetch("payment_vault", "SELECT 1 FROM token WHERE token = $1", token) == []

"""Bad items among good ones: each has its own answer, and a bad one never fails its neighbours."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from dev.stack import Stack
from tests.integration import examples
from tests.integration.bad_fields import card, foreign_card, rrn, spoiled
from tests.integration.bad_input import Planted, World, assert_nowhere, assert_recorded, assert_silent, world_of
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

TOKENIZE = "onggi.payment_vault.v1.TokenizationService/BatchTokenize"
DETOKENIZE = "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize"
APPEND = "onggi.identity.v1.RecordService/AppendRecords"
LIST = "onggi.identity.v1.RecordService/ListRecords"


@pytest.fixture(scope="module")
def planted() -> Planted:
    """The values that this module sends."""
    return Planted()


@pytest.fixture
async def world(stack: Stack, clients: Clients) -> World:
    """Things that exist."""
    return await world_of(stack, clients, __name__)


def errors_of(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Reason, field and rule of each item; empty where it succeeded."""
    return [
        (reasons.ErrorReason.Name(error.reason).removeprefix("ERROR_REASON_") if error.code else "", error.field, error.rule)
        for error in (result.error for result in outcome.message.results)
    ]  # fmt: skip


async def test_bad_instruments_leave_their_neighbours_alone(
    clients: Clients, log: Log, planted: Planted, world: World
) -> None:
    """Of nine instruments the three good ones have tokens, each bad one an error of their own (F1)."""
    luhn, subject = spoiled(foreign_card()), rrn()
    for value in (luhn, subject):
        planted.add(value)
    item = tokens.TokenizeItem
    request = examples.example(TOKENIZE)
    del request.items[:]
    request.items.extend([
        item(member_id=world.member_id, instrument=examples.card()),
        item(member_id=world.member_id, instrument=examples.card(number=luhn)),
        item(member_id=subject, instrument=examples.card()),
        item(),
        item(member_id=world.member_id),
        item(member_id=world.member_id, instrument=examples.bank_account()),
        item(member_id=world.member_id, instrument=examples.card(expiry="01/20")),
        item(member_id=world.member_id, instrument=examples.bank_account(number="48201-x")),
        item(member_id=world.other_member_id, instrument=examples.bank_account()),
    ])  # fmt: skip
    outcome = await clients.call("billing", TOKENIZE, request)
    assert errors_of(outcome) == [
        ("", "", ""),
        ("INVALID_FIELD", "instrument.card.number", "CHECK_DIGIT"),
        ("INVALID_FIELD", "member_id", "string.uuid"),
        ("INVALID_FIELD", "member_id", "string.uuid_empty"),
        ("INVALID_FIELD", "instrument", "required"),
        ("", "", ""),
        ("INVALID_FIELD", "instrument.card.expiry", "EXPIRED"),
        ("INVALID_FIELD", "instrument.bank_account.number", "string.min_len"),
        ("", "", ""),
    ]
    assert_silent(outcome, luhn)
    assert luhn not in str(outcome.message)
    row = await assert_recorded(log, outcome)
    assert {str(found) for found in row["subject_ids"]} == {world.member_id, world.other_member_id}
    shown = [result.token.token for result in outcome.message.results if result.token.token]
    read = examples.example(DETOKENIZE)
    del read.items[:]
    read.items.extend(
        reveals.DetokenizeItem(member_id=member, token=token)
        for member, token in zip([world.member_id, world.member_id, world.other_member_id], shown, strict=True)
    )
    assert errors_of(await clients.call("billing", DETOKENIZE, read)) == [("", "", "")] * 3


async def test_bad_tokens_leave_their_neighbours_alone(
    clients: Clients, log: Log, planted: Planted, world: World
) -> None:
    """A number in a token's place, junk, and another member's token are errors of their items alone."""
    number = card()
    planted.add(number)
    item = reveals.DetokenizeItem
    request = examples.example(DETOKENIZE)
    del request.items[:]
    request.items.extend([
        item(member_id=world.member_id, token=number),
        item(member_id=world.member_id, token=world.token),
        item(member_id=world.other_member_id, token=world.token),
        item(member_id=number, token=world.token),
        item(member_id=world.member_id),
        item(member_id=world.member_id, token=examples.JUNK_TOKEN),
        item(member_id=world.member_id, token=world.token),
    ])  # fmt: skip
    outcome = await clients.call("billing", DETOKENIZE, request)
    assert errors_of(outcome) == [
        ("TOKEN_NOT_FOUND", "", ""),
        ("", "", ""),
        ("TOKEN_NOT_FOUND", "", ""),
        ("INVALID_FIELD", "member_id", "string.uuid"),
        ("INVALID_FIELD", "token", "string.min_len"),
        ("TOKEN_NOT_FOUND", "", ""),
        ("", "", ""),
    ]
    assert number not in str(outcome.message)
    row = await assert_recorded(log, outcome)
    assert number not in str(row)


async def test_bad_records_leave_their_neighbours_alone(
    clients: Clients, log: Log, planted: Planted, world: World
) -> None:
    """Of eight log-ins the two good ones are added; each other has its own error (R-12)."""
    address, agent = "203.0.113.777", f"Browser {rrn()}"
    planted.add(agent.partition(" ")[2])
    tomorrow, ancient = Timestamp(), Timestamp(seconds=0)
    tomorrow.GetCurrentTime()
    tomorrow.seconds += 2 * 24 * 3600
    bad_address, bad_agent = examples.login(world.member_id), examples.login(world.member_id)
    bad_address.login.ip_address, bad_agent.login.user_agent = address, agent
    bare = examples.login(world.member_id)
    bare.ClearField("login")
    request = examples.example(APPEND)
    del request.records[:]
    request.records.extend([
        examples.login(world.member_id),
        bad_address,
        bad_agent,
        bare,
        examples.login(world.member_id, occurred_at=tomorrow),
        examples.login(world.member_id, occurred_at=ancient),
        examples.login(examples.new_id()),
        examples.login(world.member_id),
    ])  # fmt: skip
    outcome = await clients.call("portal", APPEND, request)
    assert errors_of(outcome) == [
        ("", "", ""),
        ("INVALID_FIELD", "login.ip_address", "string.ip"),
        ("FORBIDDEN_CONTENT", "login.user_agent", "RESIDENT_NUMBER"),
        ("INVALID_FIELD", "body", "required"),
        ("INVALID_FIELD", "occurred_at", "in_the_future"),
        ("INVALID_FIELD", "occurred_at", "too_old"),
        ("MEMBER_NOT_FOUND", "", ""),
        ("", "", ""),
    ]
    await assert_recorded(log, outcome)
    listing = examples.example(LIST)
    listing.member_id = world.member_id
    listed = (await clients.call("portal", LIST, listing)).message.records
    added = {result.record_id for result in outcome.message.results if result.record_id}
    assert added <= {record.record_id for record in listed}


@pytest.mark.parametrize("instant", [Timestamp(seconds=1 << 60), Timestamp(seconds=1, nanos=2_000_000_000)], ids=str)
async def test_a_time_that_no_calendar_has_is_an_error_of_its_item(
    clients: Clients, world: World, instant: Timestamp
) -> None:
    """A timestamp out of its range is INVALID_FIELD of its own item (F1)."""
    request = examples.example(APPEND)
    del request.records[:]
    request.records.extend([examples.login(world.member_id), examples.login(world.member_id, occurred_at=instant)])
    outcome = await clients.call("portal", APPEND, request)
    assert [found[:2] for found in errors_of(outcome)] == [("", ""), ("INVALID_FIELD", "occurred_at")]


@pytest.mark.parametrize("rpc", [TOKENIZE, DETOKENIZE, APPEND])
@pytest.mark.parametrize("count", [0, 1001])
async def test_a_batch_has_one_to_a_thousand_items(clients: Clients, log: Log, rpc: str, count: int) -> None:
    """No item and 1,001 items are refused as a whole, by the name of the list (F5)."""
    request = examples.example(rpc)
    name = "records" if rpc == APPEND else "items"
    items = getattr(request, name)
    one = items[0]
    del items[:]
    items.extend([one] * count)
    outcome = await clients.call("portal" if rpc == APPEND else "billing", rpc, request)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert outcome.violations == [(name, "repeated.max_items" if count else "repeated.min_items")]
    await assert_recorded(log, outcome)


async def test_a_thousand_items_are_taken(clients: Clients, log: Log, world: World) -> None:
    """A full batch is answered item by item, in its order, with one row."""
    request = examples.example(DETOKENIZE)
    del request.items[:]
    good = reveals.DetokenizeItem(member_id=world.member_id, token=world.token)
    bad = reveals.DetokenizeItem(member_id=world.member_id, token=examples.JUNK_TOKEN)
    request.items.extend([good, bad] * 500)
    outcome = await clients.call("billing", DETOKENIZE, request)
    assert errors_of(outcome) == [("", "", ""), ("TOKEN_NOT_FOUND", "", "")] * 500
    await assert_recorded(log, outcome)


async def test_nothing_of_it_is_anywhere(stack: Stack, clients: Clients, log: Log, planted: Planted) -> None:
    """None of the bad values is in a service's log, PostgreSQL's, Vault's audit, a span or a table (L1, L2)."""
    await assert_nowhere(stack, clients, log, planted, least=6)

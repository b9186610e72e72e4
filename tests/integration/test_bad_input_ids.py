"""One id has one spelling: a UUID in capitals is refused or is the same id, everywhere, in the log and in the keys too."""

import grpc
import pytest

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.bad_input import World, assert_recorded, name_what_exists, world_of
from tests.integration.clients import Clients
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(60)

REFUSED = grpc.StatusCode.INVALID_ARGUMENT
NAMING = {
    "onggi.identity.v1.ContactService/GetContact": "contact_id",
    "onggi.identity.v1.ContactService/ListContacts": "member_id",
    "onggi.identity.v1.RecordService/ListRecords": "member_id",
    "onggi.identity.v1.MemberService/UpdateMember": "member_id",
    "onggi.identity.v1.ContactService/UpdateContact": "contact_id",
    "onggi.payment_vault.v1.TokenizationService/GetToken": "member_id",
    "onggi.payment_vault.v1.DetokenizationService/Detokenize": "member_id",
}
TOKENIZE = "onggi.payment_vault.v1.TokenizationService/Tokenize"
DETOKENIZE = "onggi.payment_vault.v1.DetokenizationService/Detokenize"
REMOVE = "onggi.identity.v1.ContactService/RemoveContact"


async def world(stack: Stack, clients: Clients, name: str) -> World:
    """Things of a test's own."""
    return await world_of(stack, clients, f"{__name__} {name}")


@pytest.mark.parametrize("rpc", NAMING)
async def test_capitals_hide_no_access(stack: Stack, clients: Clients, log: Log, rpc: str) -> None:
    """Asked in capitals, the answer is a refusal, or the data and a row that says so and names the subject (LG-01)."""
    there = await world(stack, clients, rpc)
    request = examples.example(rpc)
    name_what_exists(request, there)
    if hasattr(request, "token"):
        request.token = there.token
    wanted = getattr(request, NAMING[rpc])
    setattr(request, NAMING[rpc], wanted.upper())
    outcome = await clients.call(allowed_caller(rpc), rpc, request)
    row = await assert_recorded(log, outcome)
    assert outcome.code in {grpc.StatusCode.OK, REFUSED}
    assert outcome.code is REFUSED or wanted in {str(found) for found in row["subject_ids"]}


async def test_capitals_seal_nothing_under_a_salt_of_their_own(stack: Stack, clients: Clients, log: Log) -> None:
    """A card stored for a member in capitals can be revealed, and dies with the member's one salt (R-03, PV-09)."""
    there = await world(stack, clients, "tokenize")
    stored = await clients.call("billing", TOKENIZE, examples.tokenize(there.member_id.upper()))
    units = await log.fetch(
        "payment_vault", "SELECT unit FROM erasure_key WHERE lower(unit) = $1", f"member:{there.member_id}"
    )
    assert len(units) == 1
    if stored.code is not REFUSED:
        reveal = examples.example(DETOKENIZE)
        reveal.member_id, reveal.token = there.member_id, stored.message.token.token
        assert (await clients.call("billing", DETOKENIZE, reveal)).code is grpc.StatusCode.OK


async def test_capitals_destroy_salt_and_row_or_nothing(stack: Stack, clients: Clients, log: Log) -> None:
    """A contact removed in capitals leaves no salt behind (R-01)."""
    there = await world(stack, clients, "remove")
    request = examples.example(REMOVE)
    request.contact_id = there.contact_id.upper()
    outcome = await clients.call("portal", REMOVE, request)
    [salt] = await log.fetch(
        "identity", "SELECT wrapped_salt FROM erasure_key WHERE unit = $1", f"contact:{there.contact_id}"
    )
    assert (salt["wrapped_salt"] is None) == (outcome.code is grpc.StatusCode.OK)

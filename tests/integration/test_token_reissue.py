"""ReissueToken: a new token for the same instrument, the old one gone in the same breath, and no number shown."""

import asyncio

import grpc
import pytest
from onggi.payment_vault.v1 import instrument_pb2 as instruments

from dev.stack import Stack
from tests.integration import examples
from tests.integration.calls_at_once import told
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.vault_tokens import GET, REISSUE, REVEAL, ahead, ask, let_expire, put

RECEIPT = instruments.Instrument(cash_receipt=instruments.CashReceiptIdentifier(mobile_phone="010-0000-4321"))


@pytest.mark.parametrize("kind", ["card", "bank_account", "cash_receipt"])
async def test_a_token_is_replaced(clients: Clients, log: Log, kind: str) -> None:
    """The new token reveals the same instrument, the old one is unknown, and the answer is masked (PV-06)."""
    member = examples.new_id()
    instrument = {"card": examples.card, "bank_account": examples.bank_account, "cash_receipt": lambda: RECEIPT}[kind]()
    old = await put(clients, member, instrument)
    full = (await ask(clients, REVEAL, member, old.token)).message.instrument
    outcome = await ask(clients, REISSUE, member, old.token)
    new = outcome.message.token
    assert new.token != old.token
    assert new.token[:9] == old.token[:9]
    assert (new.masked, new.member_id, new.expires_at) == (old.masked, member, old.expires_at)
    assert (await ask(clients, REVEAL, member, new.token)).message.instrument == full
    for rpc in (GET, REVEAL, REISSUE):
        assert (await ask(clients, rpc, member, old.token)).reason == "TOKEN_NOT_FOUND"
    row = await log.one_row_of(outcome)
    assert (row["action"], [str(subject) for subject in row["subject_ids"]]) == ("TOKENIZE", [member])
    assert (await put(clients, member, instrument)).token == new.token  # who has the card finds the new token


async def test_a_lifetime_stays(clients: Clients) -> None:
    """An end that was asked for, and the single use, go over to the new token."""
    member = examples.new_id()
    old = await put(clients, member, examples.bank_account(), expires_at=ahead(days=3), one_time=True)
    new = (await ask(clients, REISSUE, member, old.token)).message.token
    assert (new.expires_at, new.one_time) == (old.expires_at, True)


async def test_ten_at_once_are_one(clients: Clients, log: Log) -> None:
    """The same request ten times at once: one new token, heard by all; another request finds nothing any more."""
    member = examples.new_id()
    old = await put(clients, member)
    request = examples.example(REISSUE)
    request.member_id, request.token = member, old.token
    outcomes = await asyncio.gather(*(clients.call("billing", REISSUE, request) for _ in range(10)))
    assert told(list(outcomes)) == {("OK", ""): 10}
    assert len({outcome.message.token.token for outcome in outcomes}) == 1
    [row] = await log.fetch("payment_vault", "SELECT count(*) FROM token WHERE member_id = $1", member)
    assert row[0] == 1
    assert (await ask(clients, REISSUE, member, old.token)).reason == "TOKEN_NOT_FOUND"


async def test_it_races_with_the_same_card(clients: Clients, log: Log) -> None:
    """Tokenize of the card while its token is replaced, ten times: one row, and the last token reveals."""
    member, card = examples.new_id(), examples.card()
    token = (await put(clients, member, card)).token
    for _ in range(10):
        reissued, _ = await asyncio.gather(ask(clients, REISSUE, member, token), put(clients, member, card))
        token = reissued.message.token.token
    [row] = await log.fetch("payment_vault", "SELECT token FROM token WHERE member_id = $1", member)
    assert row["token"] == token
    assert (await ask(clients, REVEAL, member, token)).code is grpc.StatusCode.OK


@pytest.mark.parametrize("what", ["another member's", "junk", "expired"])
async def test_what_is_not_there_is_not_replaced(stack: Stack, clients: Clients, log: Log, what: str) -> None:
    """Unknown, foreign, expired: one answer, and nothing changes."""
    member = examples.new_id()
    token = (await put(clients, member)).token
    if what == "expired":
        await let_expire(stack, token)
    owner = examples.new_id() if what == "another member's" else member
    outcome = await ask(clients, REISSUE, owner, examples.JUNK_TOKEN if what == "junk" else token)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND")
    await log.one_row_of(outcome)
    assert len(await log.fetch("payment_vault", "SELECT 1 FROM token WHERE token = $1", token)) == 1


async def test_an_expired_token_is_not_replaced_by_a_retry(stack: Stack, clients: Clients) -> None:
    """A retry whose new token has ended since is told so, in the same words."""
    member = examples.new_id()
    request = examples.example(REISSUE)
    request.member_id, request.token = member, (await put(clients, member)).token
    new = (await clients.call("billing", REISSUE, request)).message.token.token
    await let_expire(stack, new)
    assert (await clients.call("billing", REISSUE, request)).reason == "TOKEN_NOT_FOUND"

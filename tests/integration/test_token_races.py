"""Many callers with the same instrument at the same moment: one token and one row, whoever was first (PV-07)."""

import asyncio

import pytest
from onggi.payment_vault.v1 import instrument_pb2 as instruments

from tests.integration import examples
from tests.integration.calls_at_once import told
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.vault_tokens import REVEAL, TOKENIZE, ask

CALLS, PRODUCTS = 1000, 200


def number_of(instrument: instruments.Instrument) -> str:
    """The number of a card or an account, as its digits."""
    part = instrument.card if instrument.HasField("card") else instrument.bank_account
    return part.number.replace("-", "")


@pytest.mark.timeout(120)
async def test_a_thousand_callers_with_one_card(clients: Clients, log: Log) -> None:
    """A thousand requests, each with an id of its own, for one card of one member: one token, one row, a log row each."""
    member, card = examples.new_id(), examples.card()
    requests = [examples.tokenize(member, card) for _ in range(CALLS)]
    outcomes = await asyncio.gather(*(
        clients.call(("portal", "billing")[number % 2], TOKENIZE, request, timeout=60)
        for number, request in enumerate(requests)
    ))  # fmt: skip
    assert told(list(outcomes)) == {("OK", ""): CALLS}
    [token] = {outcome.message.token.token for outcome in outcomes}
    rows = await log.fetch("payment_vault", "SELECT token FROM token WHERE member_id = $1", member)
    assert [row["token"] for row in rows] == [token]
    [logged] = await log.fetch(
        "payment_vault", "SELECT count(*) FROM processing_log WHERE subject_ids @> ARRAY[$1::uuid]", member
    )
    assert logged[0] == CALLS


async def test_what_was_stored_is_what_is_revealed(clients: Clients, log: Log) -> None:
    """Instruments of all kinds, each stored twice at once: one token each, each reveals its own, no number in a row."""
    member = examples.new_id()
    makers = (examples.card, examples.bank_account)
    made = [makers[number % 2]() for number in range(PRODUCTS)]
    both = await asyncio.gather(*(
        clients.call("billing", TOKENIZE, examples.tokenize(member, item), timeout=60) for item in [*made, *made]
    ))  # fmt: skip
    tokens = [outcome.message.token.token for outcome in both]
    assert tokens[:PRODUCTS] == tokens[PRODUCTS:]
    assert len(set(tokens)) == PRODUCTS
    opened = await asyncio.gather(*(ask(clients, REVEAL, member, token) for token in tokens[:20]))
    for given, outcome in zip(made, opened, strict=False):
        assert number_of(outcome.message.instrument) == number_of(given)
    text = str(await log.fetch("payment_vault", "SELECT * FROM token WHERE member_id = $1", member))
    for item in made:
        assert number_of(item) not in text

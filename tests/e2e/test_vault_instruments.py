"""What the vault promises of a token, over a hundred thousand instruments and the wire (PV-06, PV-07)."""

import re

import pytest
from stdnum import luhn

from chassis import kst
from dev.stack import Stack
from services.payment_vault.forms import form
from tests.e2e.faults import Figures, query
from tests.e2e.sized import Product, Stored, revealed, store
from tests.integration.clients import Clients
from tests.products import number_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def _kind(one: Product) -> str:
    return one.instrument.WhichOneof("kind") or ""


def test_no_token_is_or_has_a_number(stored: Stored) -> None:
    """PV-06: typed by its prefix; no number, not Luhn-valid, no run of six digits; no first six digits of its number."""
    prefixes = {"card": "tok_card_", "bank_account": "tok_acct_", "cash_receipt": "tok_rcpt_"}
    for one, token in zip(stored.held, stored.tokens, strict=True):
        number = number_of(one.instrument)
        assert token.startswith(prefixes[_kind(one)])
        assert not token.isdigit()
        assert not luhn.is_valid(token)
        assert not re.search(r"\d{6}", token)
        assert number[:6] not in token
        assert number[:6] not in re.sub(r"\D", "", token)[:6], "nor in its digits alone, at their beginning"


async def test_an_instrument_of_a_member_has_one_token(sized: Stack, stored: Stored, figures: Figures) -> None:
    """PV-07: typed otherwise and asked for again, each has its token; two members with one card have two; a row each."""
    today = kst.today()
    keys = [(one.member_id, _kind(one), form(one.instrument, today).whole) for one in stored.held]
    clients = Clients(sized)
    try:
        again = await store(
            clients, [Product(one.member_id, stored.products.respelled(one.instrument)) for one in stored.held]
        )
    finally:
        await clients.close()
    by_key = dict(zip(keys, stored.tokens, strict=True))
    assert again == [by_key[key] for key in keys] == list(stored.tokens)
    assert len(set(stored.tokens)) == len(by_key)
    [row] = await query(
        sized, "payment_vault",
        "SELECT count(*), count(DISTINCT fingerprint) FROM token WHERE member_id = ANY($1::uuid[])", stored.members,
    )  # fmt: skip
    assert tuple(row) == (len(by_key), len(by_key))
    figures(
        f"{len(keys)} instruments of {len(stored.members)} members, each asked for twice: {len(by_key)} tokens and rows; "
        f"{len(keys) / stored.seconds:.0f} a second by BatchTokenize"
    )


async def test_every_token_reveals_its_instrument(sized: Stack, stored: Stored, figures: Figures) -> None:
    """Round trip: number, expiry, bank and payer come back as they were registered, in one form."""
    today = kst.today()
    clients = Clients(sized)
    try:
        results = await revealed(
            clients, [(one.member_id, token) for one, token in zip(stored.held, stored.tokens, strict=True)]
        )
    finally:
        await clients.close()
    wrong = sum(
        result.instrument != form(one.instrument, today).instrument
        for one, result in zip(stored.held, results, strict=True)
    )
    assert (len(results), wrong) == (len(stored.held), 0)
    figures(f"{len(results)} tokens revealed: {wrong} differ from what was registered")

"""Tokens and what tells instruments apart, over many generated ones: nothing of a number is in a token (PV-06, PV-07)."""

import hashlib
import hmac
import random
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as api
from stdnum import luhn

from chassis.contents import items_held
from chassis.errors import InvalidField
from services.payment_vault.fingerprints import Fingerprints, fingerprints, key_input
from services.payment_vault.forms import Form, form
from services.payment_vault.lifetime import LONGEST, Lifetime, lifetime
from services.payment_vault.tokens import is_token, new_token
from tests.products import Products

COUNT = 100_000
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
RANDOM = random.Random(20261124)
PREFIXES = {"card": "tok_card_", "bank_account": "tok_acct_", "cash_receipt": "tok_rcpt_"}
PRODUCTS = Products(20261124, TODAY)


def digests(checked: Form, member: str, request: str = "") -> Fingerprints:
    """The two fingerprints of an instrument, under another key than Vault's."""
    return fingerprints(hmac.new(b"test", key_input(checked, member), hashlib.sha256).hexdigest(), checked, request)


@pytest.fixture(scope="module")
def products() -> list[tuple[instruments.Instrument, Form, str]]:
    """A hundred thousand instruments in their one form, with a token each."""
    made = PRODUCTS.draw(COUNT)
    forms = [form(item, TODAY) for item in made]
    return [(item, checked, new_token(checked.kind)) for item, checked in zip(made, forms, strict=True)]


def test_no_token_is_a_number(products: list[tuple[instruments.Instrument, Form, str]]) -> None:
    """None is numeric, none is Luhn-valid whole or by its digits, none has a run of digits that a scanner would take."""
    for _, checked, token in products:
        assert token.startswith(PREFIXES[checked.kind])
        assert not token.isdigit()
        assert not luhn.is_valid(token)
        assert not re.search(r"\d{6}", token)


def test_no_token_has_anything_of_its_number(products: list[tuple[instruments.Instrument, Form, str]]) -> None:
    """Neither the first six nor the last four digits stand in the token more often than in a token of somebody else.

    A random token has four given digits somewhere by accident: both counts are of accidents.
    """
    numbers = [re.sub(r"\D", "", checked.number) for _, checked, _ in products]
    tokens = [token for _, _, token in products]
    assert not [number for number, token in zip(numbers, tokens, strict=True) if number[:6] in token]
    own = sum(number[-4:] in token for number, token in zip(numbers, tokens, strict=True))
    others = sum(number[-4:] in token for number, token in zip(numbers, tokens[1:] + tokens[:1], strict=True))
    assert own < others + 20


def test_a_token_is_known_by_its_checksum(products: list[tuple[instruments.Instrument, Form, str]]) -> None:
    """Every token is one; with any letter changed, or another kind's prefix, it is none but by a rare accident (2^-20)."""
    tokens = [token for _, _, token in products]
    assert all(map(is_token, tokens))
    assert len(set(tokens)) == COUNT
    accidents = 0
    for token in tokens:
        at = RANDOM.randrange(9, len(token))
        other = RANDOM.choice([letter for letter in "abcxyz27" if letter != token[at]])
        accidents += is_token(token[:at] + other + token[at + 1 :])
        accidents += is_token({"c": "tok_acct_", "a": "tok_rcpt_", "r": "tok_card_"}[token[4]] + token[9:])
    assert accidents <= 3


def test_one_instrument_has_one_form(products: list[tuple[instruments.Instrument, Form, str]]) -> None:
    """However it is typed, and once more when it is in form already, an instrument has the same form and fingerprints."""
    for item, checked, _ in products[:20_000]:
        again = form(PRODUCTS.respelled(item), TODAY)
        assert again == checked
        assert digests(again, "m") == digests(checked, "m")
    for _, checked, _ in products[:5_000]:
        assert form(checked.instrument, TODAY).instrument == checked.instrument


def test_other_instruments_and_other_members_have_other_fingerprints(
    products: list[tuple[instruments.Instrument, Form, str]],
) -> None:
    """As many as instruments for a member, none of them another member's: a shared card links nobody (PV-07)."""
    forms = [checked for _, checked, _ in products]
    mine, other = ([digests(checked, member) for checked in forms] for member in ("a", "b"))
    whole, numbers = {one.whole for one in mine}, {one.number for one in mine}
    assert len(whole) == len({(checked.kind, checked.whole) for checked in forms})
    assert len(numbers) == len({(checked.kind, checked.number) for checked in forms})
    assert len(whole) > COUNT * 0.999
    assert not whole & numbers
    assert not (whole | numbers) & {digest for one in other for digest in one}


def test_neither_fingerprint_tells_of_the_other() -> None:
    """Whoever has the key finds the expiry by trying; with a stored fingerprint in its place nobody does."""
    card = form(PRODUCTS.card(), TODAY)
    payer = card.instrument.card.business_registration_number
    tried = [
        card._replace(whole=f"{card.number}|{month:02}/{year}|{payer}")
        for month in range(1, 13)
        for year in range(26, 47)
    ]
    known = fingerprints("the key", card)
    assert known.whole in {fingerprints("the key", one).whole for one in tried}
    for stored in known:
        assert not {digest for one in tried for digest in fingerprints(stored, one)} & set(known)


def test_nothing_of_a_number_is_in_its_masked_view(products: list[tuple[instruments.Instrument, Form, str]]) -> None:
    """The masked view has no seven digits of the number in a row, and no expiry."""
    for _, checked, _ in products[:30_000]:
        number = re.sub(r"\D", "", checked.number.partition("|")[2] or checked.number)
        shown = "".join(re.findall(r"\d", str(checked.masked)))
        assert number not in shown
        assert checked.instrument.card.expiry not in str(checked.masked) or checked.kind != "card"


def test_a_token_with_an_end_of_its_own_is_its_requests_alone() -> None:
    """The same card asked for with an end by two requests has two second fingerprints, and a retry has the first's."""
    checked = form(PRODUCTS.card(), TODAY)
    shared, first = digests(checked, "m"), digests(checked, "m", request="1")
    other, retry = digests(checked, "m", request="2"), digests(checked, "m", request="1")
    assert first == retry
    assert len({shared.whole, first.whole, other.whole}) == 3
    assert len({shared.number, first.number, other.number}) == 1


@pytest.mark.parametrize(
    ("last_day", "ends"),
    [
        (date(2026, 11, 30), datetime(2026, 11, 30, 15, tzinfo=UTC)),
        (date(2028, 2, 29), datetime(2028, 2, 29, 15, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_lifetime_is_the_instruments(last_day: date | None, ends: datetime | None) -> None:
    """Midnight in Korea after the last day; nothing for what has none."""
    assert lifetime(api.TokenizeItem(), last_day, NOW) == Lifetime(ends, one_time=False, own=False)


@pytest.mark.parametrize(
    ("ahead", "rule"),
    [(timedelta(0), "in_the_past"), (timedelta(microseconds=1), ""), (LONGEST, ""), (LONGEST * 2, "too_far")],
)
def test_an_end_lies_ahead_and_within_five_years(ahead: timedelta, rule: str) -> None:
    """Bounds of what may be asked for, exact."""
    stamp = Timestamp()
    stamp.FromDatetime(NOW + ahead)
    item = api.TokenizeItem(expires_at=stamp)
    if not rule:
        assert lifetime(item, None, NOW) == Lifetime(NOW + ahead, one_time=False, own=True)
        return
    with pytest.raises(InvalidField) as refused:
        lifetime(item, None, NOW)
    assert [(each.field, each.rule) for each in refused.value.violations] == [("expires_at", rule)]


def test_the_items_of_all_kinds_are_known() -> None:
    """Every kind of the contract has a prefix, and its items are told by the contract."""
    kinds = {field.name for field in instruments.Instrument.DESCRIPTOR.fields}
    assert kinds == set(PREFIXES)
    assert items_held(instruments.CashReceiptIdentifier.DESCRIPTOR) == {
        "cash_receipt_mobile_phone", "cash_receipt_card_number", "business_registration_number",
    }  # fmt: skip

"""What a message holds: one walk tells what the processing log and the checks need, and nothing of what they must not."""

import uuid

from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from chassis.contents import conceal, contents, items_held

MEMBER = str(uuid.UUID(int=0xABCDEF << 96 | 1))
TOKEN = "tok_card_abcdefghijklmnopqrstuvwxyzabcd"


def test_subjects_items_and_texts_are_found_at_any_depth() -> None:
    """Whose data it is (처리한 정보주체, LG-01) and which items stand in a batch, wherever they stand in it."""
    request = tokens.BatchTokenizeRequest(access=AccessContext(purpose="billing", reason="x"))
    card = instruments.Card(number="4111111111111111", expiry="12/39")
    request.items.append(tokens.TokenizeItem(member_id=MEMBER.upper(), instrument=instruments.Instrument(card=card)))

    found = contents(request)

    assert found.subjects == [MEMBER]
    assert {"card_number", "card_expiry"} <= found.items
    assert ("access.reason", "x") in found.texts
    assert all(not path.startswith("items") for path, _ in found.texts), "the items of a batch are checked apart"


def test_ids_are_brought_into_lower_case_in_place() -> None:
    """RFC 9562: a UUID is written in lower case; the handler sees it so."""
    request = tokens.TokenizeRequest(member_id=MEMBER.upper())

    contents(request)

    assert request.member_id == MEMBER


def test_what_does_not_look_like_an_id_is_not_taken_for_one() -> None:
    """A value in the wrong field may be personal: it reaches neither subjects nor resources."""
    request = reveals.DetokenizeRequest(member_id="a person's name", token="4111111111111111")

    found = contents(request)

    assert (found.subjects, found.resources) == ([], [])
    assert contents(reveals.DetokenizeRequest(token=TOKEN)).resources == [TOKEN]


def test_what_is_not_allowed_in_full_is_masked_in_place() -> None:
    """Masked unless the purpose covers the item (AC-11, AC-12); a view that is masked already stays as it is."""
    card = instruments.Card(number="4111111111111111", expiry="12/39")
    full, part = instruments.Instrument(card=card), instruments.Instrument(card=card)
    conceal(full, items_held(instruments.Instrument.DESCRIPTOR))
    conceal(part, {"card_expiry"})
    token = instruments.Token(masked=part)
    conceal(token, ())

    assert full.card == card
    assert (part.card.number, part.card.expiry) == ("4111-11**-****-1111", "12/39")
    assert token.masked == part

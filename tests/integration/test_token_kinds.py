"""What the vault takes: three kinds, each round trip whole, each masked; and no security code, PIN or track (PV-01)."""

from typing import Any

import grpc
import pytest
from onggi.payment_vault.v1 import instrument_pb2 as instruments

from dev.stack import Stack
from tests.integration import examples
from tests.integration.bad_input import assert_recorded, assert_silent
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.vault_tokens import GET, LIST, REVEAL, TOKENIZE, ask, put

PHONE, RECEIPT_CARD, BUSINESS = "010-0000-1234", "600900000000001234", "123-45-67891"


def receipt(**identifier: str) -> instruments.Instrument:
    """A cash-receipt identifier."""
    return instruments.Instrument(cash_receipt=instruments.CashReceiptIdentifier(**identifier))


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"mobile_phone": PHONE}, "010-****-1234"),
        ({"card_number": RECEIPT_CARD}, None),
        ({"business_registration_number": BUSINESS}, None),
    ],
)
async def test_a_cash_receipt_identifier_round_trips(
    clients: Clients, log: Log, value: dict[str, str], masked: str | None
) -> None:
    """Each type has its own field; what comes back is its digits, what is shown is masked (R-19)."""
    [(field, typed)] = value.items()
    digits = typed.replace("-", "")
    member = examples.new_id()
    token = await put(clients, member, receipt(**value))
    assert token.token.startswith("tok_rcpt_")
    assert not token.HasField("expires_at")
    for shown in (
        token,
        (await ask(clients, GET, member, token.token)).message.token,
        (await ask(clients, LIST, member)).message.tokens[0],
    ):
        text = getattr(shown.masked.cash_receipt, field)
        assert digits not in text.replace("-", "")
        assert masked in {None, text}
    opened = (await ask(clients, REVEAL, member, token.token)).message.instrument.cash_receipt
    assert (opened.WhichOneof("identifier"), getattr(opened, field)) == (field, digits)
    [row] = await log.fetch("payment_vault", "SELECT * FROM token WHERE token = $1", token.token)
    assert row["kind"] == "cash_receipt"
    assert digits not in str(row)


async def test_the_type_is_told_and_not_guessed(clients: Clients) -> None:
    """Ten digits are a business number or no mobile number, never one for the other; the same card again is one token."""
    member = examples.new_id()
    first = await put(clients, member, receipt(card_number=RECEIPT_CARD))
    again = await put(clients, member, receipt(card_number="6009-0000-0000-0012-34"))
    assert first.token == again.token
    as_card = await clients.call("billing", TOKENIZE, examples.tokenize(member, examples.card(number=RECEIPT_CARD)))
    assert as_card.code is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("identifier", "rule"),
    [
        ({"mobile_phone": "02-0000-1234"}, "NOT_MOBILE"),
        ({"card_number": "60090000000000123 "}, "LENGTH"),
        ({"card_number": "0" * 18}, "ALL_SAME"),
        ({"business_registration_number": "123-45-67890"}, "CHECK_DIGIT"),
        ({"mobile_phone": "900101-1234567"}, "NOT_MOBILE"),
    ],
)
async def test_an_identifier_of_another_form_is_refused(
    clients: Clients, log: Log, identifier: dict[str, str], rule: str
) -> None:
    """Refused by its field and reason; a resident number is none of the three (법 제24조의2)."""
    outcome = await clients.call("billing", TOKENIZE, examples.tokenize(examples.new_id(), receipt(**identifier)))
    [(field, value)] = identifier.items()
    assert outcome.violations == [(f"instrument.cash_receipt.{field}", rule)]
    assert_silent(outcome, value)
    await assert_recorded(log, outcome)


TRACK_1 = "%B4111111111111111^EXAMPLE/KIM^30121010000000000?"
TRACK_2 = ";4111111111111111=30121010000000000?"
SMUGGLED = [
    pytest.param("card", lambda item: item.card, number, id=name)
    for name, number in {
        "track 1": TRACK_1[:40], "track 2": TRACK_2, "code behind the number": "4111111111111111 / 123",
        "code with the number": "4111111111111111 123",
    }.items()
]  # fmt: skip


@pytest.mark.parametrize(("kind", "part", "number"), SMUGGLED)
async def test_a_number_with_more_than_the_number_is_refused(
    clients: Clients, log: Log, kind: str, part: Any, number: str
) -> None:
    """A magnetic track, or a security code behind the number, is no card number (PCI DSS 3.3.1)."""
    request = examples.tokenize(examples.new_id())
    part(request.instrument).number = number
    outcome = await clients.call("billing", TOKENIZE, request)
    assert outcome.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [field for field, _ in outcome.violations] == [f"instrument.{kind}.number"]
    assert_silent(outcome, number)
    await assert_recorded(log, outcome)


@pytest.mark.parametrize("kind", ["card", "bank_account", "cash_receipt"])
async def test_a_field_for_a_code_is_refused(clients: Clients, log: Log, kind: str) -> None:
    """A caller whose contract has a field more, say a CVC, is refused; the field is not dropped in silence (PV-01)."""
    member, code = examples.new_id(), "0739"
    instrument = {
        "card": examples.card, "bank_account": examples.bank_account, "cash_receipt": lambda: receipt(mobile_phone=PHONE),
    }[kind]()  # fmt: skip
    part = getattr(instrument, kind)
    part.MergeFromString(b"\x7a" + bytes([len(code)]) + code.encode())  # field 15, text
    outcome = await clients.call("billing", TOKENIZE, examples.tokenize(member, instrument))
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_FIELD")
    assert_silent(outcome, code)
    await assert_recorded(log, outcome)


@pytest.mark.parametrize("rpc", [TOKENIZE, GET, REVEAL])
@pytest.mark.parametrize(
    "text", ["CVC 739", "cvv2: 7391", "카드 비밀번호 앞 두자리 73", "PIN 7391", "pin번호는 739182", TRACK_1, TRACK_2]
)
async def test_a_text_with_a_code_is_refused(stack: Stack, clients: Clients, log: Log, rpc: str, text: str) -> None:
    """A security code, a PIN or a track in the reason of any request of the vault is FORBIDDEN_CONTENT (PV-01)."""
    request = examples.example(rpc, "billing", reason=text)
    outcome = await clients.call("billing", rpc, request)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FORBIDDEN_CONTENT")
    assert [field for field, _ in outcome.violations] == ["access.reason"]
    assert_silent(outcome, text)
    row = await assert_recorded(log, outcome)
    assert row["reason"] == ""

"""`onggi token` against real gRPC servers: numbers arrive, and are shown only where they must be."""

import json

from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens
from onggi.payment_vault.v1.instrument_pb2 import Card, CashReceiptIdentifier, Instrument, Token

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Stack, at_a_terminal

MEMBER = "0198c0de-0000-7000-8000-00000000000a"
TOKEN = "tok_card_x"
CARD = "4111111111111111"
BUSINESS_NUMBER = "123-45-67891"
CARD_JSON = json.dumps({"business_registration_number": BUSINESS_NUMBER, "number": CARD, "expiry": "12/30"})

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi


def test_without_a_person_a_secret_is_not_waited_for(cli_stack: Stack, onggi: Onggi) -> None:
    """A script that gives no password or number gets exit 2 and the way to give it, instead of hanging."""
    password = onggi("member", "register", "--purpose", "membership", "--email", "a@example.com")
    number = onggi("token", "add-card", MEMBER, "--purpose", "billing")

    assert (password.code, number.code) == (2, 2)
    assert "--password-file" in password.err
    assert "--json FILE" in number.err
    assert not cli_stack.payment_vault.asked


def test_a_card_number_is_no_argument(cli_stack: Stack, onggi: Onggi) -> None:
    """PV-01: no option takes a number; by standard input it arrives, and the answer shows it masked as served."""
    masked = Instrument(card=Card(number="4111-11**-****-1111"))
    token = Token(token=TOKEN, member_id=MEMBER, masked=masked)
    cli_stack.payment_vault.answers["Tokenize"] = tokens.TokenizeResponse(token=token)
    command = ("token", "add-card", MEMBER, "--purpose", "billing")

    refused = [onggi(*command, CARD), onggi(*command, "--number", CARD), onggi(*command, f"--number={CARD}")]
    taken = onggi(*command, "--json", "-", stdin=CARD_JSON)

    assert [ended.code for ended in refused] == [2, 2, 2]
    assert all(CARD not in ended.err + ended.out for ended in refused)
    (request,) = cli_stack.payment_vault.of("Tokenize")
    assert request.instrument.card.number == CARD
    assert taken.code == 0
    assert "4111-11**-****-1111" in taken.out


def test_tokens_are_listed_shown_revealed_and_destroyed(cli_stack: Stack, onggi: Onggi) -> None:
    """The token commands name member and token; a reveal without a reason is not sent."""
    instrument = Instrument(card=Card(number="4111-11**-****-1111"))
    token = Token(token=TOKEN, member_id=MEMBER, masked=instrument)
    full = Instrument(card=Card(number=CARD, expiry="12/30"))
    cli_stack.payment_vault.answers |= {
        "ListTokens": tokens.ListTokensResponse(tokens=[token]),
        "GetToken": tokens.GetTokenResponse(token=token),
        "Detokenize": reveals.DetokenizeResponse(instrument=full),
        "DeleteToken": tokens.DeleteTokenResponse(),
    }
    named = (MEMBER, TOKEN, "--purpose", "billing")

    assert json.loads(onggi("token", "list", MEMBER, "--purpose", "billing", "--json").out)["more"] is False
    assert TOKEN in onggi("token", "show", *named).out
    assert onggi("token", "reveal", *named).code == 2
    assert CARD in onggi("token", "reveal", *named, "--reason", "정산 확인").out
    assert onggi("token", "delete", *named).code == 0

    assert len(cli_stack.payment_vault.of("Detokenize")) == 1
    assert cli_stack.payment_vault.of("DeleteToken")[0].token == TOKEN


def test_what_a_person_types_is_not_shown(cli_stack: Stack) -> None:
    """On a terminal the number is asked for, arrives, and is never echoed."""
    masked = Instrument(card=Card(number="4111-11**-****-1111"))
    token = Token(token=TOKEN, member_id=MEMBER, masked=masked)
    cli_stack.payment_vault.answers["Tokenize"] = tokens.TokenizeResponse(token=token)
    typed = [("사업자등록번호: ", BUSINESS_NUMBER), ("number: ", CARD), ("유효기간 (MM/YY): ", "12/30")]

    ended = at_a_terminal(cli_stack, "token", "add-card", MEMBER, "--purpose", "billing", typed=typed)

    (request,) = cli_stack.payment_vault.of("Tokenize")
    assert request.instrument.card.number == CARD
    assert ended.code == 0
    assert CARD not in ended.out
    assert "4111-11**-****-1111" in ended.out


def test_a_token_gets_an_end_and_a_receipt_its_kind(cli_stack: Stack, onggi: Onggi) -> None:
    """--expires-at and --one-time travel with any kind; a cash-receipt identifier is told by its kind, never guessed."""
    masked = Instrument(cash_receipt=CashReceiptIdentifier(mobile_phone="010-****-5678"))
    token = Token(token="tok_rcpt_x", member_id=MEMBER, masked=masked, one_time=True)
    cli_stack.payment_vault.answers |= {
        "Tokenize": tokens.TokenizeResponse(token=token),
        "ListTokens": tokens.ListTokensResponse(tokens=[token]),
    }
    why, number = ("--purpose", "billing"), json.dumps({"mobile_phone": "010-0000-5678"})
    end = ("--expires-at", "2027-01-02T15:04", "--one-time")

    taken = onggi("token", "add-receipt", MEMBER, *why, "--by", "mobile", *end, "--json", "-", stdin=number)
    other = onggi("token", "add-receipt", MEMBER, *why, "--by", "card", "--json", "-", stdin=number)
    unknown = onggi("token", "add-receipt", MEMBER, *why, "--by", "phone", "--json", "-", stdin=number)

    assert [taken.code, other.code, unknown.code] == [0, 2, 2]
    (request,) = cli_stack.payment_vault.of("Tokenize")
    assert request.instrument.cash_receipt.mobile_phone == "010-0000-5678"
    assert request.one_time
    assert request.expires_at.ToJsonString() == "2027-01-02T06:04:00Z"
    listed = onggi("token", "list", MEMBER, *why).out
    assert "010-****-5678" in listed
    assert "with one reveal" in listed


def test_a_token_is_reissued_for_a_reason(cli_stack: Stack, onggi: Onggi) -> None:
    """`token reissue` names the old token, wants a reason, and shows the new token masked."""
    token = Token(token="tok_card_new", member_id=MEMBER, masked=Instrument(card=Card(number="4111-11**-****-1111")))
    cli_stack.payment_vault.answers["ReissueToken"] = reveals.ReissueTokenResponse(token=token)
    named = (MEMBER, TOKEN, "--purpose", "billing")

    assert onggi("token", "reissue", *named).code == 2
    assert "tok_card_new" in onggi("token", "reissue", *named, "--reason", "토큰 유출").out
    (request,) = cli_stack.payment_vault.of("ReissueToken")
    assert request.token == TOKEN

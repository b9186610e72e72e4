"""The commands that turn a card or an account into a token. Numbers are asked for or piped in, never arguments."""

from typing import Annotated, Final

import typer
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.payment_vault.v1.instrument_pb2 import BankAccount, Card, Instrument
from onggi.payment_vault.v1.tokenization_service_pb2 import TokenizeRequest
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub

from cli import access, answer, asking
from cli.session import Session

CARD: Final = ("business_registration_number", "number", "expiry")
ACCOUNT: Final = ("bank_code", "business_registration_number", "number")

_LABELS: Final = {
    "business_registration_number": "사업자등록번호",
    "number": "number",
    "expiry": "유효기간 (MM/YY)",
    "bank_code": "bank code (three digits)",
}

JsonFile = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Take the values from a JSON object with the names of the contract; - reads standard input. "
        "For an answer in JSON put --json before the command.",
        show_default=False,
    ),
]


def add_card(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    json_file: JsonFile = None,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Replace a card (신용카드) by a token. Asks for 사업자등록번호, number and expiry, or reads them by --json."""
    instrument = Instrument(card=Card(**_values(CARD, json_file)))
    _tokenize(session, member, access.context(purpose, reason, ticket), instrument, request_id)


def add_account(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    json_file: JsonFile = None,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Replace a bank account (계좌) by a token. Asks for bank code, 사업자등록번호, number, or reads them by --json."""
    instrument = Instrument(bank_account=BankAccount(**_values(ACCOUNT, json_file)))
    _tokenize(session, member, access.context(purpose, reason, ticket), instrument, request_id)


def _values(fields: tuple[str, ...], json_file: str | None) -> dict[str, str]:
    if json_file is not None:
        return asking.json_fields(json_file, fields)
    return {field: asking.hidden(_LABELS[field], "--json FILE") for field in fields}


def _tokenize(
    session: Session, member: str, why: AccessContext, instrument: Instrument, request_id: str | None
) -> None:
    request = TokenizeRequest(
        access=why, request_id=access.request_id(request_id), member_id=member, instrument=instrument
    )
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(TokenizationServiceStub(vault.channel).Tokenize, request))

"""The commands that turn a card, an account or a cash-receipt identifier into a token.

Numbers are asked for or piped in, never arguments.
"""

from typing import Annotated, Final

import typer
from onggi.payment_vault.v1.instrument_pb2 import BankAccount, Card, CashReceiptIdentifier, Instrument
from onggi.payment_vault.v1.tokenization_service_pb2 import TokenizeRequest
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub

from cli import access, answer, asking, log_time
from cli.failures import UsageError
from cli.session import Session

CARD: Final = ("business_registration_number", "number", "expiry")
ACCOUNT: Final = ("bank_code", "business_registration_number", "number")
RECEIPT: Final = {
    "mobile": "mobile_phone",
    "card": "card_number",
    "business": "business_registration_number",
}
"""What the person calls the identifier -> the field of the contract. It is told and never guessed by its length."""

_LABELS: Final = {
    "business_registration_number": "사업자등록번호",
    "number": "number",
    "expiry": "유효기간 (MM/YY)",
    "bank_code": "bank code (three digits)",
    "mobile_phone": "휴대폰 번호",
    "card_number": "현금영수증 카드번호",
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

ExpiresAt = Annotated[
    str | None,
    typer.Option(
        "--expires-at",
        metavar="TIME",
        help="From then on the token is unknown, such as 2027-01-02T15:04 (Korean time); the token is a new one.",
        show_default=False,
    ),
]
OneTime = Annotated[bool, typer.Option("--one-time", help="A new token that reveals its number once.")]


def add_card(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    json_file: JsonFile = None,
    expires_at: ExpiresAt = None,
    one_time: OneTime = False,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Replace a card (신용카드) by a token. Asks for 사업자등록번호, number and expiry, or reads them by --json."""
    instrument = Instrument(card=Card(**_values(CARD, json_file)))
    request = TokenizeRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        instrument=instrument,
        expires_at=log_time.moment(expires_at, past=False),
        one_time=one_time,
    )
    _tokenize(session, request)


def add_account(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    json_file: JsonFile = None,
    expires_at: ExpiresAt = None,
    one_time: OneTime = False,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Replace a bank account (계좌) by a token. Asks for bank code, 사업자등록번호, number, or reads them by --json."""
    instrument = Instrument(bank_account=BankAccount(**_values(ACCOUNT, json_file)))
    request = TokenizeRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        instrument=instrument,
        expires_at=log_time.moment(expires_at, past=False),
        one_time=one_time,
    )
    _tokenize(session, request)


def add_receipt(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    by: Annotated[str, typer.Option("--by", help="What identifies: mobile, card or business.", show_default=False)],
    json_file: JsonFile = None,
    expires_at: ExpiresAt = None,
    one_time: OneTime = False,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Replace a cash-receipt identifier (현금영수증) by a token. Asks for it, or reads it by --json."""
    if (field := RECEIPT.get(by)) is None:
        raise UsageError(f"--by is one of: {', '.join(RECEIPT)}")
    identifier = CashReceiptIdentifier(**_values((field,), json_file))
    instrument = Instrument(cash_receipt=identifier)
    request = TokenizeRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        instrument=instrument,
        expires_at=log_time.moment(expires_at, past=False),
        one_time=one_time,
    )
    _tokenize(session, request)


def _values(fields: tuple[str, ...], json_file: str | None) -> dict[str, str]:
    if json_file is not None:
        return asking.json_fields(json_file, fields)
    return {field: asking.hidden(_LABELS[field], "--json FILE") for field in fields}


def _tokenize(session: Session, request: TokenizeRequest) -> None:
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(TokenizationServiceStub(vault.channel).Tokenize, request))

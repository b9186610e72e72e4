"""The commands that show, reveal, replace and destroy tokens."""

from collections.abc import Iterable

from onggi.payment_vault.v1.detokenization_service_pb2 import DetokenizeRequest, ReissueTokenRequest
from onggi.payment_vault.v1.detokenization_service_pb2_grpc import DetokenizationServiceStub
from onggi.payment_vault.v1.instrument_pb2 import Token
from onggi.payment_vault.v1.tokenization_service_pb2 import DeleteTokenRequest, GetTokenRequest, ListTokensRequest
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub
from rich.table import Table

from cli import access, answer, asking
from cli.detail import listing
from cli.printable import kst
from cli.session import Session


def show(
    session: Session,
    *,
    member: access.Member,
    token: access.Token,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Show what a token stands for, masked."""
    request = GetTokenRequest(access=access.context(purpose, reason, ticket), member_id=member, token=token)
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(TokenizationServiceStub(vault.channel).GetToken, request))


def list_tokens(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    limit: access.Limit = 50,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the tokens of a member, oldest first, masked."""
    request = ListTokensRequest(access=access.context(purpose, reason, ticket), member_id=member)
    vault = session.remote("payment_vault")
    answer.pages(
        vault, TokenizationServiceStub(vault.channel).ListTokens, request, "tokens", _table, limit=limit, page_size=200
    )


def reissue(
    session: Session,
    *,
    member: access.Member,
    token: access.Token,
    purpose: access.Purpose,
    reason: access.RequiredReason,
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Give the instrument a new token and destroy this one, for a token that has come into wrong hands."""
    request = ReissueTokenRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        token=token,
    )
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(DetokenizationServiceStub(vault.channel).ReissueToken, request))


def delete(
    session: Session,
    *,
    member: access.Member,
    token: access.Token,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
    yes: access.Yes = False,
) -> None:
    """Destroy a token and its number at once. It cannot be undone."""
    asking.confirm_if_person("Destroy this token and its number? It cannot be undone.", yes=yes)
    request = DeleteTokenRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        token=token,
    )
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(TokenizationServiceStub(vault.channel).DeleteToken, request), "destroyed")


def reveal(
    session: Session,
    *,
    member: access.Member,
    token: access.Token,
    purpose: access.Purpose,
    reason: access.RequiredReason,
    ticket: access.Ticket = "",
) -> None:
    """Turn a token back into the number, in full. Each reveal is in the processing log before it happens."""
    request = DetokenizeRequest(access=access.context(purpose, reason, ticket), member_id=member, token=token)
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(DetokenizationServiceStub(vault.channel).Detokenize, request))


def _table(listed: Iterable[Token]) -> Table:
    return listing(("token", "kind", "bank", "number", "created", "ends"), [_line(token) for token in listed])


def _line(token: Token) -> tuple[str, ...]:
    masked, bank = token.masked, ""
    match masked.WhichOneof("kind"):
        case "bank_account":
            kind, bank, number = "account", masked.bank_account.bank_code, masked.bank_account.number
        case "cash_receipt":
            field = masked.cash_receipt.WhichOneof("identifier")
            kind, number = "receipt", getattr(masked.cash_receipt, field) if field else ""
        case _:
            kind, number = "card", masked.card.number
    return token.token, kind, bank, number, kst(token.created_at), _end(token)


def _end(token: Token) -> str:
    ends = [kst(token.expires_at)] if token.HasField("expires_at") else []
    return ", ".join([*ends, *(["with one reveal"] if token.one_time else [])])

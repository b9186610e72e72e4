"""The commands by which one person asks for a reveal of many, and another approves it."""

from collections.abc import Iterable
from typing import Annotated

import typer
from onggi.payment_vault.v1.reveal_approval_service_pb2 import (
    ApproveRevealRequest,
    ListRevealRequestsRequest,
    RequestRevealRequest,
    RevealRequest,
)
from onggi.payment_vault.v1.reveal_approval_service_pb2_grpc import RevealApprovalServiceStub
from rich.table import Table

from cli import access, answer, asking, reveal_list
from cli.detail import listing
from cli.failures import CheckError, UsageError
from cli.printable import kst, person_or_service
from cli.session import Session

File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="The list as `token export` writes it; - for stdin.", show_default=False),
]
ApprovalId = Annotated[str, typer.Argument(metavar="APPROVAL", help="The request's id.", show_default=False)]
Digest = Annotated[
    str | None,
    typer.Option("--digest", help="Approve only the request with this digest, reviewed before.", show_default=False),
]


def request(
    session: Session,
    *,
    file: File,
    purpose: access.Purpose,
    reason: access.RequiredReason,
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Ask for the approval of one exact list of tokens. Nothing is revealed."""
    asked = RequestRevealRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        items=reveal_list.read(file),
    )
    vault = session.remote("payment_vault")
    response = vault.call(RevealApprovalServiceStub(vault.channel).RequestReveal, asked)
    answer.one(session, response, _table([response.reveal]))


def list_requests(
    session: Session,
    *,
    purpose: access.SecurityReview = "security_review",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the requests that are not over, newest first."""
    listed = _waiting(session, purpose, reason, ticket)
    answer.many(session, "reveals", listed, _table(listed), more=False)


def approve(
    session: Session,
    *,
    approval_id: ApprovalId,
    reason: access.RequiredReason,
    digest: Digest = None,
    yes: access.Yes = False,
    purpose: access.SecurityReview = "security_review",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Approve a reveal that somebody else has asked for, bound to the digest of what is shown here (or --digest)."""
    if session.options.json and not (yes or digest):
        raise UsageError("--json asks nothing: use --yes, or --digest of the request that was reviewed")
    if digest is None:
        reviewed = next(
            (one for one in _waiting(session, purpose, reason, ticket) if one.approval_id == approval_id), None
        )
        if reviewed is None:
            raise CheckError("no such request waits; it may be over")
        if not session.options.json:
            session.out.print(_table([reviewed]))
        if not yes:
            asking.confirm(f"Approve that the numbers of these {reviewed.subjects} members are revealed?")
        digest = reviewed.digest
    vault = session.remote("payment_vault")
    response = vault.call(
        RevealApprovalServiceStub(vault.channel).ApproveReveal,
        ApproveRevealRequest(
            access=access.context(purpose, reason, ticket),
            request_id=access.request_id(request_id),
            approval_id=approval_id,
            digest=digest,
        ),
    )
    answer.one(session, response, f"approved: {response.reveal.approval_id}, until {kst(response.reveal.expires_at)}")


def _waiting(session: Session, purpose: str, reason: str, ticket: str) -> list[RevealRequest]:
    vault = session.remote("payment_vault")
    asked = ListRevealRequestsRequest(access=access.context(purpose, reason, ticket))
    return list(vault.call(RevealApprovalServiceStub(vault.channel).ListRevealRequests, asked).reveals)


def _table(listed: Iterable[RevealRequest]) -> Table:
    return listing(
        ("approval", "requested by", "purpose", "members", "tokens", "approved by", "used", "until"),
        [
            (
                one.approval_id,
                person_or_service(one.requested_by),
                one.purpose,
                str(one.subjects),
                str(one.tokens),
                person_or_service(one.approved_by),
                "yes" if one.used else "",
                kst(one.expires_at),
            )
            for one in listed
        ],
    )

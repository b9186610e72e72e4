"""The commands that set a trap, and let a caller reveal again who walked into one."""

from typing import Annotated

import typer
from onggi.payment_vault.v1.reveal_approval_service_pb2 import LiftSuspensionRequest, MarkHoneyTokenRequest
from onggi.payment_vault.v1.reveal_approval_service_pb2_grpc import RevealApprovalServiceStub

from cli import access, answer, asking
from cli.session import Session

Caller = Annotated[str, typer.Argument(metavar="CALLER", help="The suspended caller's SPIFFE id.", show_default=False)]


def honey(
    session: Session,
    *,
    member: access.Member,
    token: access.Token,
    reason: access.RequiredReason,
    purpose: access.SecurityReview = "security_review",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Make a token a trap: whoever reveals it is suspended, and on-call is told. Only tokens of invented members."""
    request = MarkHoneyTokenRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        token=token,
    )
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(RevealApprovalServiceStub(vault.channel).MarkHoneyToken, request), "the trap is set")


def lift(
    session: Session,
    *,
    suspended: Caller,
    reason: access.RequiredReason,
    purpose: access.SecurityReview = "security_review",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
    yes: access.Yes = False,
) -> None:
    """Let a caller reveal again who has touched a honey token; find out first how it came by that token."""
    asking.confirm_if_person("Let this caller reveal numbers again?", yes=yes)
    request = LiftSuspensionRequest(
        access=access.context(purpose, reason, ticket), request_id=access.request_id(request_id), caller=suspended
    )
    vault = session.remote("payment_vault")
    answer.one(session, vault.call(RevealApprovalServiceStub(vault.channel).LiftSuspension, request), "lifted")

"""The commands that read the register of legal holds."""

from typing import Annotated

import typer
from onggi.retention.v1.hold_service_pb2 import GetHoldRequest, ListHoldsRequest
from onggi.retention.v1.hold_service_pb2_grpc import HoldServiceStub

from cli import access, answer
from cli.detail import detail
from cli.hold_view import HoldId, holds_table
from cli.session import Session

Purpose = Annotated[str, typer.Option("--purpose", help="이용 목적.")]
Released = Annotated[bool, typer.Option("--released", help="Those too that are released.")]


def list_holds(
    session: Session,
    *,
    released: Released = False,
    limit: access.Limit = 20,
    purpose: Purpose = "legal_hold",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the holds, newest first; OVERDUE is one whose review is past."""
    retention = session.remote("retention")
    answer.pages(
        retention,
        HoldServiceStub(retention.channel).ListHolds,
        ListHoldsRequest(access=access.context(purpose, reason, ticket), include_released=released),
        "holds",
        holds_table,
        limit=limit,
        page_size=100,
    )


def show(
    session: Session,
    *,
    hold_id: HoldId,
    purpose: Purpose = "legal_hold",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Show one hold: whose order, on which article, since when and until when it is to be reviewed."""
    request = GetHoldRequest(access=access.context(purpose, reason, ticket), hold_id=hold_id)
    retention = session.remote("retention")
    response = retention.call(HoldServiceStub(retention.channel).GetHold, request)
    answer.one(session, response, detail(response.hold))

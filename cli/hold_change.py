"""The commands that place, approve, review and release a legal hold."""

from typing import Annotated

import typer
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.retention.v1.hold_service_pb2 import (
    ApproveHoldRequest,
    GetHoldRequest,
    PlaceHoldRequest,
    ReleaseHoldRequest,
    ReviewHoldRequest,
)
from onggi.retention.v1.hold_service_pb2_grpc import HoldServiceStub

from cli import access, answer, asking
from cli.detail import detail
from cli.failures import UsageError
from cli.hold_read import Purpose
from cli.hold_view import HoldId, state, whose
from cli.session import Remote, Session

SECONDS = 40.0
"""A holder may first have to end what it is just destroying."""

Whose = Annotated[
    str | None,
    typer.Argument(metavar="MEMBER", help="The member's id, also of one who has left.", show_default=False),
]
RecordId = Annotated[str | None, typer.Option("--record", metavar="ID", help="One record alone.", show_default=False)]
Authority = Annotated[
    str, typer.Option("--authority", help="Who wants it kept (요청 기관); no person's name.", show_default=False)
]
Document = Annotated[str, typer.Option("--document", help="Number of its document (문서번호).", show_default=False)]
Article = Annotated[
    str, typer.Option("--article", help="The article, as the policy has it (holds.articles).", show_default=False)
]
ReviewOn = Annotated[
    str, typer.Option("--review-on", metavar="DATE", help="Day of review, within six months.", show_default=False)
]


def place(
    session: Session,
    *,
    member: Whose = None,
    record: RecordId = None,
    authority: Authority,
    document: Document,
    article: Article,
    review_on: ReviewOn,
    reason: access.RequiredReason,
    purpose: Purpose = "legal_hold",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Hold everything of a member, or one record: it is not destroyed until somebody else releases it.

    Exit 3 when a holder cannot be told yet: the hold is in the register, and the service goes on with it.
    """
    if (member is None) == (record is None):
        raise UsageError("give a member's id, or --record ID")
    request = PlaceHoldRequest(
        access=access.context(purpose, reason, ticket), request_id=access.request_id(request_id), authority=authority,
        document_number=document, article=article, review_on=review_on,
    )  # fmt: skip
    if member is not None:
        request.member_id = member
    else:
        request.record_id = record or ""
    retention = session.remote("retention")
    response = retention.call(HoldServiceStub(retention.channel).PlaceHold, request, SECONDS)
    answer.one(session, response, detail(response.hold))
    if not session.options.json:
        session.note(f"what it holds: onggi explain {member or f'--record {record}'}; somebody else has to approve it")


def approve(
    session: Session,
    *,
    hold_id: HoldId,
    reason: access.RequiredReason,
    yes: access.Yes = False,
    purpose: Purpose = "legal_hold",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Stand for a hold that somebody else has placed. It stands already."""
    why, retention = access.context(purpose, reason, ticket), session.remote("retention")
    _reviewed(session, retention, why, hold_id, "Approve this hold?", yes=yes)
    request = ApproveHoldRequest(access=why, request_id=access.request_id(request_id), hold_id=hold_id)
    response = retention.call(HoldServiceStub(retention.channel).ApproveHold, request)
    answer.one(session, response, f"approved: {response.hold.hold_id}, {whose(response.hold)}")


def review(
    session: Session,
    *,
    hold_id: HoldId,
    review_on: ReviewOn,
    reason: access.RequiredReason,
    purpose: Purpose = "legal_hold",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Say that a hold is still needed, why, and when that is to be looked at again."""
    request = ReviewHoldRequest(
        access=access.context(purpose, reason, ticket), request_id=access.request_id(request_id), hold_id=hold_id,
        review_on=review_on,
    )  # fmt: skip
    retention = session.remote("retention")
    response = retention.call(HoldServiceStub(retention.channel).ReviewHold, request)
    answer.one(session, response, f"next review: {response.hold.review_on}")


def release(
    session: Session,
    *,
    hold_id: HoldId,
    reason: access.RequiredReason,
    yes: access.Yes = False,
    purpose: Purpose = "legal_hold",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Release a hold that somebody else has placed: what is due is destroyed by the next plan.

    Exit 3 when a holder cannot be told yet: it is released in the register, and the service goes on with it.
    """
    why, retention = access.context(purpose, reason, ticket), session.remote("retention")
    question = "Release this hold? What is due will be destroyed, and that cannot be undone."
    _reviewed(session, retention, why, hold_id, question, yes=yes)
    request = ReleaseHoldRequest(access=why, request_id=access.request_id(request_id), hold_id=hold_id)
    response = retention.call(HoldServiceStub(retention.channel).ReleaseHold, request, SECONDS)
    answer.one(session, response, f"{state(response.hold)}: {response.hold.hold_id}")


def _reviewed(
    session: Session, retention: Remote, why: AccessContext, hold_id: str, question: str, *, yes: bool
) -> None:
    """Show the hold and ask. Raises CheckError for no, UsageError when nobody is there."""
    if session.options.json:
        if not yes:
            raise UsageError("--json asks nothing: use --yes once the hold has been reviewed")
        return
    stub = HoldServiceStub(retention.channel)
    session.out.print(detail(retention.call(stub.GetHold, GetHoldRequest(access=why, hold_id=hold_id)).hold))
    if not yes:
        asking.confirm(question)

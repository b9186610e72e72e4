"""`onggi explain`: what is kept of a member or a record, under which article and until when."""

import sys
from typing import Annotated

import typer
from onggi.retention.v1.kept_item_pb2 import KeptItem
from onggi.retention.v1.retention_service_pb2 import ExplainRetentionRequest, ExplainRetentionResponse
from onggi.retention.v1.retention_service_pb2_grpc import RetentionServiceStub

from cli import access
from cli.failures import UsageError
from cli.json_output import as_object
from cli.kept_view import kept_table
from cli.paging import collect
from cli.session import Session

Whose = Annotated[
    str | None,
    typer.Argument(metavar="MEMBER", help="The member's id, also of one who has left.", show_default=False),
]
RecordId = Annotated[str | None, typer.Option("--record", metavar="ID", help="One record alone.", show_default=False)]

_PAGE = 1000
_SECONDS = 30.0
"""Longer than the service waits for a holder in all tries of a call: so a holder is said to be missing, not retention."""


def explain(
    session: Session,
    *,
    member: Whose = None,
    record: RecordId = None,
    purpose: access.Destruction = "destruction",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Tell what is kept of a member, or of one record: basis, article, start event and last day, the first to go first.

    Every holder is asked, to the last page; when one does not answer there is no answer, exit 3.
    """
    if (member is None) == (record is None):
        raise UsageError("give a member's id, or --record ID")
    request = ExplainRetentionRequest(access=access.context(purpose, reason, ticket))
    if member is not None:
        request.member_id = member
    else:
        request.record_id = record or ""
    retention = session.remote("retention")
    kept: list[KeptItem] = []
    method = RetentionServiceStub(retention.channel).ExplainRetention
    collect(retention, method, request, lambda page: page.kept, into=kept, limit=sys.maxsize, page_size=_PAGE,
            usual=_SECONDS)  # fmt: skip
    if session.options.json:
        session.print_json(as_object(ExplainRetentionResponse(kept=kept)))
    elif kept:
        session.out.print(kept_table(kept))
    else:
        session.note("nothing is kept")

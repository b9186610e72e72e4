"""`onggi record`: records of every kind, and the dates of their start events (기산점)."""

from typing import Annotated

import typer
from onggi.identity.v1.record_service_pb2 import ListRecordsRequest, NoteEventRequest
from onggi.identity.v1.record_service_pb2_grpc import RecordServiceStub

from cli import access, answer, record_append
from cli.command import with_session
from cli.record_view import records_table, standings_table
from cli.session import Session

commands = typer.Typer(help="Records (제7·8조) of a member, by kind.", no_args_is_help=True)

RecordId = Annotated[str, typer.Argument(metavar="RECORD", help="The record's id.", show_default=False)]
Kind = Annotated[str, typer.Option("--kind", help="The kind, by its name in the contract, such as payment.")]
Category = Annotated[
    str, typer.Option("--category", metavar="R-05", help="The basis whose start event it is.", show_default=False)
]
On = Annotated[str, typer.Option("--on", metavar="DATE", help="The day in Korea, as YYYY-MM-DD.", show_default=False)]


def list_records(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    kind: Kind = "login",
    full: access.Full = False,
    limit: access.Limit = 50,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the records of one kind of a member, newest first, masked unless --full."""
    request = ListRecordsRequest(
        access=access.context(purpose, reason, ticket), member_id=member, view=access.view(full=full), kind=kind
    )
    identity = session.remote("identity")
    answer.pages(
        identity,
        RecordServiceStub(identity.channel).ListRecords,
        request,
        "records",
        records_table,
        limit=limit,
        page_size=200,
    )


def event(
    session: Session,
    *,
    member: access.Member,
    record: RecordId,
    category: Category,
    on: On,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Note the day of a start event, such as the closing of an inquiry, from which a basis counts; again corrects it."""
    request = NoteEventRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        record_id=record,
        category=category,
        event_date=on,
    )
    identity = session.remote("identity")
    response = identity.call(RecordServiceStub(identity.channel).NoteEvent, request)
    answer.one(session, response, standings_table(response.standings))


commands.command("list")(with_session()(list_records))
commands.command("append")(with_session()(record_append.append))
commands.command("event")(with_session()(event))

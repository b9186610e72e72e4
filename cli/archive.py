"""`onggi archive`: what only a law still keeps, apart from everything else (분리보관)."""

from typing import Annotated

import typer
from onggi.identity.v1.archive_service_pb2 import GetArchivedRequest, ListArchivedRequest
from onggi.identity.v1.archive_service_pb2_grpc import ArchiveServiceStub

from cli import access, answer
from cli.command import with_session
from cli.record import RecordId
from cli.record_view import records_table
from cli.session import Session

commands = typer.Typer(help="The archive (분리보관) of members that have left.", no_args_is_help=True)

Law = Annotated[
    str,
    typer.Option("--purpose", help="이용 목적 of a law that keeps the record, such as tax.", show_default=False),
]


def get(
    session: Session,
    *,
    record: RecordId,
    purpose: Law,
    reason: access.RequiredReason,
    full: access.Full = False,
    ticket: access.Ticket = "",
) -> None:
    """Show one record, masked unless --full. The purpose must be that of a law that keeps this very record."""
    request = GetArchivedRequest(
        access=access.context(purpose, reason, ticket), record_id=record, view=access.view(full=full)
    )
    archive = session.remote("archive")
    response = archive.call(ArchiveServiceStub(archive.channel).GetArchived, request)
    answer.one(session, response, records_table([response.record]))


def list_archived(
    session: Session,
    *,
    member: access.Member,
    purpose: Law,
    reason: access.RequiredReason,
    full: access.Full = False,
    limit: access.Limit = 50,
    ticket: access.Ticket = "",
) -> None:
    """List those records of a former member that the purpose has a basis for, newest first."""
    request = ListArchivedRequest(
        access=access.context(purpose, reason, ticket), member_id=member, view=access.view(full=full)
    )
    archive = session.remote("archive")
    answer.pages(
        archive,
        ArchiveServiceStub(archive.channel).ListArchived,
        request,
        "records",
        records_table,
        limit=limit,
        page_size=200,
    )


commands.command("get")(with_session()(get))
commands.command("list")(with_session()(list_archived))

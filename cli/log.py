"""`onggi log`: who touched whose data (접속기록), over all services."""

import re
from typing import Annotated, Final

import typer
from onggi.processing_log.v1.processing_log_service_pb2 import Entry, SearchEntriesRequest
from rich.table import Table

from cli import access, trace_tree
from cli.command import with_session
from cli.detail import listing
from cli.exit_codes import ExitCode
from cli.failures import IncompleteError, UsageError
from cli.json_output import as_object
from cli.log_search import search
from cli.log_time import moment
from cli.printable import kst, method_name, person_or_service
from cli.session import Session

commands = typer.Typer(help="The processing log (접속기록) of all services.", no_args_is_help=True)

Subject = Annotated[str, typer.Option("--subject", help="Only about this data subject.", show_default=False)]
Actor = Annotated[str, typer.Option("--actor", help="Only by this SPIFFE id.", show_default=False)]
Since = Annotated[
    str | None,
    typer.Option("--since", help="From this time on: 2026-01-02, 2026-01-02T15:04, 2h, 7d.", show_default=False),
]
Until = Annotated[str | None, typer.Option("--until", help="Before this time.", show_default=False)]
Denied = Annotated[bool, typer.Option("--denied", help="Only refused or failed calls.")]
Method = Annotated[str, typer.Option("--method", help="Only this RPC, fully qualified.", show_default=False)]
TraceId = Annotated[str, typer.Option("--trace", help="Only this trace.", show_default=False)]
_ACTOR: Final = re.compile(r"spiffe://.+|unidentified")
_METHOD: Final = re.compile(r"([a-z]\w*\.)+\w+/\w+|unknown")
"""What else the table shows, such as staff/support, is cut short and would find nothing."""
TraceArgument = Annotated[str, typer.Argument(metavar="TRACE_ID", show_default=False)]


def search_entries(
    session: Session,
    *,
    subject: Subject = "",
    actor: Actor = "",
    since: Since = None,
    until: Until = None,
    denied: Denied = False,
    method: Method = "",
    trace: TraceId = "",
    limit: access.Limit = 100,
    purpose: access.SecurityReview = "security_review",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Search the logs of all services, newest first. Reading the log is itself recorded.

    When a service does not answer, the others are shown, standard error names the missing one, and the exit code is 3.
    """
    if actor and not _ACTOR.fullmatch(actor):
        raise UsageError("--actor wants a SPIFFE id, such as spiffe://onggi/ns/staff/sa/support, or: unidentified")
    if method and not _METHOD.fullmatch(method):
        raise UsageError("--method wants a whole name, such as onggi.identity.v1.MemberService/GetMember, or: unknown")
    request = SearchEntriesRequest(
        access=access.context(purpose, reason, ticket),
        subject_id=subject,
        actor=actor,
        since=moment(since),
        until=moment(until),
        denied_only=denied,
        rpc_method=method,
        trace_id=trace,
    )
    found = search(session, request, limit)
    if session.options.json:
        entries = [as_object(entry) for entry in found.entries]
        session.print_json({"entries": entries, "more": found.more, "missing": sorted(found.failures)})
    else:
        if found.entries:
            session.out.print(_table(found.entries))
        elif not found.failures:
            session.note("no entries")
        if found.more:
            session.note(f"there are more than these {len(found.entries)}; raise --limit or narrow the search")
    found.raise_if_incomplete(session)


def trace(
    session: Session,
    *,
    trace_id: TraceArgument,
    purpose: access.SecurityReview = "security_review",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Draw the tree of one access across the services."""
    if not re.fullmatch(r"[0-9a-f]{32}", trace_id):
        raise UsageError("a trace id is 32 hexadecimal digits")
    request = SearchEntriesRequest(access=access.context(purpose, reason, ticket), trace_id=trace_id)
    found = search(session, request)
    tops = trace_tree.build(found.entries)
    if session.options.json:
        spans = trace_tree.as_objects(tops)
        session.print_json({"trace_id": trace_id, "spans": spans, "missing": sorted(found.failures)})
    elif tops:
        session.out.print(trace_tree.draw(trace_id, tops))
    elif not found.failures:
        session.note("no entries of this trace")
    found.raise_if_incomplete(session)
    if not tops:
        raise IncompleteError(ExitCode.NOT_FOUND)


def _table(entries: list[Entry]) -> Table:
    columns = ("time", "service", "actor", "method", "status", "purpose", "subject", "trace")
    return listing(columns, [_line(entry) for entry in entries])


def _line(entry: Entry) -> tuple[str, ...]:
    subject = entry.subject_ids[0] if entry.subject_ids else ""
    others = f" +{entry.subject_count - 1}" if entry.subject_count > 1 else ""
    return (
        kst(entry.occurred_at),
        entry.service,
        person_or_service(entry.actor),
        method_name(entry.rpc_method),
        f"{entry.status} {entry.error_reason}".rstrip(),
        entry.purpose,
        f"{subject}{others}",
        entry.trace_id,
    )


commands.command("search")(with_session()(search_entries))
commands.command("trace")(with_session()(trace))

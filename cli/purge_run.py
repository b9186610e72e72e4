"""The commands that run a plan, follow it, and fetch its certificate."""

from pathlib import Path
from typing import Annotated

import typer
from onggi.retention.v1.retention_service_pb2 import ExecutePlanRequest, GetCertificateRequest
from onggi.retention.v1.retention_service_pb2_grpc import RetentionServiceStub

from cli import access, answer
from cli.certificate_file import CertificateFile
from cli.failures import UsageError
from cli.json_output import as_object
from cli.plan_watch import follow
from cli.purge_plan import PlanId
from cli.session import Session

Watch = Annotated[bool, typer.Option("--watch", help="Follow the plan until it is certified.")]
For = Annotated[float, typer.Option("--for", min=1, help="Seconds to follow at most.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file.", show_default=False)]


def run(
    session: Session,
    *,
    plan_id: PlanId,
    watch: Watch = False,
    seconds: For = 3600,
    purpose: access.Destruction = "destruction",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Start the destruction of an approved plan. It goes on without this command."""
    why = access.context(purpose, reason, ticket)
    request = ExecutePlanRequest(access=why, request_id=access.request_id(request_id), plan_id=plan_id)
    retention = session.remote("retention")
    response = retention.call(RetentionServiceStub(retention.channel).ExecutePlan, request)
    if not watch:
        answer.one(session, response, f"started: {response.plan.plan_id}")
        return
    if session.options.json:
        session.print_json(as_object(response), indent=None)
    follow(session, plan_id, why, seconds)


def watch_plan(
    session: Session,
    *,
    plan_id: PlanId,
    seconds: For = 3600,
    purpose: access.Destruction = "destruction",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Follow a plan until it is certified (exit 0) or needs an operator (exit 1); --json gives one line a step."""
    follow(session, plan_id, access.context(purpose, reason, ticket), seconds)


def certificate(
    session: Session,
    *,
    plan_id: PlanId,
    out: Out = None,
    purpose: access.Destruction = "destruction",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Fetch the destruction certificate (파기확인서) as one JSON file, for `onggi certificate verify`."""
    request = GetCertificateRequest(access=access.context(purpose, reason, ticket), plan_id=plan_id)
    retention = session.remote("retention")
    response = retention.call(RetentionServiceStub(retention.channel).GetCertificate, request)
    document = CertificateFile.of(response.certificate).as_object()
    if out is None:
        session.print_json(document)
        return
    try:
        out.write_text(CertificateFile.of(response.certificate).text(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
    session.note(f"written to {out}; verify it with a public key that you were given by another way")

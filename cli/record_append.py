"""`onggi record append`: a file of records to the service, batch by batch, with an answer for each line."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

import typer
from google.protobuf import json_format
from grpc import StatusCode
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.errors.v1.error_reason_pb2 import ErrorReason
from onggi.identity.v1.record_service_pb2 import AppendRecordsRequest, Record, RecordResult
from onggi.identity.v1.record_service_pb2_grpc import RecordServiceStub

from cli import access, exit_codes
from cli.asking import secret_file
from cli.detail import listing
from cli.exit_codes import ExitCode
from cli.failures import CallError, IncompleteError, UsageError
from cli.session import Session

MOST: Final = 1000
"""Records a call, by the contract."""
MOST_BYTES: Final = 1_000_000
"""Of the records in a call; a server takes two MiB."""

EXAMPLE: Final = '{"member_id": "…", "occurred_at": "2026-05-10T03:00:00Z", "contract": {"subject_matter": "cloud"}}'

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE.jsonl",
        help="One record a line, a Record of the contract (onggi/identity/v1/record_service.proto) as JSON, such as "
        f"{EXAMPLE}; - reads standard input.",
        show_default=False,
    ),
]


def append(
    session: Session,
    *,
    file: File,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Add the records of a file, each answered by its line. Exit by the first that is refused; the others are added.

    Repeat a file whose outcome is unknown with its --request-id: what was added is not added again.
    """
    records = _records(secret_file(file))
    why, first_id = access.context(purpose, reason, ticket), access.request_id(request_id)
    results: list[RecordResult] = []
    try:
        for number, batch in enumerate(_batches(records)):
            results += _send(session, why, _batch_id(first_id, number), batch)
    except CallError as failure:
        failure.request_id = first_id  # the whole file is repeated, not the batch
        if results:
            _show(session, results)
        raise
    _show(session, results)
    refused = [one.error for one in results if one.HasField("error")]
    if refused:
        code = refused[0].code
        known = code in StatusCode.__members__
        raise IncompleteError(exit_codes.of_status(StatusCode[code]) if known else ExitCode.INTERNAL)


def _records(text: str) -> list[Record]:
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found.append(_record(line, number))
        elif number <= text.count("\n"):
            raise UsageError(f"line {number} is empty; nothing was sent")
    if not found:
        raise UsageError("the file has no record")
    return found


def _record(line: str, number: int) -> Record:
    try:
        document = json.loads(line)
        record = json_format.ParseDict(document, Record()) if isinstance(document, dict) else None
    except (ValueError, RecursionError, json_format.ParseError):  # their texts repeat the value
        record = None
    if record is None:
        raise UsageError(f"line {number} is no record of the contract in JSON; nothing was sent")
    if record.ByteSize() > MOST_BYTES:
        raise UsageError(f"line {number} is larger than any record may be; nothing was sent")
    return record


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        size += record.ByteSize()
        if batch and (len(batch) == MOST or size > MOST_BYTES):
            yield batch
            batch, size = [], record.ByteSize()
        batch.append(record)
    yield batch


def _batch_id(first: str, number: int) -> str:
    """The request id of a batch: of the same file and the same first id always the same."""
    if not number:
        return first
    try:
        return str(uuid.uuid5(uuid.UUID(first), str(number)))
    except ValueError:
        raise UsageError("--request-id wants a UUID") from None


def _send(session: Session, why: AccessContext, request_id: str, batch: Sequence[Record]) -> Sequence[RecordResult]:
    identity = session.remote("identity")
    request = AppendRecordsRequest(access=why, request_id=request_id, records=batch)
    return identity.call(RecordServiceStub(identity.channel).AppendRecords, request).results


def _show(session: Session, results: Sequence[RecordResult]) -> None:
    answered = [_answer(line, result) for line, result in enumerate(results, start=1)]
    refused = sum("error" in one for one in answered)
    if session.options.json:
        counts = {"added": len(answered) - refused, "refused": refused}
        session.print_json({**counts, "results": answered})
        return
    lines = [(str(one["line"]), one.get("record_id", ""), _words(one.get("error", {}))) for one in answered]
    session.out.print(listing(("line", "record", "refused"), lines))
    session.note(f"{len(answered) - refused} added, {refused} refused")


def _answer(line: int, result: RecordResult) -> dict[str, Any]:
    if not result.HasField("error"):
        return {"line": line, "record_id": result.record_id}
    error = result.error
    known = error.reason in ErrorReason.values()
    reason = ErrorReason.Name(error.reason).removeprefix("ERROR_REASON_") if known else str(error.reason)
    return {"line": line, "error": {"code": error.code, "reason": reason, "field": error.field, "rule": error.rule}}


def _words(error: dict[str, str]) -> str:
    return " ".join(error[key] for key in ("reason", "field", "rule") if error.get(key))

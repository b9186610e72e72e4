"""Failures on standard error: for a person in words, for a program (`--json`) as one JSON object a line."""

import json
import sys
from typing import Any

from cli.errors import CURES
from cli.exit_codes import ExitCode
from cli.failures import CallError, CommandError, IncompleteError
from cli.json_output import dumps
from cli.printable import printable


def show(failure: CommandError, *, as_json: bool) -> None:
    """Write the failure to standard error; nothing for one that has been shown already."""
    if isinstance(failure, IncompleteError):
        return
    text = dumps(as_object(failure), indent=None) if as_json else "\n".join(printable(line) for line in lines(failure))
    sys.stderr.write(text + "\n")


def as_object(failure: CommandError) -> dict[str, Any]:
    """`{"error": {"exit_code": …, …}}`; the other keys depend on the kind of failure."""
    told: dict[str, Any] = {"exit_code": int(failure.exit_code)}
    if isinstance(failure, CallError):
        told |= {
            "service": failure.service,
            "code": failure.code.name,
            "reason": failure.reason,
            "cure": CURES.get(failure.reason, ""),
            "violations": [{"field": one.field, "rule": one.rule} for one in failure.violations],
            "retry_seconds": failure.retry_seconds,
            "trace_id": failure.trace_id,
            "record_id": failure.record_id,
            "request_id": failure.request_id,
            "transport": failure.transport,
        }
    else:
        told["message"] = str(failure)
    return {"error": told}


def lines(failure: CommandError) -> list[str]:
    """The failure in words."""
    if not isinstance(failure, CallError):
        return [f"onggi: {failure}"]
    reason = f" ({failure.reason})" if failure.reason else ""
    told = [f"onggi: {failure.service}: {failure.code.name}{reason}"]
    told += [f"  {one.field}: {one.rule}" for one in failure.violations]
    if failure.reason in CURES:
        told.append(f"  {CURES[failure.reason]}")
    if failure.transport:
        told.append(f"  {failure.transport}")
    if failure.retry_seconds is not None:
        told.append(f"  retry after {failure.retry_seconds:g} s")
    if failure.unanswered and failure.request_id:
        told.append(f"  the outcome may be unknown; repeat with --request-id {failure.request_id}")
    told.append(f"  trace {failure.trace_id}" + (f", record {failure.record_id}" if failure.record_id else ""))
    return told


def show_defect(error: Exception, *, as_json: bool) -> None:
    """An exception that nobody foresaw: its type and place, because its text may hold a value."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_globals.get('__name__', '?')}:{place.tb_lineno}" if place else "?"
    message = f"a defect: {type(error).__name__} at {where}"
    code = int(ExitCode.INTERNAL)
    text = json.dumps({"error": {"exit_code": code, "message": message}}) if as_json else f"onggi: {message}"
    sys.stderr.write(text + "\n")

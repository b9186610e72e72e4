"""Errors of the services, read from the status details, and what cures them.

The free text of a status is not shown: a defective server could have put a value into it. What is shown comes from the
reason enum, from field names and from rule names.
"""

import re
from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped, unused-ignore]
from grpc_status import rpc_status
from onggi.errors.v1.error_reason_pb2 import ErrorReason

from cli.failures import CallError, Violation

DOMAIN: Final = "onggi"
HIDDEN: Final = "(not shown)"

CURES: Final[Mapping[str, str]] = {
    "INTERNAL": "A defect of ours. Report the trace id; a retry will not help.",
    "MALFORMED_REQUEST": "The bytes are not a message of the request's type. Regenerate the stubs.",
    "UNKNOWN_FIELD": "The request holds a field that this version does not know. Regenerate the stubs.",
    "INVALID_FIELD": "A field breaks a rule; BadRequest names field and rule, never the value.",
    "FORBIDDEN_CONTENT": (
        "A text field holds what must not stand there: a resident number, a card number, a security code."
    ),
    "PURPOSE_REQUIRED": "The call states no purpose. Set access.purpose.",
    "PURPOSE_UNKNOWN": "The policy has no such purpose. Use one of the policy's names.",
    "REASON_REQUIRED": "The RPC wants a reason. Set access.reason.",
    "CALLER_UNIDENTIFIED": "The client certificate names no SPIFFE identity. Have one issued.",
    "ACCESS_DENIED": "No rule lets this caller use this RPC. Ask the policy's owner.",
    "PURPOSE_NOT_ALLOWED": (
        "This caller may use this RPC, but not for this purpose. "
        "State a purpose that is allowed, or ask the policy's owner."
    ),
    "MEMBER_NOT_FOUND": "No such member for this caller: absent, withdrawn or destroyed. Do not retry.",
    "CONTACT_NOT_FOUND": "No such contact for this caller. Do not retry.",
    "TOKEN_NOT_FOUND": "No such token for this member: unknown, of another member, or destroyed. Do not retry.",
    "PLAN_NOT_FOUND": "No such purge plan. Do not retry.",
    "ENTRY_NOT_FOUND": "No such entry in this service's processing log. Do not retry.",
    "CERTIFICATE_NOT_READY": "The plan has no certificate yet. Watch the plan.",
    "ALREADY_REGISTERED": "A member with this e-mail or number is registered already. Look the member up with FindMember.",
    "REQUEST_ID_REUSED": "The request_id was used with other content. Take a new one for new content.",
    "ETAG_STALE": "The record has changed since it was read. Read it again and repeat the change with the new etag.",
    "LEDGER_UNAVAILABLE": "The access could not be recorded, so there is no answer. Retry with the same request_id.",
    "KEY_SERVICE_UNAVAILABLE": "The key service cannot be reached. Retry with the same request_id.",
    "DATABASE_UNAVAILABLE": (
        "The database cannot be reached, or the outcome could not be read back. Retry with the same request_id."
    ),
    "OVERLOADED": "Too many calls wait. Retry after the time in RetryInfo.",
    "DEADLINE_EXCEEDED": "The call's deadline passed before its turn came. Retry with the same request_id.",
    "METHOD_UNKNOWN": "This server has no such RPC.",
    "STALE_EPOCH": "The purge attempt is older than one that this holder has seen. Stop: another worker goes on.",
    "PLAN_STATE": "The plan is not in a state that allows this. Read it and see.",
    "SELF_APPROVAL": "Who asked for it, or whom it concerns, may not approve it. Another person must.",
    "PLAN_CHANGED": "The plan is not the one that was reviewed: its digest differs. Read it again.",
    "CATEGORY_UNKNOWN": "This holder keeps nothing of that category. Use a category of docs/retention.md.",
    "HOLDER_UNAVAILABLE": "A data holder cannot be reached. Retry; the plan or the hold stands.",
    "STOPPING": "The server is stopping. Retry: another replica takes the call.",
    "SEAL_BROKEN": "A stored value does not decrypt under its own key and place. On-call is alarmed; do not retry.",
    "SUBJECT_DESTROYED": "The member is gone or was never known here; nothing can be added for it. Do not retry.",
    "CANCELLED": "The caller went away before the answer.",
    "PAGE_TOKEN_INVALID": "The page token was not issued for this list. Start from the first page.",
    "CONSENT_REQUIRED": (
        "No living consent of this person for this purpose, or no such person. Do not use the data; ask for the consent."
    ),
    "CONSENT_UNKNOWN": "The policy has no such consent. Use one of the policy's names.",
    "CONSENT_NOT_FOUND": "The member has no living consent of that name. Do not retry.",
    "RECORD_NOT_FOUND": "No such record for this caller: absent, moved or destroyed. Do not retry.",
    "APPROVAL_REQUIRED": "More subjects than this caller may reveal alone. Have a second person approve exactly this list.",
    "APPROVAL_NOT_FOUND": (
        "No such approval for this: absent, over, used, of other tokens or of another caller. Ask for a new one."
    ),
    "BUDGET_EXHAUSTED": "This caller has revealed as many subjects as it may for now. Retry after the time in RetryInfo.",
    "CALLER_SUSPENDED": "This caller's reveals are suspended. Ask security.",
    "KEY_UNKNOWN": "This holder has no such key. Use a name that ListKeys shows.",
    "KEY_IN_USE": "A row still stands under an old version. Rewrap, then retire.",
    "LEGALLY_HELD": (
        "A legal hold stands on it, so it is not destroyed. Nothing is to be done until the hold is released."
    ),
    "HOLD_NOT_FOUND": "No such hold. Do not retry.",
    "HOLD_STATE": "The hold is not in a state that allows this. Read it and see.",
    "POLICY_INCOMPLETE": (
        "Something is kept under a category that this server's policy does not name, so nobody can say until when. "
        "Nothing was changed. Have the category put back into the policy."
    ),
}
"""What the comment of each reason says (onggi/errors/v1/error_reason.proto), without the status code before it."""

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]]{0,127}")
_RULE = re.compile(r"[A-Za-z][A-Za-z_.]{0,63}")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_RECORD_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What the client's own library says when it finds no server; it names addresses and TLS causes, never content.
_TRANSPORT = ("failed to connect to all addresses", "connections to all backends failing", "empty address list")


def read(error: grpc.RpcError, service: str, trace_id: str, request_id: str = "") -> CallError:
    """The failure that a grpc error tells of. `trace_id` is the command's own, for a server that named none."""
    if not isinstance(error, grpc.Call):
        return CallError(service, grpc.StatusCode.UNKNOWN, trace_id=trace_id, request_id=request_id)
    trailers = {key: value for key, value in error.trailing_metadata() or () if isinstance(value, str)}
    info, bad_request, retry = _details(error)
    details = error.details() or ""
    retry_delay = retry.retry_delay.ToTimedelta().total_seconds() if retry.HasField("retry_delay") else None
    return CallError(
        service=service,
        code=error.code(),
        reason=info.reason if info.domain == DOMAIN and info.reason in reasons() else "",
        violations=tuple(
            Violation(_shown(_FIELD, item.field), _shown(_RULE, item.description))
            for item in bad_request.field_violations
        ),
        retry_seconds=retry_delay,
        trace_id=_shown(_TRACE_ID, trailers.get("onggi-trace-id") or info.metadata.get("trace_id") or trace_id),
        record_id=_shown(_RECORD_ID, trailers.get("onggi-record-id", "")),
        request_id=request_id,
        transport=details if details.startswith(_TRANSPORT) else "",
    )


def reasons() -> frozenset[str]:
    """Names of the reasons that a service may send, without the prefix."""
    sent = (name for name, number in ErrorReason.items() if number)
    return frozenset(name.removeprefix("ERROR_REASON_") for name in sent)


def _details(
    error: grpc.Call,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo]:
    info, bad_request, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for detail in _status(error).details:
        for message in (info, bad_request, retry):
            if detail.Is(message.DESCRIPTOR):
                try:
                    detail.Unpack(message)
                except DecodeError:
                    message.Clear()
    return info, bad_request, retry


def _status(error: grpc.Call) -> status_pb2.Status:
    try:
        return rpc_status.from_call(error) or status_pb2.Status()
    except (ValueError, DecodeError):  # details that contradict the status, or are none
        return status_pb2.Status()


def _shown(shape: re.Pattern[str], text: str) -> str:
    return text if not text or shape.fullmatch(text) else HIDDEN

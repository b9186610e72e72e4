"""One family of errors, and the one place where an error becomes a gRPC status.

An error carries a code, a reason of the contract's ErrorReason, and names of fields and rules. It never carries a
value: the text of an exception of somebody else's (driver, library) reaches neither the caller nor a log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from onggi.errors.v1 import error_reason_pb2 as reasons

DOMAIN = "onggi"
STATUS_DETAILS = "grpc-status-details-bin"
_PREFIX = "ERROR_REASON_"

Code = grpc.StatusCode


@dataclass(frozen=True, slots=True)
class Violation:
    """A field of the request and the rule that it breaks; never the value."""

    field: str
    rule: str


class DomainError(Exception):
    """Base of every error that a caller may see.

    ``code``: gRPC status code. ``reason``: value of ErrorReason. ``message``: fixed text, the same for every call.
    ``retry_after``: seconds after which a retry makes sense, or None.
    """

    code: Code = Code.INTERNAL
    reason: reasons.ErrorReason.ValueType = reasons.ERROR_REASON_INTERNAL
    message = "an internal error"
    retry_after: float | None = None

    def __init__(self, violations: Sequence[Violation] = ()) -> None:
        super().__init__(self.message)
        self.violations = tuple(violations)


class Internal(DomainError):
    """A defect of ours; the log has its place, the caller has the trace id."""


class MalformedRequest(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_MALFORMED_REQUEST
    message = "the bytes are not a message of the request's type"


class UnknownField(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_UNKNOWN_FIELD
    message = "the request holds a field that this version does not know"


class InvalidField(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_INVALID_FIELD
    message = "a field breaks a rule"


class ForbiddenContent(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_FORBIDDEN_CONTENT
    message = "a text field holds what must not stand there"


class PurposeRequired(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_PURPOSE_REQUIRED
    message = "the call states no purpose"

    def __init__(self) -> None:
        super().__init__([Violation("access.purpose", "required")])


class PurposeUnknown(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_PURPOSE_UNKNOWN
    message = "the policy has no such purpose"

    def __init__(self) -> None:
        super().__init__([Violation("access.purpose", "unknown")])


class ReasonRequired(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_REASON_REQUIRED
    message = "this call wants a reason"

    def __init__(self) -> None:
        super().__init__([Violation("access.reason", "required")])


class PageTokenInvalid(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_PAGE_TOKEN_INVALID
    message = "the page token was not issued for this list"

    def __init__(self) -> None:
        super().__init__([Violation("page_token", "invalid")])


class CallerUnidentified(DomainError):
    code, reason = Code.UNAUTHENTICATED, reasons.ERROR_REASON_CALLER_UNIDENTIFIED
    message = "the client certificate names no SPIFFE identity"


class AccessDenied(DomainError):
    code, reason = Code.PERMISSION_DENIED, reasons.ERROR_REASON_ACCESS_DENIED
    message = "no rule lets this caller use this RPC"


class PurposeNotAllowed(DomainError):
    code, reason = Code.PERMISSION_DENIED, reasons.ERROR_REASON_PURPOSE_NOT_ALLOWED
    message = "this caller may not use this RPC for this purpose"


class MethodUnknown(DomainError):
    code, reason = Code.UNIMPLEMENTED, reasons.ERROR_REASON_METHOD_UNKNOWN
    message = "this server has no such RPC"


class RequestIdReused(DomainError):
    code, reason = Code.ALREADY_EXISTS, reasons.ERROR_REASON_REQUEST_ID_REUSED
    message = "the request_id was used with other content"

    def __init__(self) -> None:
        super().__init__([Violation("request_id", "reused")])


class SubjectDestroyed(DomainError):
    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_SUBJECT_DESTROYED
    message = "nothing can be added for this subject"


class LedgerUnavailable(DomainError):
    code, reason = Code.UNAVAILABLE, reasons.ERROR_REASON_LEDGER_UNAVAILABLE
    message = "the access could not be recorded, so there is no answer"
    retry_after = 1.0


class KeyServiceUnavailable(DomainError):
    code, reason = Code.UNAVAILABLE, reasons.ERROR_REASON_KEY_SERVICE_UNAVAILABLE
    message = "the key service cannot be reached"
    retry_after = 1.0


class DatabaseUnavailable(DomainError):
    code, reason = Code.UNAVAILABLE, reasons.ERROR_REASON_DATABASE_UNAVAILABLE
    message = "the database cannot be reached"
    retry_after = 1.0


class PolicyIncomplete(DomainError):
    """Rows stand under a category that the policy does not name: no end can be told of them."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_POLICY_INCOMPLETE
    message = "something is kept under a category that the policy does not name"


class Stopping(DomainError):
    code, reason = Code.UNAVAILABLE, reasons.ERROR_REASON_STOPPING
    message = "the server is stopping"
    retry_after = 0.1


class Overloaded(DomainError):
    code, reason = Code.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_OVERLOADED
    message = "too many calls wait"
    retry_after = 0.5


class DeadlinePassed(DomainError):
    code, reason = Code.DEADLINE_EXCEEDED, reasons.ERROR_REASON_DEADLINE_EXCEEDED
    message = "the call's deadline passed before its turn came"


class StreamIdle(DeadlinePassed):
    message = "no message came for too long"


class Cancelled(DomainError):
    code, reason = Code.CANCELLED, reasons.ERROR_REASON_CANCELLED
    message = "the caller went away"


class SealBroken(DomainError):
    reason = reasons.ERROR_REASON_SEAL_BROKEN
    message = "a stored value does not decrypt under its own key and place"


@cache
def reason_name(reason: reasons.ErrorReason.ValueType) -> str:
    """Return the reason's name as it stands in ErrorInfo, for example ``TOKEN_NOT_FOUND``."""
    return reasons.ErrorReason.Name(reason).removeprefix(_PREFIX)


def item_error(error: DomainError) -> reasons.ItemError:
    """Return the error as the answer for one item of a batch."""
    first = error.violations[0] if error.violations else Violation("", "")
    return reasons.ItemError(code=error.code.name, reason=error.reason, field=first.field, rule=first.rule)


def to_status(error: DomainError, trace_id: str) -> Status:
    """Return the error as google.rpc.Status with ErrorInfo, and BadRequest or RetryInfo where they help."""
    details = [_packed(ErrorInfo(reason=reason_name(error.reason), domain=DOMAIN, metadata={"trace_id": trace_id}))]
    if error.violations:
        fields = [BadRequest.FieldViolation(field=item.field, description=item.rule) for item in error.violations]
        details.append(_packed(BadRequest(field_violations=fields)))
    if error.retry_after is not None:
        delay = Duration()
        delay.FromMilliseconds(int(error.retry_after * 1000))
        details.append(_packed(RetryInfo(retry_delay=delay)))
    number: int = error.code.value[0]
    return Status(code=number, message=error.message, details=details)


def _packed(message: ErrorInfo | BadRequest | RetryInfo) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed

"""What can be wrong with a request to this service."""

from onggi.errors.v1 import error_reason_pb2 as reasons

from chassis.errors import Code, DomainError


class TokenNotFound(DomainError):
    """Unknown, another member's and destroyed are one answer."""

    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_TOKEN_NOT_FOUND
    message = "no such token"


class ApprovalRequired(DomainError):
    """More distinct subjects than the caller may reveal alone (LG-05)."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_APPROVAL_REQUIRED
    message = "so many subjects need an approval"


class ApprovalNotFound(DomainError):
    """Absent, over, used, of other tokens and of another caller are one answer."""

    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_APPROVAL_NOT_FOUND
    message = "no such approval for this"


class SelfApproval(DomainError):
    code, reason = Code.PERMISSION_DENIED, reasons.ERROR_REASON_SELF_APPROVAL
    message = "another person must approve"


class BudgetExhausted(DomainError):
    """``retry_after``: seconds until the window ends that has no room (PV-08)."""

    code, reason = Code.RESOURCE_EXHAUSTED, reasons.ERROR_REASON_BUDGET_EXHAUSTED
    message = "no more subjects for now"
    retry_after = 3600.0

    def __init__(self, retry_after: float = retry_after) -> None:
        super().__init__()
        self.retry_after = retry_after


class CallerSuspended(DomainError):
    code, reason = Code.PERMISSION_DENIED, reasons.ERROR_REASON_CALLER_SUSPENDED
    message = "this caller's reveals are suspended"

"""The errors that are the retention service's own."""

from onggi.errors.v1 import error_reason_pb2 as reasons

from chassis import errors
from chassis.errors import Code, Violation


class CategoryUnknown(errors.DomainError):
    """A category was asked for that the table does not have."""

    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_CATEGORY_UNKNOWN
    message = "the retention schedule has no such category"

    def __init__(self) -> None:
        super().__init__([Violation("categories", "unknown")])


class PlanNotFound(errors.DomainError):
    """There is no plan of that id."""

    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_PLAN_NOT_FOUND
    message = "no such purge plan"


class WrongState(errors.DomainError):
    """The plan would have to be in another state."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_PLAN_STATE
    message = "the plan is not in a state that allows this"


class SelfApproval(errors.DomainError):
    """The requester is not the one to approve (four eyes)."""

    code, reason = Code.PERMISSION_DENIED, reasons.ERROR_REASON_SELF_APPROVAL
    message = "who asked for a plan may not approve it"


class PlanChanged(errors.DomainError):
    """The digest given is not the plan's."""

    code, reason = Code.ABORTED, reasons.ERROR_REASON_PLAN_CHANGED
    message = "the plan is not the one that was reviewed"

    def __init__(self) -> None:
        super().__init__([Violation("digest", "differs")])


class HoldNotFound(errors.DomainError):
    """There is no hold of that id."""

    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_HOLD_NOT_FOUND
    message = "no such hold"


class WrongHoldState(errors.DomainError):
    """The hold would have to be in another state, or is approved already."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_HOLD_STATE
    message = "the hold is not in a state that allows this"


class OwnHold(errors.DomainError):
    """Who has placed a hold is not the one to approve or to release it (four eyes)."""

    code, reason = Code.PERMISSION_DENIED, reasons.ERROR_REASON_SELF_APPROVAL
    message = "who has placed a hold may neither approve nor release it"


class CertificateNotReady(errors.DomainError):
    """The plan is not certified."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_CERTIFICATE_NOT_READY
    message = "the plan has no certificate yet"


class HolderUnavailable(errors.DomainError):
    """A holder could not be reached, failed or refused."""

    code, reason = Code.UNAVAILABLE, reasons.ERROR_REASON_HOLDER_UNAVAILABLE
    message = "a data holder did not do what it was asked; the plan stands"
    retry_after = 1.0


class HoldWaits(HolderUnavailable):
    """Not every holder has been told of a hold, or of its release; the service goes on with it by itself."""

    message = "a data holder has not been told yet; the hold is in the register, and it will be"


class Overtaken(HolderUnavailable):
    """A newer attempt at the same plan is known, to a holder or to the database; this one must stop."""

    message = "another attempt at this plan is under way"

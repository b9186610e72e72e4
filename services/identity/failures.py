"""What can be wrong with a request to this service."""

from onggi.errors.v1 import error_reason_pb2 as reasons

from chassis.errors import Code, DomainError


class MemberNotFound(DomainError):
    """Absent, withdrawn and destroyed are one answer."""

    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_MEMBER_NOT_FOUND
    message = "no such member"


class ContactNotFound(DomainError):
    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_CONTACT_NOT_FOUND
    message = "no such contact"


class AlreadyRegistered(DomainError):
    code, reason = Code.ALREADY_EXISTS, reasons.ERROR_REASON_ALREADY_REGISTERED
    message = "a member with this e-mail or number is registered"


class EtagStale(DomainError):
    code, reason = Code.ABORTED, reasons.ERROR_REASON_ETAG_STALE
    message = "the record has changed since it was read"


class RecordNotFound(DomainError):
    """Absent, moved and destroyed are one answer."""

    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_RECORD_NOT_FOUND
    message = "no such record"


class ConsentUnknown(DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_CONSENT_UNKNOWN
    message = "the policy has no such consent"


class ConsentNotFound(DomainError):
    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_CONSENT_NOT_FOUND
    message = "no living consent of that name"


class ConsentRequired(DomainError):
    """No consent and no person are one answer."""

    code, reason = Code.PERMISSION_DENIED, reasons.ERROR_REASON_CONSENT_REQUIRED
    message = "no living consent of this person for this purpose"

"""What can be wrong with a request to this service."""

from onggi.errors.v1 import error_reason_pb2 as reasons

from chassis.errors import Code, DomainError


class TokenNotFound(DomainError):
    """Unknown, another member's and destroyed are one answer."""

    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_TOKEN_NOT_FOUND
    message = "no such token"

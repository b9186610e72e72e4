"""What the exit code tells a script. Codes are never reused: scripts of operators depend on them."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from grpc import StatusCode


class ExitCode(IntEnum):
    """Exit codes of every command; 128 + n stands for a signal, as in the shell."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    REFUSED = 4
    NOT_FOUND = 5
    INVALID_INPUT = 6
    CONFLICT = 7
    EXHAUSTED = 8
    INTERNAL = 70
    INTERRUPTED = 130


MEANINGS: Final[Mapping[ExitCode, str]] = {
    ExitCode.OK: "done",
    ExitCode.CHECK_FAILED: "a check failed: policy or certificate not good, plan needs an operator, or you did not confirm",
    ExitCode.USAGE: "wrong use, or wrong configuration",
    ExitCode.UNAVAILABLE: "a service did not answer; what is shown may be incomplete",
    ExitCode.REFUSED: "refused: unknown caller, no right, or purpose not allowed",
    ExitCode.NOT_FOUND: "not found: absent, withdrawn or destroyed",
    ExitCode.INVALID_INPUT: "the input breaks a rule",
    ExitCode.CONFLICT: "conflict: exists already, changed meanwhile, or not in a state for it",
    ExitCode.EXHAUSTED: "too many calls; retry later",
    ExitCode.INTERNAL: "a defect; report the trace id",
    ExitCode.INTERRUPTED: "interrupted from the keyboard",
}

_BY_STATUS: Final[Mapping[StatusCode, ExitCode]] = {
    StatusCode.OK: ExitCode.OK,
    StatusCode.CANCELLED: ExitCode.UNAVAILABLE,
    StatusCode.UNKNOWN: ExitCode.INTERNAL,
    StatusCode.INVALID_ARGUMENT: ExitCode.INVALID_INPUT,
    StatusCode.DEADLINE_EXCEEDED: ExitCode.UNAVAILABLE,
    StatusCode.NOT_FOUND: ExitCode.NOT_FOUND,
    StatusCode.ALREADY_EXISTS: ExitCode.CONFLICT,
    StatusCode.PERMISSION_DENIED: ExitCode.REFUSED,
    StatusCode.RESOURCE_EXHAUSTED: ExitCode.EXHAUSTED,
    StatusCode.FAILED_PRECONDITION: ExitCode.CONFLICT,
    StatusCode.ABORTED: ExitCode.CONFLICT,
    StatusCode.OUT_OF_RANGE: ExitCode.INVALID_INPUT,
    StatusCode.UNIMPLEMENTED: ExitCode.INTERNAL,
    StatusCode.INTERNAL: ExitCode.INTERNAL,
    StatusCode.UNAVAILABLE: ExitCode.UNAVAILABLE,
    StatusCode.DATA_LOSS: ExitCode.INTERNAL,
    StatusCode.UNAUTHENTICATED: ExitCode.REFUSED,
}


def of_status(code: StatusCode) -> ExitCode:
    """The exit code for a gRPC status code."""
    return _BY_STATUS[code]

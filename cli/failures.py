"""The ways in which a command ends other than well; each knows its exit code."""

from dataclasses import dataclass

from grpc import StatusCode

from cli import exit_codes
from cli.exit_codes import ExitCode


class CommandError(Exception):
    """Base of the failures below. The text is shown to the operator and never holds a value that was typed in."""

    exit_code = ExitCode.INTERNAL


class UsageError(CommandError):
    """The command line or the configuration is wrong."""

    exit_code = ExitCode.USAGE


class CheckError(CommandError):
    """Something was looked at and is not as it must be, or the operator did not confirm."""

    exit_code = ExitCode.CHECK_FAILED


class StreamEndedError(CommandError):
    """A stream of progress ended before what it tells of did."""

    exit_code = ExitCode.UNAVAILABLE


class IncompleteError(CommandError):
    """What was asked for has been shown, as far as the services answered; the rest has been reported already."""

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__("")
        self.exit_code = exit_code


@dataclass(frozen=True)
class Violation:
    """A field of the request and the name of the rule that it breaks; never the value."""

    field: str
    rule: str


@dataclass(eq=False)
class CallError(CommandError):
    """A call that ended with an error, reduced to what may be shown. Ids are in hexadecimal or UUID form, or empty."""

    service: str
    code: StatusCode
    reason: str = ""
    violations: tuple[Violation, ...] = ()
    retry_seconds: float | None = None
    trace_id: str = ""
    record_id: str = ""
    request_id: str = ""
    transport: str = ""

    @property
    def exit_code(self) -> ExitCode:  # type: ignore[override]
        """By the status code of the call."""
        return exit_codes.of_status(self.code)

    @property
    def unanswered(self) -> bool:
        """True when the service may not have answered at all, so that a later try can succeed."""
        return self.exit_code is ExitCode.UNAVAILABLE

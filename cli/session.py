"""One invocation of the command: its options, its trace, and its connections."""

import secrets
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO, TypeVar

import grpc
from google.protobuf.message import Message
from rich.console import Console

from cli import channel, config, errors
from cli.failures import CallError, UsageError
from cli.json_output import dumps

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
_PIPE_WIDTH: Final = 1000  # columns when nobody reads a terminal: wide enough that a line of a table stays one

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True)
class Options:
    """The options that every command takes. `timeout` is in seconds a call; None takes the default."""

    config: Path | None = None
    caller: str | None = None
    json: bool = False
    timeout: float | None = None
    verbose: bool = False


@dataclass(frozen=True)
class Trace:
    """W3C trace context: all calls of one invocation share the trace and have the invocation as their parent."""

    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def traceparent(self) -> str:
        """The header's value."""
        return f"00-{self.trace_id}-{self.span_id}-01"


class Session:
    """What a command works with. Use as a context manager: leaving it closes the connections."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.trace = Trace()
        self.out = console(sys.stdout)
        self.err = console(sys.stderr)
        self._channels: dict[str, grpc.Channel] = {}

    @cached_property
    def config(self) -> config.Config:
        """Read when first needed, so that what works offline needs none. Raises UsageError."""
        if self.options.config is None:
            raise UsageError("no configuration: give --config FILE or set ONGGI_CLI_CONFIG")
        return config.load(self.options.config)

    def remote(self, service: str) -> "Remote":
        """The service, connected as the chosen caller. Raises UsageError when the configuration lacks something."""
        if service not in self._channels:
            address, caller = self.config.service(service), self.config.caller(self.options.caller)
            self._channels[service] = channel.connect(address, caller, self.config.ca)
        return Remote(self, service, self._channels[service])

    def print_json(self, document: object, *, indent: int | None = 2) -> None:
        """Write a JSON document to standard output, and nothing else beside it."""
        sys.stdout.write(dumps(document, indent=indent) + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """A remark for a person, on standard error."""
        self.err.print(text, soft_wrap=True)

    def __enter__(self) -> Self:
        if self.options.verbose:
            self.note(f"trace {self.trace.trace_id}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in self._channels.values():
            opened.close()


@dataclass(frozen=True)
class Remote:
    """A service as this session reaches it."""

    session: Session
    service: str
    channel: grpc.Channel

    def call(
        self, method: "grpc.UnaryUnaryMultiCallable[Request, Response]", request: Request, usual: float | None = None
    ) -> Response:
        """One call; `usual`: seconds that it may take unless the options say otherwise. Raises CallError, UsageError."""
        if request.ByteSize() > channel.MAX_SENT_BYTES:
            raise UsageError(f"the input is larger than a service takes in one call: {channel.MAX_SENT_BYTES} bytes")
        timeout = self.session.options.timeout or usual or DEFAULT_TIMEOUT_SECONDS
        try:
            response, call = method.with_call(request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._failure(error, request) from None
        self._tell_record(call)
        return response

    def stream(
        self, method: "grpc.UnaryStreamMultiCallable[Request, Response]", request: Request, timeout: float
    ) -> Iterator[Response]:
        """The answers of one streaming call that may take `timeout` seconds. Raises CallError."""
        call = method(request, timeout=timeout, metadata=self._metadata)
        try:
            yield from call
        except grpc.RpcError as error:
            raise self._failure(error, request) from None
        finally:
            call.cancel()

    def exchange(
        self,
        method: "grpc.StreamStreamMultiCallable[Request, Response]",
        requests: Iterator[Request],
        timeout: float,
    ) -> Generator[Response, None, None]:
        """The answers to a stream of requests that may take `timeout` seconds. Raises CallError."""
        call = method(requests, timeout=timeout, metadata=self._metadata)
        try:
            yield from call
            self._tell_record(call)
        except grpc.RpcError as error:
            raise self._failure(error, None) from None
        finally:
            call.cancel()

    @property
    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("traceparent", self.session.trace.traceparent),)

    def _failure(self, error: grpc.RpcError, request: Message | None) -> CallError:
        request_id = getattr(request, "request_id", "")
        return errors.read(error, self.service, self.session.trace.trace_id, request_id)

    def _tell_record(self, call: grpc.Call) -> None:
        if self.session.options.verbose:
            trailers = dict(call.trailing_metadata() or ())
            self.session.note(f"{self.service} record {trailers.get('onggi-record-id', '(none)')!s}")


def console(stream: TextIO) -> Console:
    """A console that interprets nothing in what it prints: no markup, no emoji codes, no highlighting."""
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)

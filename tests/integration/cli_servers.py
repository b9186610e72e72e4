"""Small gRPC servers over mutual TLS for the tests of the command.

Each answers what a test tells it and keeps what it was asked. They speak the contract from the generated descriptors:
the command meets the same wire as in production.
"""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from onggi.identity.v1 import (
    archive_service_pb2,
    consent_service_pb2,
    contact_service_pb2,
    member_service_pb2,
    record_service_pb2,
)
from onggi.keys.v1 import key_service_pb2
from onggi.payment_vault.v1 import detokenization_service_pb2, reveal_approval_service_pb2, tokenization_service_pb2
from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.retention.v1 import hold_service_pb2, retention_service_pb2

from cli.app import main

_LOG = processing_log_service_pb2.DESCRIPTOR
_KEYS = key_service_pb2.DESCRIPTOR
_FILES = {
    "archive": (archive_service_pb2.DESCRIPTOR, _KEYS, _LOG),
    "identity": (
        member_service_pb2.DESCRIPTOR,
        contact_service_pb2.DESCRIPTOR,
        record_service_pb2.DESCRIPTOR,
        consent_service_pb2.DESCRIPTOR,
        _KEYS,
        _LOG,
    ),
    "payment_vault": (
        tokenization_service_pb2.DESCRIPTOR,
        detokenization_service_pb2.DESCRIPTOR,
        reveal_approval_service_pb2.DESCRIPTOR,
        _KEYS,
        _LOG,
    ),
    "retention": (retention_service_pb2.DESCRIPTOR, hold_service_pb2.DESCRIPTOR, _LOG),
}
COMMAND = Path(__file__).parents[2] / "bin" / "onggi"
RECORD_ID = "0198c0de-0000-7000-8000-000000000001"


@dataclass
class Refusal:
    """An error as the services answer it; `text` is the free text of the status, where a defect could put a value."""

    code: grpc.StatusCode
    reason: str = ""
    violations: Sequence[tuple[str, str]] = ()
    text: str = "refused"
    trace_id: str = "d" * 32

    def status(self) -> "_Status":
        """The status with its details and trailing metadata."""
        status = status_pb2.Status(code=self.code.value[0], message=self.text)
        if self.reason:
            metadata = {"trace_id": self.trace_id}
            info = error_details_pb2.ErrorInfo(reason=self.reason, domain="onggi", metadata=metadata)
            status.details.add().Pack(info)
        if self.violations:
            fields = [
                error_details_pb2.BadRequest.FieldViolation(field=name, description=rule)
                for name, rule in self.violations
            ]
            status.details.add().Pack(error_details_pb2.BadRequest(field_violations=fields))
        trailers = (("grpc-status-details-bin", status.SerializeToString()), *_ids(self.trace_id))
        return _Status(self.code, self.text, trailers)


@dataclass(frozen=True)
class Asked:
    """One call that a server has got."""

    method: str
    request: Any
    caller: str
    metadata: dict[str, str | bytes]


Answer = Message | Refusal | Sequence[Any] | Callable[[Any], Any]


@dataclass
class Server:
    """One service. `answers`: by method a message, a Refusal, a list of both for a stream, or a function of it."""

    name: str
    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def of(self, method: str) -> list[Any]:
        """The requests of one method, in order."""
        return [one.request for one in self.asked if one.method == method]


class Stack:
    """The four services behind one certificate authority, and the command's configuration for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(folder / "ca.pem")
        for caller in ("support", "billing", "privacy-officer"):
            certificate = self._ca.issue_cert(f"{caller}.staff.example", common_name=caller)
            certificate.cert_chain_pems[0].write_to_path(folder / f"{caller}.pem")
            certificate.private_key_pem.write_to_path(folder / f"{caller}-key.pem")
        self.archive, self.identity, self.payment_vault, self.retention = (self._start(name) for name in _FILES)
        self.config = folder / "cli.toml"
        self.config.write_text(self._toml(), encoding="utf-8")

    @property
    def servers(self) -> tuple[Server, ...]:
        """All four."""
        return self.archive, self.identity, self.payment_vault, self.retention

    def stop(self) -> None:
        """Leaves nothing running."""
        for server in self.servers:
            server.stop()

    def _start(self, name: str) -> Server:
        server = Server(name)
        certificate = self._ca.issue_cert(_server_name(name))
        credentials = grpc.ssl_server_credentials(
            [(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())],
            root_certificates=self._ca.cert_pem.bytes(),
            require_client_auth=True,
        )
        pool = ThreadPoolExecutor(4)
        process = grpc.server(pool)
        for file in _FILES[name]:
            for service in file.services_by_name.values():
                process.add_generic_rpc_handlers((_handlers(server, service),))
        server.address = f"127.0.0.1:{process.add_secure_port('127.0.0.1:0', credentials)}"
        process.start()

        def stop() -> None:
            process.stop(None).wait()
            pool.shutdown()

        server.stop = stop
        return server

    def _toml(self) -> str:
        services = "".join(
            f'[services.{one.name}]\naddress = "{one.address}"\nserver_name = "{_server_name(one.name)}"\n'
            for one in self.servers
        )
        callers = "".join(
            f'[callers.{name}]\ncertificate = "{name}.pem"\nkey = "{name}-key.pem"\n'
            for name in ("support", "billing", "privacy-officer")
        )
        return f'ca = "ca.pem"\ndefault_caller = "support"\n{services}{callers}'


@dataclass(frozen=True)
class _Status(grpc.Status):
    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def _server_name(name: str) -> str:
    return f"{name.replace('_', '-')}.onggi.internal"


def _ids(trace_id: str) -> tuple[tuple[str, str], ...]:
    return ("onggi-record-id", RECORD_ID), ("onggi-trace-id", trace_id)


def _handlers(server: Server, service: ServiceDescriptor) -> grpc.GenericRpcHandler:
    methods = {method.name: _handler(server, method) for method in service.methods}
    return grpc.method_handlers_generic_handler(service.full_name, methods)


def _handler(server: Server, method: MethodDescriptor) -> "grpc.RpcMethodHandler[Any, Any]":
    def note(request: Message, context: grpc.ServicerContext) -> Answer:
        names: Any = context.auth_context()["x509_common_name"]  # bytes, whatever the stubs say
        metadata = dict(context.invocation_metadata())
        server.asked.append(Asked(method.name, request, names[0].decode(), metadata))
        context.set_trailing_metadata(_ids(str(metadata.get("traceparent", ""))[3:35]))
        answer = server.answers.get(method.name, Refusal(grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN"))
        return answer(request) if callable(answer) else answer

    def give(answer: Answer, context: grpc.ServicerContext) -> object:
        if isinstance(answer, Refusal):
            context.abort_with_status(answer.status())
        return answer

    def unary(request: Message, context: grpc.ServicerContext) -> object:
        return give(note(request, context), context)

    def stream(request: Message, context: grpc.ServicerContext) -> Iterator[object]:
        answers = note(request, context)
        for answer in answers if isinstance(answers, list) else [answers]:
            yield give(answer, context)

    kind = grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
    behaviour: Any = stream if method.server_streaming else unary
    return kind(
        behaviour,
        request_deserializer=GetMessageClass(method.input_type).FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Onggi = Callable[..., Ended]


@pytest.fixture(scope="session")
def cli_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers for all tests of the command."""
    stack = Stack(tmp_path_factory.mktemp("cli"))
    yield stack
    stack.stop()


@pytest.fixture
def cli_stack(cli_running: Stack) -> Stack:
    """The servers, having been asked nothing and knowing no answer."""
    for server in cli_running.servers:
        server.answers.clear()
        server.asked.clear()
    return cli_running


@pytest.fixture
def onggi(cli_stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Onggi:
    """Runs one command line in this process."""
    monkeypatch.setenv("ONGGI_CLI_CONFIG", str(cli_stack.config))

    def run(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = main(arguments)
        seen = capsys.readouterr()
        return Ended(code, seen.out, seen.err)

    return run


def at_a_terminal(stack: Stack, *arguments: str, typed: Sequence[tuple[str, str]] = ()) -> Ended:
    """Runs bin/onggi with a terminal on all three streams; `typed` is (end of what the screen shows, line to type)."""
    parent, child = os.openpty()
    environment = {"PATH": os.environ["PATH"], "ONGGI_CLI_CONFIG": str(stack.config), "LC_ALL": "C.UTF-8"}
    command = subprocess.Popen(
        [str(COMMAND), *arguments],
        env=environment | {"TERM": "xterm", "COLUMNS": "160"},
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    screen = b""
    try:
        for prompt, line in typed:
            while not screen.endswith(prompt.encode()):
                screen += os.read(parent, 1024)
            os.write(parent, f"{line}\n".encode())
        with contextlib.suppress(OSError):  # the terminal's other end is gone
            while more := os.read(parent, 1024):
                screen += more
        return Ended(command.wait(timeout=30), screen.decode(), "")
    finally:
        command.kill()
        command.wait()
        os.close(parent)

"""Callers of the real services: mutual TLS as any caller of the stack, and answers taken apart.

Calls go by the RPC's full name and take a message or bare bytes, so that one table of cases can hold all RPCs, those
with malformed bytes too. Nothing is retried and nothing is raised: every answer, good or bad, is an `Outcome`.

Calls whose caller streams go by gRPC's blocking client, each in a thread: when a server ends such a call while a message is
on its way, grpc.aio sometimes says INTERNAL of its own ("Internal error from Core") in the place of the server's status.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
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
from onggi.purge.v1 import purge_service_pb2
from onggi.retention.v1 import hold_service_pb2, retention_service_pb2

from dev.identities import CALLERS, Credentials, account, server_name
from dev.stack import Stack

Metadata = Sequence[tuple[str, str | bytes]]

_SERVED_BY: dict[str, tuple[Any, ...]] = {
    "identity": (
        member_service_pb2, contact_service_pb2, consent_service_pb2, record_service_pb2, key_service_pb2,
        purge_service_pb2, processing_log_service_pb2,
    ),
    "archive": (archive_service_pb2, key_service_pb2, purge_service_pb2, processing_log_service_pb2),
    "payment_vault": (
        tokenization_service_pb2, detokenization_service_pb2, reveal_approval_service_pb2, key_service_pb2,
        purge_service_pb2, processing_log_service_pb2,
    ),
    "retention": (retention_service_pb2, hold_service_pb2, processing_log_service_pb2),
}  # fmt: skip


def services_of(service: str) -> list[ServiceDescriptor]:
    """The gRPC services that one of our services serves."""
    return [found for module in _SERVED_BY[service] for found in module.DESCRIPTOR.services_by_name.values()]


def methods() -> dict[str, MethodDescriptor]:
    """Every RPC of the contract by its full name, `package.Service/Method`."""
    return {
        f"{grpc_service.full_name}/{method.name}": method
        for service in _SERVED_BY
        for grpc_service in services_of(service)
        for method in grpc_service.methods
    }


METHODS = methods()


def servers_of(rpc: str) -> list[str]:
    """Our services that serve an RPC; all of them for one that nobody has."""
    name = rpc.partition("/")[0]
    found = [service for service in _SERVED_BY if name in {each.full_name for each in services_of(service)}]
    return found or list(_SERVED_BY)


@dataclass
class Outcome:
    """One answer: the message (all messages of a stream), or the error taken apart; and all that came with it.

    `everything` is the whole of what the caller got but the message: status text, details and metadata.
    """

    rpc: str
    service: str
    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN
    messages: list[Any] = field(default_factory=list)
    reason: str = ""
    violations: list[tuple[str, str]] = field(default_factory=list)
    retry_after: float | None = None
    record_id: str = ""
    trace_id: str = ""
    everything: bytes = b""

    @property
    def message(self) -> Any:
        """The answer of a call that succeeded."""
        assert self.code is grpc.StatusCode.OK, f"{self.rpc}: {self.code} {self.reason} {self.violations}"
        return self.messages[0]


class Clients:
    """Channels to the services of a stack, one for each service and caller, opened when first used."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._channels: dict[tuple[str, str], grpc.aio.Channel] = {}
        self._blocking: dict[tuple[str, str], grpc.Channel] = {}

    def channel(self, service: str, caller: str) -> grpc.aio.Channel:
        """The channel of a caller: one of `dev/identities.py`, or a service by its own name."""
        key = (service, caller)
        if key not in self._channels:
            files = self._credentials(caller)
            self._channels[key] = secure_channel(self._stack, service, credentials_of(files))
        return self._channels[key]

    def _blocking_channel(self, service: str, caller: str) -> grpc.Channel:
        key = (service, caller)
        if key not in self._blocking:
            self._blocking[key] = blocking_channel(self._stack, service, credentials_of(self._credentials(caller)))
        return self._blocking[key]

    def _credentials(self, caller: str) -> Credentials:
        if caller in CALLERS:
            return self._stack.client_credentials(caller)
        return self._stack.service_credentials(caller)

    async def call(
        self, caller: str, rpc: str, request: Message | bytes | Sequence[Message | bytes], *, service: str = "",
        timeout: float = 20.0, metadata: Metadata = (), compression: grpc.Compression | None = None,
        on_start: Callable[[Any], object] | None = None,
    ) -> Outcome:  # fmt: skip
        """Make one call and return what became of it. `on_start` gets the call itself, to cancel it.

        A caller who streams gives several messages; one alone opens the stream and ends it.
        """
        service = service or servers_of(rpc)[0]
        raw = [
            one if isinstance(one, bytes) else one.SerializeToString()
            for one in ([request] if isinstance(request, bytes | Message) else request)
        ]
        method = METHODS.get(rpc)
        options: dict[str, Any] = {"timeout": timeout, "metadata": tuple(metadata), "compression": compression}
        if method is not None and method.client_streaming:
            blocking = self._blocking_channel(service, caller).stream_stream(f"/{rpc}")(iter(raw), **options)
            if on_start is not None:
                on_start(blocking)
            return await asyncio.to_thread(_stream_outcome, Outcome(rpc, service), blocking, method)
        channel = self.channel(service, caller)
        streams = method is not None and method.server_streaming
        make: Any = (channel.unary_stream if streams else channel.unary_unary)(f"/{rpc}")
        started = make(*raw, **options)
        if on_start is not None:
            on_start(started)
        return await _outcome(Outcome(rpc, service), started, method)

    async def close(self) -> None:
        """Close the channels."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        for blocking in self._blocking.values():
            blocking.close()


def credentials_of(files: Credentials) -> grpc.ChannelCredentials:
    """The credentials in these files."""
    return grpc.ssl_channel_credentials(files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes())


def secure_channel(stack: Stack, service: str, credentials: grpc.ChannelCredentials) -> grpc.aio.Channel:
    """A channel to a service under any credentials; no retries, no proxy."""
    return grpc.aio.secure_channel(stack.addresses[service], credentials, _options(service))


def blocking_channel(stack: Stack, service: str, credentials: grpc.ChannelCredentials) -> grpc.Channel:
    """The same for gRPC's blocking client."""
    return grpc.secure_channel(stack.addresses[service], credentials, _options(service))


def _options(service: str) -> list[tuple[str, str | int]]:
    return [
        ("grpc.ssl_target_name_override", server_name(account(service))),
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_send_message_length", -1),
    ]


def _stream_outcome(outcome: Outcome, call: Any, method: MethodDescriptor) -> Outcome:
    raw: list[bytes] = []
    with suppress(grpc.RpcError):
        for message in call:
            raw.append(message)  # noqa: PERF402 - what came before an error counts too
    outcome.code = call.code()
    outcome.messages = [GetMessageClass(method.output_type).FromString(item) for item in raw]
    _take_apart(outcome, call.details() or "", [*call.initial_metadata(), *call.trailing_metadata()])
    return outcome


async def _outcome(outcome: Outcome, call: Any, method: MethodDescriptor | None) -> Outcome:
    raw: list[bytes] = []
    try:
        if isinstance(call, grpc.aio.UnaryStreamCall):
            async for message in call:
                raw.append(message)  # noqa: PERF401 - what came before an error counts too
        else:
            raw = [await call]
    except (grpc.aio.AioRpcError, asyncio.CancelledError):
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
    outcome.code = await call.code()
    if method is not None:
        kind = GetMessageClass(method.output_type)
        outcome.messages = [kind.FromString(item) for item in raw]
    _take_apart(outcome, await call.details() or "", [*await call.initial_metadata(), *await call.trailing_metadata()])
    return outcome


def _take_apart(outcome: Outcome, details: str, metadata: Sequence[tuple[str, str | bytes]]) -> None:
    parts = [details.encode()]
    for key, value in metadata:
        parts += [key.encode(), value.encode() if isinstance(value, str) else bytes(value)]
        if key == "onggi-record-id":
            outcome.record_id = str(value)
        elif key == "onggi-trace-id":
            outcome.trace_id = str(value)
        elif key == "grpc-status-details-bin":
            _read_status(outcome, status_pb2.Status.FromString(bytes(value)))  # type: ignore[arg-type]
    outcome.everything = b"\n".join(parts)


def _read_status(outcome: Outcome, status: Any) -> None:
    assert status.code == outcome.code.value[0], "status in details differs from the call's"
    for detail in status.details:
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            assert info.domain == "onggi"
            outcome.reason = info.reason
        elif detail.Unpack(bad):
            outcome.violations = [(item.field, item.description) for item in bad.field_violations]
        elif detail.Unpack(retry):
            outcome.retry_after = retry.retry_delay.ToMilliseconds() / 1000

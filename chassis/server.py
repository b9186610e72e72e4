"""The gRPC server: one handler per RPC, straight from the service descriptor, raw bytes in and out.

gRPC's own deserialiser answers INTERNAL to malformed bytes and tells nobody; so the bytes come here and are parsed inside
the chain. Unknown methods come here too, and are recorded.
"""

from __future__ import annotations  # grpc's handler types take no parameters at run time

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.empty_pb2 import Empty
from grpc_reflection.v1alpha import reflection
from onggi.options.v1 import options_pb2 as options

from chassis import chain, contract, errors, stream_answers, trace_context
from chassis.call import Call
from chassis.chain import Grounds, Proceed
from chassis.contract import Method
from chassis.entry import Entry
from chassis.gathering import CROWD
from chassis.request_stream import RequestStream
from chassis.running import Running
from chassis.settings import ServerSettings, TlsSettings

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
# What is kept of a caller's time for the answer to travel.
_TRAVEL_SECONDS = 0.15
_TRAVEL_SHARE = 0.25
_REFUSING_SECONDS = 0.3


class Server:
    """One process's server.

    ``services``: (descriptor, servicer); a servicer has a coroutine ``method_name(message, call)`` for each RPC, or one
    that returns an asynchronous iterator where the RPC streams. Where the caller streams too, it is called with each
    message after the first, and returns that message's answer. Raises AttributeError for one that lacks a method.
    """

    def __init__(
        self, settings: ServerSettings, tls: TlsSettings, grounds: Grounds,
        services: Sequence[tuple[ServiceDescriptor, object]],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._running = Running()
        self._server = grpc.aio.server(options=_options(settings))
        handlers = {
            f"/{method.name}": _handler(
                method, grounds, getattr(servicer, method.handler), self._running, settings.stream_idle_seconds
            )
            for descriptor, servicer in services
            for method in contract.methods(descriptor)
        }
        self._names = [descriptor.full_name for descriptor, _ in services]
        if settings.reflection:
            reflection.enable_server_reflection([*self._names, reflection.SERVICE_NAME], self._server)
        self._server.add_generic_rpc_handlers((_Handlers(handlers, grounds, self._running),))
        self.port = self._server.add_secure_port(settings.address, server_credentials(tls))
        if self.port == 0:
            raise OSError(f"cannot listen on {settings.address}")

    async def start(self) -> None:
        """Begin to answer."""
        await self._server.start()

    async def stop(self) -> None:
        """Refuse new calls and wait for those in flight, at most the grace period."""
        # gRPC cancels calls that no handler has taken yet, so first our own handlers refuse (UNAVAILABLE) for a moment.
        self._running.stopping = True
        await asyncio.sleep(_REFUSING_SECONDS)
        await self._running.idle(self._settings.grace_seconds)
        await self._server.stop(_REFUSING_SECONDS)


class _Handlers(grpc.GenericRpcHandler):
    """Finds the handler of a method; gives the unknown ones to a handler that records and refuses."""

    def __init__(
        self, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]], grounds: Grounds, running: Running
    ) -> None:
        self._handlers = handlers
        self._grounds = grounds
        self._running = running

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        found = self._handlers.get(handler_call_details.method)
        return found if found is not None else _handler(_UNKNOWN, self._grounds, _refuse, self._running)


# The name of an unknown method is the caller's own text and may hold anything: it is not kept.
_UNKNOWN = Method(
    "unknown", "unknown", Empty, Empty, streams=False, action=options.ACTION_UNSPECIFIED, reason_required=False,
    reveals=False, has_request_id=False,
)  # fmt: skip


async def _refuse(message: object, call: Call) -> None:
    raise errors.MethodUnknown


def _handler(
    method: Method, grounds: Grounds, servicer: Any, running: Running, idle_seconds: float = 0.0
) -> grpc.RpcMethodHandler[Any, Any]:
    known = method is not _UNKNOWN

    async def handle_message(call: Call) -> Any:
        if running.stopping:
            raise errors.Stopping
        response = servicer(call.message, call)
        if not isinstance(response, AsyncIterator):
            response = await response
        return response if isinstance(response, AsyncIterator) else chain.present(call, response)

    if method.request_streams:
        stream = _Streams(
            method, grounds, chain.wrap(chain.FOLLOWING_CHAIN, grounds, handle_message), running, idle_seconds
        )
        return grpc.stream_stream_rpc_method_handler(stream.handle)
    proceed = chain.wrap(chain.CHAIN if known else chain.UNKNOWN_CHAIN, grounds, handle_message)
    if method.streams:
        return grpc.unary_stream_rpc_method_handler(_streaming(method, grounds, proceed, running))

    async def handle(raw: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        with running:
            crowded = running.count > CROWD
            if crowded:
                await running.gathering.join(running.count)
            call = _open(method, grounds, raw, context, running)
            answer: bytes = await proceed(call)
            if crowded:
                await running.gathering.leave()
            return answer

    return grpc.unary_unary_rpc_method_handler(handle)


def _streaming(method: Method, grounds: Grounds, proceed: Proceed, running: Running) -> Any:
    async def handle(raw: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
        with running:
            call = _open(method, grounds, raw, context, running)
            async for answer in chain.present_stream(grounds, call, await proceed(call)):
                yield answer

    return handle


class _Streams:
    """Handles one RPC whose caller streams."""

    def __init__(
        self, method: Method, grounds: Grounds, follow: Proceed, running: Running, idle_seconds: float
    ) -> None:
        self._method, self._grounds, self._follow = method, grounds, follow
        self._running, self._idle_seconds = running, idle_seconds
        self._proceed = chain.wrap(chain.OPENING_CHAIN, grounds, _opened)

    async def handle(self, requests: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
        with self._running:
            call = _open(self._method, self._grounds, b"", context, self._running)
            call.requests = RequestStream(context, self._running, call.deadline, self._idle_seconds)
            await self._proceed(call)
            async for answer in stream_answers.answer_each(self._grounds, call, self._follow):
                yield answer


async def _opened(call: Call) -> None:
    assert call.message is not None
    contract.check_opening(call.message)


def _open(
    method: Method, grounds: Grounds, raw: bytes, context: grpc.aio.ServicerContext[bytes, bytes], running: Running
) -> Call:
    ids = trace_context.from_metadata(context.invocation_metadata())
    entry = Entry(
        method.name, method.action_name, *ids, grounds.policy.version(),
        peer_address=_address(context.peer()),
    )  # fmt: skip
    remaining = context.time_remaining()
    deadline = None
    if remaining is not None:
        deadline = asyncio.get_running_loop().time() + remaining - min(_TRAVEL_SECONDS, _TRAVEL_SHARE * remaining)
    return Call(method, context, raw, entry, deadline, running)


@lru_cache(maxsize=4096)
def _address(peer: str) -> str:
    """``ipv4:192.0.2.1:5000`` or ``ipv6:%5B::1%5D:5000`` -> the address alone (접속지)."""
    _, _, rest = peer.partition(":")
    host, _, _ = rest.rpartition(":")
    return host.replace("%5B", "").replace("%5D", "").strip("[]") or "unknown"


def server_credentials(tls: TlsSettings) -> grpc.ServerCredentials:
    """Return credentials that ask every client for a certificate and read the files again when they change."""
    initial = _configuration(tls)
    seen = [tls.stamp()]

    def fetch() -> Any:
        stamp = tls.stamp()
        if stamp == seen[0]:
            return None
        seen[0] = stamp
        return _configuration(tls)

    return grpc.dynamic_ssl_server_credentials(initial, fetch, require_client_authentication=True)


def _configuration(tls: TlsSettings) -> grpc.ServerCertificateConfiguration:
    pair = (tls.key_file.read_bytes(), tls.certificate_file.read_bytes())
    return grpc.ssl_server_certificate_configuration([pair], tls.ca_file.read_bytes())


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 0),  # a stale server must not take part of the calls in silence
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_metadata_size", 16 * 1024),
        # Beyond these gRPC resets calls without a word and without a row; our own queues say Overloaded long before.
        ("grpc.server.max_pending_requests", 20_000),
        ("grpc.server.max_pending_requests_hard_limit", 40_000),
        ("grpc.max_connection_age_ms", settings.max_connection_age_seconds * 1000),
        ("grpc.max_connection_age_grace_ms", int(settings.grace_seconds * 1000)),
        ("grpc.keepalive_time_ms", 60_000),
    ]

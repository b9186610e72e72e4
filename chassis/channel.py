"""Channels to other services: mutual TLS, a deadline on every call, retries that are safe, round robin."""

import json
from collections.abc import Sequence
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from chassis.settings import Group, TlsSettings

Answer = TypeVar("Answer", bound=Message)


class PeerSettings(Group):
    """Where another service answers, and the name in its certificate."""

    address: str
    server_name: str = ""


# Every mutation carries a request_id and every purge command may be repeated, so UNAVAILABLE may always be retried; and
# so may CANCELLED, which gRPC says to calls that a stopping server had taken and not begun.
SERVICE_CONFIG = json.dumps({
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [{
        "name": [{}],
        "retryPolicy": {
            "maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 3,
            "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
        },
    }],
})  # fmt: skip


def connect(peer: PeerSettings, tls: TlsSettings) -> grpc.aio.Channel:
    """Return a channel; nothing is opened yet."""
    options = [
        ("grpc.service_config", SERVICE_CONFIG),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ]
    if peer.server_name:
        options.append(("grpc.ssl_target_name_override", peer.server_name))
    credentials = grpc.ssl_channel_credentials(
        tls.ca_file.read_bytes(), tls.key_file.read_bytes(), tls.certificate_file.read_bytes()
    )
    return grpc.aio.secure_channel(peer.address, credentials, options)


async def call(
    channel: grpc.aio.Channel, method: str, request: Message, answer: type[Answer], *, timeout: float, traceparent: str
) -> Answer:
    """Make one unary call under a deadline in seconds. Raises grpc.aio.AioRpcError."""
    multi: grpc.aio.UnaryUnaryMultiCallable[Message, Answer] = channel.unary_unary(
        f"/{method}", request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=answer.FromString,
    )  # fmt: skip
    metadata: Sequence[tuple[str, str]] = (("traceparent", traceparent),)
    return await multi(request, timeout=timeout, metadata=grpc.aio.Metadata(*metadata))

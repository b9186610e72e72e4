"""The channel to a service: mutual TLS, retries that are safe, and bounds on what may come back.

Every mutation carries a request_id, so repeating a call that answered UNAVAILABLE, or CANCELLED by a server that
stopped before it began, has the effect of one call.
"""

import json
from pathlib import Path
from typing import Final

import grpc

from cli.config import Caller, Service
from cli.failures import UsageError

RETRIES: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        },
        {"name": [{"service": "onggi.payment_vault.v1.TokenizationService", "method": "StreamTokenize"}]},
    ],
}
"""gRPC service config: all methods, four attempts at most, within the call's own deadline.

But a stream of batches: which of them were answered, and so where to go on, is known to its sender alone.
"""

MAX_SENT_BYTES: Final = 2 * 1024 * 1024
"""What a server takes; it refuses more below everything that could say why."""
MAX_RECEIVED_BYTES: Final = 32 * 1024 * 1024
"""A page of the processing log names up to 1,000 subjects an entry, 36 bytes each."""


def connect(service: Service, caller: Caller, ca: Path) -> grpc.Channel:
    """A channel that connects with its first call. Raises UsageError when a certificate or key cannot be read."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_pem(ca, "the CA"),
        private_key=_pem(caller.key, "the caller's key"),
        certificate_chain=_pem(caller.certificate, "the caller's certificate"),
    )
    options: list[tuple[str, str | int]] = [
        ("grpc.ssl_target_name_override", service.server_name),
        ("grpc.service_config", json.dumps(RETRIES)),
        ("grpc.service_config_disable_resolution", 1),  # nobody else's DNS decides how we retry
        ("grpc.enable_http_proxy", 0),  # mutual TLS ends at the service, not at a proxy from the environment
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.max_send_message_length", MAX_SENT_BYTES),
        ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
        ("grpc.primary_user_agent", "onggi-cli"),
    ]
    return grpc.secure_channel(service.address, credentials, options)


def _pem(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {what}, {path}: {error.strerror}") from error

"""How the stack asks a part whether it serves: by its health port, or by whether it accepts a connection."""

import socket
from typing import Final

import grpc
from grpc_health.v1 import health_pb2

_ANSWER_SECONDS: Final = 1.0
_NO_PROXY: Final = [("grpc.enable_http_proxy", 0)]  # the health port is on this machine


def serving(health_address: str) -> bool:
    """Whether `grpc.health.v1` on a plaintext port says SERVING for the whole server (service name "")."""
    with grpc.insecure_channel(health_address, options=_NO_PROXY) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(service=""), timeout=_ANSWER_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def accepts_connections(address: str) -> bool:
    """Whether something listens on `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except OSError:
        return False
    return True

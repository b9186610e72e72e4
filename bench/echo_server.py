"""The baseline: a bare gRPC echo on grpc.aio and uvloop, mutual TLS, nothing of ours in it."""

import argparse
import asyncio
from pathlib import Path

import grpc
import grpc.aio
import uvloop

METHOD = "/bench.Echo/Echo"


class _Echo(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        if handler_call_details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(_echo)


async def _echo(raw: bytes, context: object) -> bytes:
    return raw


async def _serve(address: str, certificate: bytes, key: bytes, ca: bytes) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Echo(),))
    credentials = grpc.ssl_server_credentials([(key, certificate)], ca, require_client_auth=True)
    if server.add_secure_port(address, credentials) == 0:
        raise OSError(f"cannot listen on {address}")
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    for name in ("certificate", "key", "ca"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    uvloop.install()
    asyncio.run(_serve(given.address, *(file.read_bytes() for file in (given.certificate, given.key, given.ca))))


if __name__ == "__main__":
    main()

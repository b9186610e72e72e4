"""The load against a server without TLS, and what it says of the processor time."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from bench import metered
from bench.echo_server import METHOD


@pytest.fixture
def plain() -> Iterator[str]:
    """The address of an echo in the clear, in this process."""

    def echo(raw: bytes, context: grpc.ServicerContext) -> bytes:
        return raw

    service, _, name = METHOD.strip("/").partition("/")
    with ThreadPoolExecutor(4) as pool:
        running = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
        handlers = {name: grpc.unary_unary_rpc_method_handler(echo)}
        running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        port = running.add_insecure_port("127.0.0.1:0")
        running.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            running.stop(0).wait()


def load(address: str, requests: list[bytes], **task: Any) -> dict[str, Any]:
    """What comes of it, with this process watched as if it were another one."""
    fixed = {"address": address, "server_name": "localhost", "method": METHOD, "pids": {"server": os.getpid()}}
    return metered.run({**fixed, **task}, requests)


def test_calls_in_the_clear_are_answered(plain: str) -> None:
    """The same client without its certificates: every answer whole, none failed, however large."""
    small = load(plain, [b"x" * 200] * 100_000, seconds=0.5, in_flight=16, expected_bytes=200)
    large = load(plain, [b"y" * 3_000_000] * 5_000, seconds=0.5, in_flight=3, expected_bytes=3_000_000)

    assert ({}, {}) == (small["failures"], large["failures"])
    assert small["answered"] > 100
    assert large["answered"] > 2


def test_processor_time_is_told_in_cores(plain: str) -> None:
    """What this process uses is of both sides here: no less than the client's own part, no more than all cores."""
    shares = load(plain, [b"x"] * 100_000, seconds=1.0, in_flight=16)["shares"]

    assert 0 < shares["client"] <= shares["server"] + 0.05
    assert shares["server"] < (os.cpu_count() or 1) + 0.2
    assert {"client", "server", "core 0", "core 1"} == set(shares)

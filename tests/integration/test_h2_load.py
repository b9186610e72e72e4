"""The load client against servers of gRPC's own: nothing is lost, and what fails is told."""

import subprocess
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from bench import h2_load
from bench.echo_server import METHOD
from dev import environment, readiness
from dev.ports import Ports

NAME = "echo.internal"
START_SECONDS = 20.0


@dataclass(frozen=True)
class Pki:
    """An authority and one certificate for both sides, PEM files."""

    ca: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates of this module alone."""
    directory = tmp_path_factory.mktemp("pki")
    files = Pki(*(directory / name for name in ("ca.crt", "both.crt", "both.key")))
    authority = trustme.CA()
    issued = authority.issue_cert(NAME)
    authority.cert_pem.write_to_path(str(files.ca))
    issued.cert_chain_pems[0].write_to_path(str(files.certificate))
    issued.private_key_pem.write_to_path(str(files.key))
    return files


@pytest.fixture(scope="module")
def echo(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the echo server, a process of its own."""
    with closing(Ports.choose(("echo",), tmp_path_factory.mktemp("ports") / "ports.json")) as ports:
        address = ports.address("echo")
        files = [str(file) for file in (pki.certificate, pki.key, pki.ca)]
        process = subprocess.Popen(environment.module("bench.echo_server", address, *files), env=environment.python())
        try:
            end = time.monotonic() + START_SECONDS
            while not readiness.accepts_connections(address) and time.monotonic() < end:
                time.sleep(0.05)
            yield address
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def server(pki: Pki, *options: tuple[str, int], seconds: float = 0.0) -> Iterator[str]:
    """An echo with gRPC's options that takes so long for each answer."""

    def slowly(raw: bytes, context: grpc.ServicerContext) -> bytes:
        time.sleep(seconds)
        return raw

    service, _, name = METHOD.strip("/").partition("/")
    with ThreadPoolExecutor(4) as pool:
        running = grpc.server(pool, options=list(options))
        handlers = {name: grpc.unary_unary_rpc_method_handler(slowly)}
        running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        pair = (pki.key.read_bytes(), pki.certificate.read_bytes())
        credentials = grpc.ssl_server_credentials([pair], pki.ca.read_bytes(), require_client_auth=True)
        port = running.add_secure_port("127.0.0.1:0", credentials)
        running.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            running.stop(0).wait()


def load(pki: Pki, address: str, requests: Iterable[bytes], **task: Any) -> dict[str, Any]:
    """What the load client says of the task."""
    files = {"ca": str(pki.ca), "certificate": str(pki.certificate), "key": str(pki.key)}
    fixed = {"address": address, "server_name": NAME, "method": METHOD, "seconds": 1.0}
    return h2_load.run({**fixed, **files, **task}, requests)


def test_every_call_of_a_closed_loop_is_answered(pki: Pki, echo: str) -> None:
    """The answers are those to the requests, byte for byte, and none fails."""
    requests = (number.to_bytes(150, "big") for number in count())
    result = load(pki, echo, requests, in_flight=64, expected_bytes=150, keep=100)
    assert {} == result["failures"]
    assert 200 < result["answered"]
    assert [number.to_bytes(150, "big").hex() for number in range(100)] == result["kept"]
    assert 0 < result["p50"] <= result["p90"] <= result["p99"] < 1


def test_an_open_loop_makes_the_calls_that_it_says(pki: Pki, echo: str) -> None:
    """So many calls a second, all of them answered."""
    result = load(pki, echo, [b"x" * 100] * 300, rate=300, expected_bytes=100)
    assert (300, {}) == (result["answered"], result["failures"])
    assert 0 <= result["late"] <= 1


def test_an_open_loop_counts_the_time_that_a_call_had_to_wait(pki: Pki) -> None:
    """A server that takes 4 x 50 ms at once, asked 160 times in a second, falls behind: the last wait a second longer."""
    with server(pki, seconds=0.05) as address:
        result = load(pki, address, [b"x"] * 160, rate=160)
    assert (160, {}) == (result["answered"], result["failures"])
    assert 0.8 < result["p99"]


def test_requests_larger_than_any_window_arrive(pki: Pki, echo: str) -> None:
    """They go out in frames, as the server's windows allow."""
    requests = (bytes([number % 256]) * 3_000_000 for number in count())
    result = load(pki, echo, requests, in_flight=3, expected_bytes=3_000_000, keep=3)
    assert {} == result["failures"]
    assert 3 <= result["answered"]
    assert [bytes([number]).hex() * 3_000_000 for number in range(3)] == result["kept"]


def test_a_server_that_goes_away_politely_loses_no_call(pki: Pki) -> None:
    """Connections of a limited age end with GOAWAY; calls go on over the next one."""
    options = (("grpc.max_connection_age_ms", 200), ("grpc.max_connection_age_grace_ms", 5_000))
    with server(pki, *options) as address:
        result = load(pki, address, repeat(b"x"), in_flight=8)
    assert {} == result["failures"]
    assert 8 <= result["answered"]


def test_failures_are_told_by_status(pki: Pki, echo: str) -> None:
    """No answer is counted that is none."""
    result = load(pki, echo, repeat(b"x"), in_flight=4, seconds=0.2, method="/bench.Echo/Nothing")
    assert 0 == result["answered"]
    assert {"UNIMPLEMENTED"} == result["failures"].keys()
    assert result["p50"] is None


def test_a_server_of_another_name_is_not_called(pki: Pki, echo: str) -> None:
    """The certificate must carry the server's name."""
    with pytest.raises(OSError, match="certificate"):
        load(pki, echo, [], in_flight=1, server_name="another.internal")

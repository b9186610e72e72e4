"""A process of the laptop stack is paused, killed and ended as a test needs it, and says why it failed."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dev import environment
from dev.lineage import start_time
from dev.ports import Ports
from dev.processes import Process, ProcessFailed
from dev.readiness import serving

pytestmark = pytest.mark.timeout(120)

STUB = """
import sys, threading
from concurrent import futures
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
if sys.argv[2] == "die":
    sys.exit("the stub says why it dies")
server = grpc.server(futures.ThreadPoolExecutor(2))
servicer = health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
server.add_insecure_port(sys.argv[1])
server.start()
if sys.argv[2] == "serve":
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
else:
    servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
threading.Event().wait()
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """An address that is the stub's alone."""
    with closing(Ports.choose(["stub"], tmp_path / "ports.json")) as ports:
        yield ports.address("stub")


def stub(directory: Path, address: str, conduct: str) -> Process:
    """A process with a health port that serves, dies at once, or never gets ready."""
    (directory / "stub.py").write_text(STUB)
    return Process(
        "stub",
        [sys.executable, directory / "stub.py", address, conduct],
        environment.python(),
        log_file=directory / "stub.log",
        pid_directory=directory,
        ready=lambda: serving(address),
        grace_seconds=5,
    )


def test_a_process_is_paused_killed_and_brought_back(tmp_path: Path, address: str) -> None:
    """Ready means SERVING; a paused process answers nothing and is alive; a killed one starts again."""
    process = stub(tmp_path, address, "serve")
    process.start()
    try:
        process.pause()
        assert (process.running, serving(address)) == (True, False)
        process.resume()
        assert serving(address)

        first = process.pid
        process.kill()
        assert (process.running, start_time(first)) == (False, None)
        process.start()
        process.restart()
        assert serving(address)

        process.pause()
    finally:
        process.stop()  # a paused process is stopped as well
    assert not process.running


def test_a_process_that_dies_says_why(tmp_path: Path, address: str) -> None:
    """The error has the exit status and the last lines of the log."""
    process = stub(tmp_path, address, "die")

    with pytest.raises(ProcessFailed, match=r"(?s)exit status 1.*the stub says why it dies"):
        process.start()


def test_a_process_that_never_serves_is_ended(tmp_path: Path, address: str) -> None:
    """NOT_SERVING until the deadline is a failure, and the process does not stay behind."""
    process = stub(tmp_path, address, "wait")

    with pytest.raises(ProcessFailed, match="not ready after 2 s"):
        process.start(2)
    assert not process.running

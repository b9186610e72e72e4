"""The laptop stack starts and ends whole, on data that stays, whoever was killed in between."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path

import pytest

from dev import environment
from dev.identities import SERVICES
from dev.lineage import start_time
from dev.lock import DirectoryInUse
from dev.ports import Ports
from dev.processes import ProcessFailed
from dev.stack import Stack
from tests.integration.dev_stack.sql import rows

pytestmark = pytest.mark.timeout(120)


def pids_below(directory: Path) -> dict[str, tuple[int, int]]:
    """Name -> (pid, start time) of what the stack on a directory has started."""
    records = {file.stem: json.loads(file.read_text()) for file in (directory / "pids").glob("*.json")}
    return {name: (record["pid"], record["started"]) for name, record in records.items()}


def alive(processes: dict[str, tuple[int, int]]) -> list[str]:
    """The names of those that still run."""
    return [name for name, (pid, started) in processes.items() if start_time(pid) == started]


def test_a_stack_ends_whole_and_starts_on_its_data(directory: Path) -> None:
    """Stop leaves no process; a second start finds rows, keys, ports and certificates; two at once are refused."""
    stack = Stack(directory, services=())
    with stack:
        owner = stack.postgres.login("identity", "identity_owner")
        rows(owner, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
        public_key, addresses = stack.certificate_public_key.read_text(), stack.addresses
        started = pids_below(directory)
        assert sorted(started) == sorted(alive(started)) == ["openbao", "otlp_receiver", "postgresql"]
        with pytest.raises(DirectoryInUse, match=str(os.getpid())):
            Stack(directory, services=()).start()
        assert len(alive(started)) == 3
    assert (alive(started), pids_below(directory)) == ([], {})

    with Stack(directory, services=()) as again:
        assert [row[0] for row in rows(again.postgres.login("identity", "identity_owner"), "TABLE kept")] == [7]
        assert (public_key, addresses) == (again.certificate_public_key.read_text(), again.addresses)


def test_a_start_that_fails_half_way_leaves_nothing_running(directory: Path) -> None:
    """OpenBao's port is taken: the error shows its log, PostgreSQL is stopped again, the directory is free."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        names = ["openbao_cluster", "otlp", *SERVICES, *(f"{service}_health" for service in SERVICES)]
        with closing(Ports.choose(names, directory / "other-ports.json")) as free:
            ports = Ports({**free.numbers, "openbao": taken.getsockname()[1]})
            stack = Stack(directory, services=(), ports=ports)

            with pytest.raises(ProcessFailed, match=r"(?s)openbao ended.*address already in use"):
                stack.start()

    assert pids_below(directory) == {}
    assert not stack.postgres.process.running


def test_what_a_killed_stack_leaves_is_ended_by_the_next(directory: Path) -> None:
    """A kill -9 of the stack itself: its children live on, until the next start ends them by pid and takes over."""
    program = f"""
        import pathlib, time
        from dev.stack import Stack
        Stack(pathlib.Path({str(directory)!r}), services=(), progress=lambda line: print(line, flush=True)).start()
        print("up", flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment.python(), stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        while killed.stdout.readline().strip() != "up":
            assert killed.poll() is None
        orphans = pids_below(directory)
        killed.kill()
    assert len(alive(orphans)) == 3

    with Stack(directory, services=()) as stack:
        assert alive(orphans) == []
        assert rows(stack.postgres.login("identity", "identity"), "SELECT 1")
    deadline = time.monotonic() + 5
    while alive(pids_below(directory)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pids_below(directory) == {}

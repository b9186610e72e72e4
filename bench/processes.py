"""The processes of a run and the cores that they have."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dev import environment, postgres_roles
from dev.ports import Ports
from dev.stack import Stack

SERVER_CORE: Final = {0}
OTHER_CORE: Final = {1}


def pin(pid: int, cores: set[int]) -> None:
    """Pin every thread of a process: gRPC has its own, started before."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def extra_servers(stack: Stack, ports: Ports) -> Iterator[dict[str, int]]:
    """Run the echo and the naive server beside the stack; give their pids by name."""
    files = stack.service_credentials("payment_vault")
    login = stack.postgres.login("payment_vault", postgres_roles.owner("payment_vault"))
    tls = [str(files.certificate), str(files.key), str(files.ca)]
    commands = {
        "echo": environment.module("bench.echo_server", ports.address("echo"), *tls),
        "naive": environment.module(
            "bench.naive_server", ports.address("naive"), stack.openbao.address, str(login.host), str(login.port),
            login.database, login.user, str(stack.postgres.password_file(login.user)), str(stack.openbao.ca_file), *tls,
        ),
    }  # fmt: skip
    started = {name: subprocess.Popen(command, env=environment.python()) for name, command in commands.items()}
    try:
        yield {name: process.pid for name, process in started.items()}
    finally:
        for process in started.values():
            process.terminate()
            process.wait(10)

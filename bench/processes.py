"""The processes of a run and the cores that they have."""

import os
import subprocess
from collections.abc import Iterator, Sequence
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


@contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """Have this thread run there: where the server would run, for what is measured without it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def extra_servers(stack: Stack, ports: Ports, wanted: Sequence[str]) -> Iterator[dict[str, int]]:
    """Run the servers that are measured beside the stack's (``echo``, ``naive``, ``plaintext``); give their pids by name."""
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in wanted:
            log = (stack.log_dir / f"bench-{name}.log").open("ab")
            env = _environment(stack, ports, name)
            started[name] = subprocess.Popen(_command(stack, ports, name), env=env, stdout=log, stderr=log)
            log.close()
        yield {name: process.pid for name, process in started.items()}
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait(30)


def _command(stack: Stack, ports: Ports, name: str) -> list[str]:
    if name == "plaintext":
        return environment.module("bench.plaintext_server")
    files = stack.service_credentials("payment_vault")
    tls = [str(files.certificate), str(files.key), str(files.ca)]
    if name == "echo":
        return environment.module("bench.echo_server", ports.address("echo"), *tls)
    login = stack.postgres.login("payment_vault", postgres_roles.owner("payment_vault"))
    return environment.module(
        "bench.naive_server", ports.address("naive"), stack.openbao.address, str(login.host), str(login.port),
        login.database, login.user, str(stack.postgres.password_file(login.user)), str(stack.openbao.ca_file), *tls,
    )  # fmt: skip


def _environment(stack: Stack, ports: Ports, name: str) -> dict[str, str]:
    if name != "plaintext":
        return environment.python()
    own = {
        "ONGGI_SERVER__ADDRESS": ports.address("plaintext"),
        "ONGGI_SERVER__HEALTH_ADDRESS": ports.address("plaintext_health"),
    }
    return stack.env_for("payment_vault") | own

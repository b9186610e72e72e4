"""The event loop goes first: gRPC's threads in a service are scheduled as batches and take no core away from it."""

import os
from pathlib import Path

import pytest

from dev.identities import SERVICES
from dev.stack import Stack

_GRPC = "event_engine"


def threads(pid: int) -> dict[int, tuple[str, int]]:
    """Name and scheduling policy of each thread of a process."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        found[int(task.name)] = (task.joinpath("comm").read_text().strip(), os.sched_getscheduler(int(task.name)))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_grpcs_threads_give_way_to_the_event_loop(stack: Stack, service: str) -> None:
    """All of gRPC's threads, those too that came since the start; the thread of the loop is scheduled as usual."""
    pid = stack.services[service].pid
    found = threads(pid)

    assert found.pop(pid)[1] == os.SCHED_OTHER
    of_grpc = [policy for name, policy in found.values() if name == _GRPC]
    assert of_grpc
    assert set(of_grpc) == {os.SCHED_BATCH}
    # The thread that hands gRPC's events over to the loop is one of Python's.
    assert os.SCHED_BATCH in [policy for name, policy in found.values() if name != _GRPC]

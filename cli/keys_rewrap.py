"""Follows a rewrap to its end over as many calls as it takes: what is left is all that a new call has to know."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from onggi.keys.v1.key_service_pb2 import RewrapKeyRequest, RewrapKeyResponse
from onggi.keys.v1.key_service_pb2_grpc import KeyServiceStub
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.failures import CallError
from cli.json_output import as_object
from cli.session import Remote, Session

TRIES: Final = 5
"""Calls in a row that may end before they have rewrapped anything."""

Show = Callable[[int, int], None]
"""Gets the rows that are done and those that are left."""


def follow(remote: Remote, request: RewrapKeyRequest, seconds: float) -> int:
    """Rewrap until nothing is left that opens, and return how many rows are left. Raises CallError."""
    rewrap = KeyServiceStub(remote.channel).RewrapKey
    end = time.monotonic() + seconds
    done, silent = 0, 0
    with _display(remote.session, request.key) as show:
        while True:
            last = RewrapKeyResponse()
            try:
                for last in remote.stream(rewrap, request, timeout=max(end - time.monotonic(), 0.001)):
                    show(done + last.rewrapped, last.left)
                return last.left
            except CallError as failure:
                silent = 0 if last.rewrapped else silent + 1
                if not failure.unanswered or silent >= TRIES or time.monotonic() >= end:
                    raise
            done += last.rewrapped
            time.sleep(min(0.2 * 2**silent, 2.0))


@contextmanager
def _display(session: Session, key: str) -> Iterator[Show]:
    """A bar on a terminal, a line for every tenth in a pipe, a JSON line a step for a program."""
    if session.options.json:
        yield lambda done, left: session.print_json(
            as_object(RewrapKeyResponse(rewrapped=done, left=left)), indent=None
        )
    elif session.out.is_terminal:
        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=session.out) as progress:
            task = progress.add_task(f"rewrap {key}", total=None)
            yield lambda done, left: progress.update(task, completed=done, total=done + left)
    else:
        told: list[int] = []

        def line(done: int, left: int) -> None:
            tenth = 10 * done // (done + left) if done + left else 10
            if tenth not in told:
                told.append(tenth)
                session.out.print(f"rewrap {key:<20} {done}/{done + left} rows", soft_wrap=True)

        yield line

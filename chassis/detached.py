"""Work that belongs to nobody's call: a caller who goes away never cancels a statement or a commit.

A cancelled statement leaves a connection in an unknown state, and a cancelled commit an outcome in doubt.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

_running: set[asyncio.Task[Any]] = set()


async def detached(work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work in a task of its own and return its result; when this call is cancelled, the work goes on."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_ended)
    return await asyncio.shield(task)


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # whoever waited has it; where nobody waits any more, asyncio need not warn of it


async def finish() -> None:
    """Wait for all that is under way."""
    while _running:
        await asyncio.wait(set(_running))

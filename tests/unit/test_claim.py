"""A claim on a piece of work ends with whoever asked for it, at whatever moment that is."""

import asyncio
import socket

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from services.retention.claim import claimed


async def test_who_stops_while_it_connects_has_stopped() -> None:
    """A process that is stopped then does not go on working: the cancellation comes through as what it is."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        engine = create_async_engine(f"postgresql+asyncpg://worker@127.0.0.1:{silent.getsockname()[1]}/work")

        async def work() -> None:
            async with claimed(engine, "plan 1"):
                pytest.fail("nobody has answered")

        working = asyncio.create_task(work())
        reached, _ = await asyncio.to_thread(silent.accept)
        working.cancel()
        await asyncio.wait([working])
        reached.close()
        await engine.dispose()
    assert working.cancelled()

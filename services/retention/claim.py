"""A claim on a piece of work, so that of several replicas one does it.

A session-level advisory lock: no transaction stays open, and a worker that dies lets go with its connection. It saves
work; what makes a second worker harmless are the epochs, which the holders and every change of state check.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors
from chassis.database import DATABASE_ERRORS

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:work, 0))")


@asynccontextmanager
async def claimed(engine: AsyncEngine, work: str) -> AsyncIterator[bool]:
    """Give True when the work is ours until the end of the block, False when somebody else has it.

    Raises DatabaseUnavailable.
    """
    connection = engine.connect()
    try:
        yield await _try(connection, work)
    finally:
        # The lock ends with the connection, in whatever state the work has left it; so it does not go back to the pool.
        if connection.sync_connection is not None and not connection.closed:
            await connection.invalidate()
            await connection.close()


async def _try(connection: AsyncConnection, work: str) -> bool:
    try:
        await connection.start()
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        return bool(await connection.scalar(_TRY, {"work": work}))
    except DATABASE_ERRORS:
        raise errors.DatabaseUnavailable from None

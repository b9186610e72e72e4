"""PostgreSQL: the engine, the hot connection beneath it, and what its errors mean.

SQLAlchemy keeps the pool, the schema and every cold path; a hot statement goes to the driver connection beneath its
engine. The text of a driver's error holds values (DETAIL) and is never kept: only SQLSTATE and constraint name are.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis import errors, spans
from chassis.detached import detached
from chassis.entry import Entry, carried, rows
from chassis.settings import DatabaseSettings, read_secret

log = structlog.get_logger()

UNIQUE_VIOLATION = "23505"
# What a broken connection or a refused statement raises, through SQLAlchemy or the driver.
DATABASE_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
# A hot statement looks up by key. Its plan is made once and kept, since a new one for each lone call takes longer than the
# call; one made while a table was small would read all of it for ever.
BY_INDEX = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
# Nor does the planner know how many calls a flush has. Where it takes them for one, it joins a thousand with a thousand row
# by row. What looks rows up by LATERAL or = ANY can do without it (and without a compiler for what seems dear so).
BY_HASH = f"{BY_INDEX}; SET enable_nestloop = off; SET jit = off"


def connect(settings: DatabaseSettings, *, auditor: bool = False, owner: bool = False) -> AsyncEngine:
    """Return an engine for the service's role, or for the auditor's. Nothing is opened yet."""
    user, password_file = settings.user, settings.password_file
    if auditor:
        if settings.auditor_password_file is None:
            raise ValueError("auditor_password_file is not set")
        user, password_file = settings.auditor_user, settings.auditor_password_file
    url = URL.create(
        "postgresql+asyncpg", user, read_secret(password_file).reveal(), port=settings.port, database=settings.name
    )
    arguments: dict[str, Any] = {
        "host": settings.host,
        "command_timeout": None if owner else settings.timeout_seconds,
        "timeout": settings.timeout_seconds,
        "server_settings": {"application_name": f"onggi-{user}", "timezone": "UTC"},
    }
    if settings.ca_file is not None:
        arguments["ssl"] = ssl.create_default_context(cafile=str(settings.ca_file))
    return create_async_engine(
        url, hide_parameters=True, pool_size=settings.pool_size, max_overflow=0, pool_pre_ping=True,
        pool_timeout=settings.timeout_seconds, connect_args=arguments,
    )  # fmt: skip


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE of a driver's or SQLAlchemy's error, or an empty string for a broken connection."""
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None)
    return state if isinstance(state, str) else ""


def constraint(error: BaseException) -> str:
    """Return the name of the constraint that the statement broke, or an empty string."""
    seen: BaseException | None = getattr(error, "orig", None) or error
    while seen is not None:
        if name := getattr(seen, "constraint_name", None):
            return str(name)
        seen = seen.__cause__
    return ""


def is_refusal(error: BaseException) -> bool:
    """Return whether the server refused the statement, as against an outcome in doubt (connection, timeout, crash).

    Class 08 is a lost connection, 57 an intervention of the operator (shutdown, crash), 53 and 58 trouble of the host. Class
    40 is a transaction that was rolled back for another's sake, such as a deadlock: nothing is wrong with it.
    """
    state = sqlstate(error)
    return bool(state) and state[:2] not in {"08", "40", "57", "53", "58"}


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection for reads; what breaks is DatabaseUnavailable, without the driver's text."""
    try:
        async with engine.connect() as connection:
            yield connection
    except DATABASE_ERRORS as error:
        log.warning("read failed", error=type(error).__name__, sqlstate=sqlstate(error))
        raise errors.DatabaseUnavailable from None


class Hot:
    """One driver connection, checked out of the engine for good; statements take turns on it.

    ``by_hash``: for statements that join many rows of their own and look up others by LATERAL or ``= ANY`` alone.
    """

    def __init__(self, engine: AsyncEngine, name: str, timeout: float = 5.0, *, by_hash: bool = False) -> None:
        self._engine = engine
        self._name = name
        self._timeout = timeout
        self._by_hash = by_hash
        self._one_at_a_time = asyncio.Lock()
        self._held: AsyncConnection | None = None
        self._driver: asyncpg.Connection[asyncpg.Record] | None = None

    async def fetch(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement in a transaction of its own and return its rows; when it returns, it is durable.

        Raises DatabaseRefused when the server refused it (nothing is done), DatabaseUnavailable when the outcome is
        unknown: read back before you say anything.
        """
        return await detached(self._in_turn(statement, *arguments))

    async def record(self, statement: str, entries: Sequence[Entry], *arguments: object) -> Sequence[asyncpg.Record]:
        """The same, for a statement whose ``$1`` are the log rows of these calls: with its result they are durable."""
        return await detached(self._carry(statement, entries, *arguments))

    async def _carry(self, statement: str, entries: Sequence[Entry], *arguments: object) -> Sequence[asyncpg.Record]:
        with carried(entries):
            return await self._in_turn(statement, rows(entries), *arguments)

    async def _in_turn(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        async with self._one_at_a_time:
            return await self._fetch(statement, *arguments)

    async def _fetch(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        try:
            driver = await self._connected()
            with spans.client(self._name, {"db.system.name": "postgresql"}):
                rows: Sequence[asyncpg.Record] = await driver.fetch(statement, *arguments, timeout=self._timeout)
            return rows
        except DATABASE_ERRORS as error:
            if is_refusal(error):
                log.error("statement refused", connection=self._name, sqlstate=sqlstate(error))
                raise DatabaseRefused(sqlstate(error), constraint(error)) from None
            await self._discard()
            raise errors.DatabaseUnavailable from None

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._driver is not None and not self._driver.is_closed():
            return self._driver
        await self._discard()  # it broke while nobody used it; that must not cost a flush
        return await self._open()

    async def _open(self) -> "asyncpg.Connection[asyncpg.Record]":
        self._held = await self._engine.connect()
        pooled = await self._held.get_raw_connection()
        driver = pooled.driver_connection
        assert driver is not None
        await driver.execute(BY_HASH if self._by_hash else BY_INDEX)
        self._driver = driver
        return driver

    async def _discard(self) -> None:
        held, self._held, self._driver = self._held, None, None
        if held is not None:
            try:
                async with asyncio.timeout(1.0):
                    await held.invalidate()
                    await held.close()
            except DATABASE_ERRORS:
                log.warning("a broken connection did not close", connection=self._name)

    async def close(self) -> None:
        """Give the connection back."""
        await self._discard()


class DatabaseRefused(errors.DatabaseUnavailable):
    """The server refused a statement; nothing is done. ``state``: SQLSTATE, ``constraint``: its name or ''."""

    def __init__(self, state: str, constraint_name: str) -> None:
        super().__init__()
        self.state = state
        self.constraint = constraint_name

"""The life of a service process: start in order, stop in order."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import access, detached, errors, threads
from chassis.chain import Grounds
from chassis.database import Hot, connect, reading
from chassis.health import Check, Health
from chassis.housekeeping import Housekeeping
from chassis.ledger import Ledger
from chassis.policy.load import load
from chassis.policy_coverage import Coverage, Stock
from chassis.program import stop_signal
from chassis.server import Server
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry

log = structlog.get_logger()


class Process:
    """What every service's composition root needs, opened in order and closed in reverse.

    Use as an asynchronous context manager; then ``serve``.
    """

    def __init__(self, service: str, settings: ServiceSettings) -> None:
        self.service = service
        self.settings = settings
        self.privacy_policy = load(settings.policy_directory)
        self.policy = access.of(self.privacy_policy)
        self.engine = connect(settings.database)
        self.auditor = connect(settings.database, auditor=True)
        self.telemetry = Telemetry(service, settings.telemetry, settings.tls)
        self._hots: list[Hot] = []
        self._housekeeping = Housekeeping(self.engine)
        self.ledger = Ledger(self.hot("ledger"))
        self._coverage = Coverage(self.engine, service, self.privacy_policy)
        # It logs what a replica with another policy has added since the start.
        self._housekeeping.also(self._coverage.faults)
        self._stack = AsyncExitStack()

    def hot(self, name: str, *, by_hash: bool = False) -> Hot:
        """Return a hot connection of the service's role, opened at its first statement and closed at the end."""
        hot = Hot(self.engine, name, self.settings.database.timeout_seconds, by_hash=by_hash)
        self._hots.append(hot)
        return hot

    def keep_house(self, *statements: TextClause) -> None:
        """Have statements run at the start and daily, each in a transaction of its own."""
        self._housekeeping.add(*statements)

    def keep(self, *stocks: Stock) -> None:
        """Have a policy refused that lacks a category which rows of these stocks stand under."""
        self._coverage.add(*stocks)

    def on_close(self, close: Callable[[], Awaitable[object]]) -> None:
        """Have something closed at the end, before what it stands on."""
        self._stack.push_async_callback(close)

    async def __aenter__(self) -> "Process":
        self._stack.push_async_callback(asyncio.to_thread, self.telemetry.close)
        self._stack.push_async_callback(self.engine.dispose)
        self._stack.push_async_callback(self.auditor.dispose)
        self._stack.push_async_callback(self._close_hots)
        self._stack.push_async_callback(detached.finish)
        self._stack.push_async_callback(self.ledger.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _close_hots(self) -> None:
        for hot in self._hots:
            await hot.close()

    async def serve(self, services: list[tuple[Any, object]], checks: dict[str, Check]) -> None:
        """Serve until a signal: drain (NOT_SERVING first, so that callers go elsewhere), then stop, then close.

        Raises PolicyRefused before anything is answered. With a database that is away it is not ready until it has looked.
        """
        stop = stop_signal()
        with suppress(errors.DatabaseUnavailable):
            await self._coverage.check()
        checks = {"database": self._database_answers, "policy": self._coverage.ready, **checks}
        server = Server(self.settings.server, self.settings.tls, Grounds(self.policy, self.ledger), services)
        health = Health(self.settings.server.health_address, checks)
        await server.start()
        await health.start()
        _settle()
        threads.give_way()
        self._housekeeping.start()
        log.info("serving", service=self.service, port=server.port, health_port=health.port)
        await stop.wait()
        log.info("stopping", service=self.service)
        await health.drain()
        await asyncio.sleep(self.settings.server.drain_seconds)
        await server.stop()
        await self._housekeeping.close()
        await health.close()

    async def _database_answers(self) -> None:
        await _ping(self.engine)
        await _ping(self.auditor)


def _settle() -> None:
    """Tell the collector that what is loaded stays, and that a call makes hundreds of objects and no cycles.

    Python's own thresholds have it walk over all of the contract and the policy while calls wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _ping(engine: AsyncEngine) -> None:
    async with reading(engine) as connection:
        await connection.execute(text("SELECT 1"))

"""Health, on a plaintext port of its own: Kubernetes probes speak no TLS, and nothing else is served there.

``""`` is readiness: a real round trip to Vault and the database, since a Vault whose audit disk is full looks healthy
and answers 500 to everything. ``"liveness"`` depends on nothing but this process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from chassis.errors import DomainError

log = structlog.get_logger()

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
Check = Callable[[], Awaitable[object]]


class Health:
    """Asks the checks every ``period`` seconds; each has ``limit`` seconds to answer."""

    def __init__(self, address: str, checks: Mapping[str, Check], period: float = 1.0, limit: float = 2.0) -> None:
        self._checks = checks
        self._period = period
        self._limit = limit
        self._servicer = HealthServicer()
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, self._server)
        self.port = self._server.add_insecure_port(address)
        self._ready: bool | None = None
        self._task: asyncio.Task[None] | None = None
        self._draining = False

    async def start(self) -> None:
        """Serve, and begin to check; not ready until the first round of checks has passed."""
        await self._servicer.set("", NOT_SERVING)
        await self._servicer.set("liveness", SERVING)
        await self._server.start()
        self._task = asyncio.create_task(self._watch(), name="health")

    async def drain(self) -> None:
        """Say NOT_SERVING from now on, whatever the checks say."""
        self._draining = True
        await self._servicer.set("", NOT_SERVING)

    async def close(self) -> None:
        """Stop checking and serving."""
        if self._task is not None:
            self._task.cancel()
        await self._server.stop(0)

    async def _watch(self) -> None:
        while True:
            results = await asyncio.gather(*(self._passes(name, check) for name, check in self._checks.items()))
            ready = all(results) and not self._draining
            if ready is not self._ready:
                self._ready = ready
                log.info("ready" if ready else "not ready")
                await self._servicer.set("", SERVING if ready else NOT_SERVING)
            await asyncio.sleep(self._period)

    async def _passes(self, name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(self._limit):
                await check()
        except (DomainError, TimeoutError) as error:
            if self._ready is not False:
                log.warning("readiness check failed", check=name, error=type(error).__name__)
            return False
        except Exception as error:  # noqa: BLE001  # a check that breaks is a check that fails
            log.error("readiness check broke", check=name, error=type(error).__name__)
            return False
        return True

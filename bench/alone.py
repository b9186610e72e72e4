"""What a lone Tokenize cannot do without: one call of transit and one durable insert, each timed by itself.

Both run on the server's core, over the clients that the server has.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import uvloop

from bench import rows
from bench.figures import Row, Target, median, percentile
from bench.processes import SERVER_CORE, on
from bench.rounds import SECONDS, Taken
from chassis.settings import TlsSettings, VaultSettings
from chassis.transit import Plain, Transit
from dev.stack import Stack
from services.payment_vault import keys

ECHO: Final = "echo, 1 in flight"
TOKENIZE: Final = "Tokenize, 1 in flight"
_TARGET: Final = Target(1.5, 1.1, at_most=True)
_TABLE: Final = "CREATE TABLE IF NOT EXISTS bench_insert (token text PRIMARY KEY, member_id uuid, sealed text)"
_INSERT: Final = (
    "INSERT INTO bench_insert (token, member_id, sealed) VALUES (gen_random_uuid()::text, gen_random_uuid(), $1)"
)


class Parts:
    """Times the two parts, a turn at a time; use as a context manager."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._transit: Transit | None = None
        self._connection: Any = None
        self.transit_ms: list[float] = []
        self.insert_ms: list[float] = []

    def __enter__(self) -> "Parts":
        with on(SERVER_CORE):
            self._runner.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._close())
        self._runner.close()

    def turn(self) -> None:
        """Time both."""
        with on(SERVER_CORE):
            self._runner.run(self._turn())

    def row(self, echo: Taken, tokenize: Taken) -> Row:
        """Return the row; its unit is milliseconds."""
        parts = {
            "echo": median(echo.p50), "one transit call": median(self.transit_ms), "one insert": median(self.insert_ms),
        }  # fmt: skip
        told = ", ".join(f"{name} {value:.2f} ms" for name, value in parts.items())
        return Row(
            "Tokenize alone, p50, against p50 of echo, one transit call and one durable insert", median(tokenize.p50),
            sum(parts.values()), _TARGET, "ms", median(tokenize.p50), median(tokenize.p99), notes=[told],
        )  # fmt: skip

    async def _open(self) -> None:
        files = self._stack.service_credentials("payment_vault")
        openbao = self._stack.openbao
        tls = TlsSettings(certificate_file=files.certificate, key_file=files.key, ca_file=files.ca)
        vault = VaultSettings(address=openbao.address, ca_file=openbao.ca_file, auth="cert")
        self._transit = Transit(vault, tls, keys.TOKENIZE_ROLE)
        await self._transit.start()
        self._connection = await rows.connect(self._stack, "payment_vault")
        await self._connection.execute(_TABLE)

    async def _close(self) -> None:
        assert self._transit is not None
        await self._transit.close()
        await self._connection.close()

    async def _turn(self) -> None:
        transit, connection = self._transit, self._connection
        assert transit is not None
        item = Plain(os.urandom(40), os.urandom(64))
        self.transit_ms.append(await _p50_ms(lambda: transit.encrypt(keys.NUMBER_KEYS["card"], [item])))
        self.insert_ms.append(await _p50_ms(lambda: connection.execute(_INSERT, "vault:v1:" + "A" * 120)))


async def _p50_ms(work: Callable[[], Awaitable[object]]) -> float:
    ends, taken = time.perf_counter() + SECONDS / 4, []
    while (began := time.perf_counter()) < ends:
        await work()
        taken.append(time.perf_counter() - began)
    return percentile(taken, 0.5) * 1e3

"""Destroys the tokens whose time has come. Nobody has to read one for that, and it waits for no plan of a purge.

Several replicas may sweep at once: each takes what no other has locked.
"""

import asyncio
from contextlib import suppress

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.chain import place_of
from chassis.database import DATABASE_ERRORS, sqlstate
from chassis.job import job_entry
from chassis.ledger import append_within

log = structlog.get_logger()

RPC = "onggi.payment_vault.v1.TokenizationService/Sweep"  # no RPC: what the vault does by itself, named like one
BATCH = 500
SECONDS = 60.0

_DUE = text("""
SELECT token, member_id FROM token WHERE expires_at <= transaction_timestamp()
ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_DELETE = text("DELETE FROM token WHERE token = ANY(CAST(:tokens AS text[]))")


class Sweeper:
    """Sweeps at ``start`` and every minute until ``close``. ``actor``: the service's SPIFFE id."""

    def __init__(self, engine: AsyncEngine, actor: str, policy_version: str) -> None:
        self._engine = engine
        self._actor = actor
        self._policy_version = policy_version
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="sweeper")

    async def close(self) -> None:
        """Stop; a batch that is cut off is swept by the next one."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def sweep(self) -> int:
        """Destroy all that is due; return how many tokens were. Raises what the database raises."""
        swept = 0
        while True:
            async with self._engine.begin() as connection:
                found = await self._sweep_batch(connection)
            swept += found
            if found < BATCH:
                return swept

    async def _sweep_batch(self, connection: AsyncConnection) -> int:
        due = (await connection.execute(_DUE, {"batch": BATCH})).all()
        if due:
            tokens = [row.token for row in due]
            entry = job_entry(self._actor, self._policy_version, RPC, "PURGE", tokens)
            entry.about(str(row.member_id) for row in due)
            # The row goes first: a change of personal data without one is refused by the database.
            await append_within(connection, [entry])
            await connection.execute(_DELETE, {"tokens": tokens})
        return len(due)

    async def _run(self) -> None:
        while True:
            try:
                if swept := await self.sweep():
                    log.info("expired tokens destroyed", tokens=swept)
            except DATABASE_ERRORS as error:
                log.warning("sweep failed", error=type(error).__name__, sqlstate=sqlstate(error))
            except Exception as error:  # noqa: BLE001  # a defect must not end the sweeper; its text may hold data
                log.error("unexpected error", error=type(error).__name__, at=place_of(error))
            await asyncio.sleep(SECONDS)

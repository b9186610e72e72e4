"""Destroys the tokens whose time has come. Nobody has to read one for that, and it waits for no plan of a purge.

Several replicas may sweep at once: each takes what no other has locked.
"""

from collections.abc import Callable

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import holds
from chassis.background import Background, Rhythm
from chassis.job import job_entry
from chassis.ledger import append_within

log = structlog.get_logger()

RPC = "onggi.payment_vault.v1.TokenizationService/Sweep"  # no RPC: what the vault does by itself, named like one
BATCH = 500
_EVERY_MINUTE = Rhythm(60.0, 60.0)

# What a hold keeps is passed by, and is unknown to everybody all the same: its time has come.
_DUE = text("""
SELECT token, member_id FROM token AS t WHERE expires_at <= transaction_timestamp()
AND NOT EXISTS (SELECT FROM legal_hold AS h WHERE h.member_id = t.member_id AND NOT h.released)
ORDER BY expires_at LIMIT :batch FOR UPDATE OF t SKIP LOCKED
""")
_DELETE = text("DELETE FROM token WHERE token = ANY(CAST(:tokens AS text[]))")


class Sweeper(Background):
    """Sweeps at ``start`` and every minute until ``close``.

    ``actor``: the service's SPIFFE id. ``policy_version``: tells the version of the policy that is in force.
    """

    def __init__(self, engine: AsyncEngine, actor: str, policy_version: Callable[[], str]) -> None:
        super().__init__("sweeper", "sweeps wait", _EVERY_MINUTE)
        self._engine = engine
        self._actor = actor
        self._policy_version = policy_version

    async def look(self) -> bool:
        """Destroy all that is due, and tell how many. Raises what the database raises."""
        if swept := await self.sweep():
            log.info("expired tokens destroyed", tokens=swept)
        return True

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
        await holds.keep_out_new(connection)
        due = (await connection.execute(_DUE, {"batch": BATCH})).all()
        if due:
            tokens = [row.token for row in due]
            entry = job_entry(self._actor, self._policy_version(), RPC, "PURGE", tokens)
            entry.about(str(row.member_id) for row in due)
            # The row goes first: a change of personal data without one is refused by the database.
            await append_within(connection, [entry])
            await connection.execute(_DELETE, {"tokens": tokens})
        return len(due)

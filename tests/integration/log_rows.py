"""The databases as their superuser sees them: the rows of the processing log, every column of every table."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg

from dev.postgres import SUPERUSER, Login
from dev.stack import Stack
from tests.integration.clients import Outcome

FIVE_ITEMS = ("actor", "occurred_at", "peer_address", "subject_ids", "action")
"""식별자, 접속일시, 접속지, 처리한 정보주체, 수행업무 (LG-01)."""

_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


class Log:
    """Connections of the superuser, one for each database, opened when they are first used."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._connections: dict[str, Any] = {}

    async def fetch(self, database: str, statement: str, *values: object) -> list[Any]:
        """Run one statement as superuser; its rows."""
        connection = self._connections.get(database)
        if connection is None:
            connection = self._connections[database] = await open_as(self._stack.postgres.login(database, SUPERUSER))
        return list(await connection.fetch(statement, *values))

    async def rows_of(self, outcome: Outcome) -> list[Any]:
        """The rows of a call: those with its receipt, or of its span, the first written first."""
        return await self.fetch(
            outcome.service,
            "SELECT * FROM processing_log WHERE record_id = $1 OR span_id = (SELECT span_id FROM processing_log "
            "WHERE record_id = $1 LIMIT 1) ORDER BY recorded_at, phase",
            outcome.record_id,
        )

    async def one_row_of(self, outcome: Outcome) -> Any:
        """The one row that a call has. Fails where there are none or several."""
        rows = await self.rows_of(outcome)
        assert len(rows) == 1, f"{outcome.rpc}: {[(row['phase'], row['status']) for row in rows]}"
        return rows[0]

    async def rows_of_trace(self, service: str, trace_id: str) -> list[Any]:
        """The rows of a trace, the first written first."""
        return await self.fetch(
            service, "SELECT * FROM processing_log WHERE trace_id = $1 ORDER BY recorded_at, phase", trace_id
        )

    async def wait_for_rows(self, service: str, trace_id: str, *, seconds: float = 5.0) -> list[Any]:
        """The rows of a trace as soon as there is one; none where there is none in that time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not (rows := await self.rows_of_trace(service, trace_id)):
            if asyncio.get_running_loop().time() > deadline:
                return []
            await asyncio.sleep(0.05)
        return rows

    async def count(self, service: str) -> int:
        """How many rows the processing log of a service has."""
        [row] = await self.fetch(service, "SELECT count(*) AS number FROM processing_log")
        return int(row["number"])

    async def everything(self, database: str) -> str:
        """Every column of every row of every table as one text, for a search for what must not be there."""
        names = [row[0] for row in await self.fetch(database, _TABLES)]
        lines: list[str] = []
        for name in names:
            lines += [row[0] for row in await self.fetch(database, f"SELECT t::text FROM {name} AS t")]
        return "\n".join(lines)

    async def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            await connection.close()


async def open_as(login: Login) -> Any:
    """Return a connection of this login."""
    return await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )


@contextlib.asynccontextmanager
async def session(login: Login) -> AsyncIterator[Any]:
    """A connection of this login for the length of a block."""
    connection = await open_as(login)
    try:
        yield connection
    finally:
        await connection.close()


def spans_of(stack: Stack) -> Sequence[str]:
    """The lines that the OTLP receiver has written so far, one JSON object a span."""
    return stack.otlp_file.read_text().splitlines()

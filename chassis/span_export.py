"""Sends the access spans: each a rendering of a committed row of the processing log.

At least once, from a stored cursor, in the order of (transaction, record id), below the oldest transaction that is still
open, so that no row is passed by. A collector that is down delays spans and never loses one. One exporter works at a
time for each database: it holds an advisory lock as long as its connection stands, and moves the cursor over that same
connection, so that one that has lost the lock moves nothing.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

import asyncpg
import grpc.aio
import structlog

from chassis import access_spans
from chassis.settings import AuditorSettings, read_secret
from chassis.trace_receiver import MAX_BYTES, TraceReceiver

log = structlog.get_logger()

BATCH: Final = 1000
_IDS: Final = 20_000  # of subjects and resources in a batch, so that rows with a thousand each do not fill the memory
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('onggi span export'))"
# Two subqueries and no join: the cursor is then where the index is entered, however long the log is.
NEXT: Final = f"""
SELECT {", ".join(access_spans.COLUMNS)}, xid::text, found
FROM (SELECT *, count(*) OVER () AS found,
             sum(cardinality(subject_ids) + cardinality(resource_ids)) OVER (ORDER BY xid, record_id)
                 - cardinality(subject_ids) - cardinality(resource_ids) AS ids_before
      FROM (SELECT * FROM processing_log
            WHERE (xid, record_id) > ((SELECT xid FROM span_export_cursor), (SELECT record_id FROM span_export_cursor))
                  AND xid < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY xid, record_id LIMIT {BATCH}) AS next) AS counted
WHERE ids_before < {_IDS} ORDER BY counted.xid, record_id
"""
_WIDTH: Final = len(access_spans.COLUMNS)
_MOVE: Final = "UPDATE span_export_cursor SET xid = CAST($1::text AS xid8), record_id = $2"

# A node that is gone without a word gives its lock back within a minute.
_SESSION: Final = {
    "application_name": "onggi-spans", "timezone": "UTC",
    "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
}  # fmt: skip


class SpanExporter:
    """Works until it is closed; ``pause`` is the time in seconds between two looks when there is nothing to send."""

    def __init__(self, service: str, database: AuditorSettings, receiver: TraceReceiver, *, pause: float = 0.5) -> None:
        self._service = service
        self._database = database
        self._receiver = receiver
        self._pause = pause
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._alone = False
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="span export")

    async def close(self) -> None:
        """Send once more what is committed, within two seconds, and stop."""
        self._stopping.set()
        if self._task is not None:
            try:
                await asyncio.wait_for(self._task, 2.0)
            except TimeoutError:
                log.warning("spans wait for the next start")
        await self._let_go()

    async def _run(self) -> None:
        last = False
        while not last:
            last = self._stopping.is_set()  # what is committed by now is seen by the looks below
            while await self._look():
                pass
            if not last:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._pause):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _look(self) -> bool:
        try:
            return await self.export_once()
        except grpc.aio.AioRpcError as error:
            log.warning("the trace receiver did not take the spans", code=error.code().name)
        except Exception as error:  # noqa: BLE001  # whatever it is, the spans wait and the export goes on
            log.warning("span export failed", error=type(error).__name__)
        await self._let_go()
        return False

    async def export_once(self) -> bool:
        """Send one batch, and move the cursor when the receiver has it; return whether more waits.

        Raises what the driver, the channel and the files of certificate and password raise; nothing is moved then.
        """
        connection = await self._locked()
        rows = await connection.fetch(NEXT) if connection else []
        if connection is None or not rows:
            return False
        batch, request = self._fitting(rows)
        if rejected := await self._receiver.take(request):
            log.error("the trace receiver rejected spans", rejected=rejected, of=len(batch))
        await connection.execute(_MOVE, batch[-1]["xid"], batch[-1]["record_id"])
        found: int = rows[0]["found"]
        return found == BATCH or found > len(batch)

    def _fitting(self, rows: Sequence[asyncpg.Record]) -> tuple[Sequence[asyncpg.Record], bytes]:
        request = access_spans.request(self._service, (row[:_WIDTH] for row in rows)).SerializeToString()
        if len(request) > MAX_BYTES and len(rows) > 1:
            return self._fitting(rows[: len(rows) // 2])
        return rows, request

    async def _locked(self) -> "asyncpg.Connection[asyncpg.Record] | None":
        """Return the connection that has the lock, or None while another exporter has it."""
        if self._connection is None:
            self._connection, self._alone = await _connect(self._database), False
        if not self._alone:
            self._alone = await self._connection.fetchval(_LOCK)
        return self._connection if self._alone else None

    async def _let_go(self) -> None:
        """Begin anew at both ends; another exporter may have its turn."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        await self._receiver.close()


async def _connect(settings: AuditorSettings) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        host=settings.host, port=settings.port, database=settings.name, user=settings.auditor_user,
        password=read_secret(settings.auditor_password_file).reveal(),
        ssl=ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else None,
        timeout=settings.timeout_seconds, command_timeout=settings.timeout_seconds, server_settings=_SESSION,
    )  # fmt: skip

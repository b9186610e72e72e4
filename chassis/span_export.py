"""Sends the access spans: each a rendering of a committed row of the processing log.

At least once, from a stored cursor, in the order of (transaction, record id), below the oldest transaction that is still
open, so that no row is passed by. A collector that is down delays spans and never loses one. One exporter works at a
time for each database (advisory lock).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import DATABASE_ERRORS
from chassis.telemetry import SCHEMA_URL, Telemetry

log = structlog.get_logger()

BATCH = 512
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('onggi span export'))")
_NEXT = text(f"""
SELECT l.* FROM processing_log AS l, span_export_cursor AS c
WHERE (l.xid, l.record_id) > (c.xid, c.record_id) AND l.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY l.xid, l.record_id LIMIT {BATCH}
""")
_MOVE = text("UPDATE span_export_cursor SET xid = CAST(:xid AS xid8), record_id = CAST(:record_id AS uuid)")
# A server span is an error when the server failed, not when the caller did (semantic conventions, gRPC).
_SERVER_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})


class SpanExporter:
    """Works until it is stopped; ``pause`` is the time in seconds between two looks when there is nothing to send."""

    def __init__(self, auditor: AsyncEngine, telemetry: Telemetry, pause: float = 0.5) -> None:
        self._auditor = auditor
        self._telemetry = telemetry
        self._pause = pause
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="span export")

    async def close(self) -> None:
        """Send once more what is committed, within two seconds, and stop."""
        if self._task is not None:
            self._task.cancel()
        try:
            async with asyncio.timeout(2.0):
                while await self.export_once() == BATCH:
                    pass
        except DATABASE_ERRORS:
            log.warning("spans wait for the next start")

    async def _run(self) -> None:
        while True:
            try:
                sent = await self.export_once()
            except Exception as error:  # noqa: BLE001  # whatever it is, the spans wait and the export goes on
                log.warning("span export failed", error=type(error).__name__)
                sent = 0
            if sent < BATCH:
                await asyncio.sleep(self._pause)

    async def export_once(self) -> int:
        """Send at most BATCH spans; return how many. The cursor moves only when the receiver has them."""
        async with self._auditor.begin() as connection:
            if not await connection.scalar(_LOCK):
                return 0
            rows = (await connection.execute(_NEXT)).all()
            if not rows:
                return 0
            spans = [self._span(row) for row in rows]
            if not await self._send(spans):
                return 0
            await _move(connection, rows[-1])
            return len(rows)

    async def _send(self, spans: Sequence[ReadableSpan]) -> bool:
        result = await asyncio.to_thread(self._telemetry.exporter.export, spans)
        if result is not SpanExportResult.SUCCESS:
            log.warning("the trace receiver did not take the spans", count=len(spans))
        return result is SpanExportResult.SUCCESS

    def _span(self, row: Row[Any]) -> ReadableSpan:
        sampled = TraceFlags(TraceFlags.SAMPLED)
        trace_id, span_id = int(row.trace_id, 16), int(row.span_id, 16)
        parent = (
            SpanContext(trace_id, int(row.parent_span_id, 16), is_remote=True, trace_flags=sampled)
            if row.parent_span_id
            else None
        )
        failed = row.status in _SERVER_FAULTS
        return ReadableSpan(
            name=row.rpc_method,
            context=SpanContext(trace_id, span_id, is_remote=False, trace_flags=sampled),
            parent=parent,
            resource=self._telemetry.resource,
            attributes=attributes_of(row),
            kind=SpanKind.SERVER,
            instrumentation_scope=InstrumentationScope("onggi.processing_log", schema_url=SCHEMA_URL),
            status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
            start_time=_nanoseconds(row.occurred_at),
            end_time=max(_nanoseconds(row.recorded_at), _nanoseconds(row.occurred_at)),
        )


def attributes_of(row: Row[Any]) -> dict[str, Any]:
    """Return the attributes of an access span; free text (the reason) stays in the ledger."""
    values = {
        "rpc.system.name": "grpc",
        "rpc.method": row.rpc_method,
        "rpc.status_code": row.status,
        "client.address": row.peer_address,
        "onggi.record_id": str(row.record_id),
        "onggi.actor": row.actor,
        "onggi.actor_type": row.actor_type,
        "onggi.action": row.action,
        "onggi.subject_ids": [str(subject) for subject in row.subject_ids],
        "onggi.subject_count": row.subject_count,
        "onggi.resource_ids": row.resource_ids,
        "onggi.items": row.items,
        "onggi.purpose": row.purpose,
        "onggi.ticket": row.ticket,
        "onggi.request_id": row.request_id,
        "onggi.error_reason": row.error_reason,
        "onggi.policy_version": row.policy_version,
        "onggi.phase": row.phase,
        "onggi.recorded_at": row.recorded_at.isoformat(),
    }
    if row.error_reason:
        values["error.type"] = row.error_reason
    return {name: value for name, value in values.items() if value not in ("", [])}


def _nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000) * 1000


async def _move(connection: AsyncConnection, last: Row[Any]) -> None:
    await connection.execute(_MOVE, {"xid": last.xid, "record_id": str(last.record_id)})

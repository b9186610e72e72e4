"""ProcessingLogService: the processing log, read with the auditor's database role. Reading it is recorded like any access."""

from collections.abc import Mapping
from typing import Any

from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.options.v1 import options_pb2 as options
from onggi.processing_log.v1 import processing_log_service_pb2 as api
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import errors, page
from chassis.call import Call
from chassis.database import reading
from chassis.errors import Code
from chassis.instants import instant, timestamp

_DEFAULT_PAGE = 100
_CONDITIONS = {
    "subject": "subject_ids @> ARRAY[CAST(:subject AS uuid)]",
    "actor": "actor = :actor",
    "since": "recorded_at >= :since AND occurred_at >= :since",
    "until": "occurred_at < :until",
    "denied": "status <> :denied",
    "rpc_method": "rpc_method = :rpc_method",
    "trace": "trace_id = :trace",
    "before_at": "(recorded_at, record_id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid))",
}


class EntryNotFound(errors.DomainError):
    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_ENTRY_NOT_FOUND
    message = "no such entry in this service's processing log"


class LogReader:
    """Servicer of ProcessingLogService for one service's database."""

    def __init__(self, service: str, auditor: AsyncEngine) -> None:
        self._service = service
        self._auditor = auditor

    async def search_entries(self, request: api.SearchEntriesRequest, call: Call) -> api.SearchEntriesResponse:
        """Return a page of entries, newest first. Raises PageTokenInvalid."""
        size = request.page_size or _DEFAULT_PAGE
        rows = await self._select(_values(request), size + 1)
        response = api.SearchEntriesResponse(entries=[self._entry(row) for row in rows[:size]])
        if len(rows) > size:
            last = rows[size - 1]
            response.next_page_token = page.token(last.recorded_at.isoformat(), str(last.record_id))
        return response

    async def get_entry(self, request: api.GetEntryRequest, call: Call) -> api.GetEntryResponse:
        """Return one entry. Raises EntryNotFound."""
        statement = text("SELECT * FROM processing_log WHERE record_id = CAST(:record_id AS uuid)")
        async with reading(self._auditor) as connection:
            row = (await connection.execute(statement, {"record_id": request.record_id})).one_or_none()
        if row is None:
            raise EntryNotFound
        return api.GetEntryResponse(entry=self._entry(row))

    async def _select(self, values: Mapping[str, object], limit: int) -> list[Row[Any]]:
        where = " AND ".join(_CONDITIONS[name] for name in values if name in _CONDITIONS) or "true"
        statement = text(
            f"SELECT * FROM processing_log WHERE {where} ORDER BY recorded_at DESC, record_id DESC LIMIT :size"
        )
        async with reading(self._auditor) as connection:
            return list((await connection.execute(statement, {**values, "size": limit})).all())

    def _entry(self, row: Row[Any]) -> api.Entry:
        return api.Entry(
            record_id=str(row.record_id), occurred_at=timestamp(row.occurred_at),
            recorded_at=timestamp(row.recorded_at), service=self._service, actor=row.actor, actor_type=row.actor_type,
            peer_address=row.peer_address, subject_ids=[str(subject) for subject in row.subject_ids],
            subject_count=row.subject_count, resource_ids=row.resource_ids,
            action=options.Action.Value(f"ACTION_{row.action}"), rpc_method=row.rpc_method, status=row.status,
            error_reason=row.error_reason, items=row.items, purpose=row.purpose, reason=row.reason, ticket=row.ticket,
            request_id=row.request_id, trace_id=row.trace_id, span_id=row.span_id, parent_span_id=row.parent_span_id,
            policy_version=row.policy_version, phase=row.phase,
        )  # fmt: skip


def _values(request: api.SearchEntriesRequest) -> dict[str, object]:
    values: dict[str, object] = {
        "subject": request.subject_id, "actor": request.actor, "rpc_method": request.rpc_method,
        "trace": request.trace_id, "denied": "OK" if request.denied_only else "",
    }  # fmt: skip
    if request.HasField("since"):
        values["since"] = instant(request.since, "since")
    if request.HasField("until"):
        values["until"] = instant(request.until, "until")
    if (last := page.key(request.page_token, page.moment, page.identifier)) is not None:
        values |= {"before_at": last[0], "before_id": last[1]}
    return {name: value for name, value in values.items() if value}

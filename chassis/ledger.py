"""The processing log's writer. No record, no answer.

``INSERT_ROWS`` is a piece of SQL that any hot statement puts in front of itself, so that the rows of many calls and the
data they concern travel in one statement and one commit. What no statement has written, ``append`` writes, for many
calls at once (group commit).
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import errors
from chassis.batcher import Batcher
from chassis.database import Hot
from chassis.entry import Entry, rows

_COLUMNS = (
    "record_id, occurred_at, actor, actor_type, peer_address, subject_ids, subject_count, resource_ids, action, "
    "rpc_method, status, error_reason, items, purpose, reason, ticket, request_id, trace_id, span_id, parent_span_id, "
    "policy_version, phase"
)
_TYPES = (
    "record_id uuid, occurred_at timestamptz, actor text, actor_type text, peer_address text, subject_ids uuid[], "
    "subject_count bigint, resource_ids text[], action text, rpc_method text, status text, error_reason text, "
    "items text[], purpose text, reason text, ticket text, request_id text, trace_id text, span_id text, "
    "parent_span_id text, policy_version text, phase text, lookup text, missing_status text, missing_reason text"
)

PLAIN_INSERT = f"""
INSERT INTO processing_log ({_COLUMNS})
SELECT {_COLUMNS} FROM jsonb_to_recordset(CAST($1 AS jsonb)) AS l({_TYPES})
"""

# For a statement with a CTE ``found (lookup text, subjects uuid[])`` that holds what the calls looked for and found.
INSERT_ROWS = f"""
INSERT INTO processing_log ({_COLUMNS})
SELECT record_id, occurred_at, actor, actor_type, peer_address,
       coalesce(found.subjects, l.subject_ids), greatest(l.subject_count, cardinality(found.subjects)),
       resource_ids, action, rpc_method,
       CASE WHEN l.lookup IS NULL OR found.lookup IS NOT NULL THEN status ELSE missing_status END,
       CASE WHEN l.lookup IS NULL OR found.lookup IS NOT NULL THEN error_reason ELSE missing_reason END,
       CASE WHEN l.lookup IS NULL OR found.lookup IS NOT NULL THEN items ELSE ARRAY[]::text[] END,
       purpose, reason, ticket, request_id, trace_id, span_id, parent_span_id, policy_version, phase
FROM jsonb_to_recordset(CAST($1 AS jsonb)) AS l({_TYPES})
LEFT JOIN found ON found.lookup = l.lookup
"""

# For a statement with a CTE ``judged (record_id uuid, known boolean, status text, reason text)``: what it made of each
# call. A call that is not there, or is judged fine, stands as it is; one whose lookup is not known is missing.
INSERT_JUDGED = f"""
INSERT INTO processing_log ({_COLUMNS})
SELECT record_id, occurred_at, actor, actor_type, peer_address, subject_ids, subject_count, resource_ids, action, rpc_method,
       CASE WHEN judged.reason <> '' THEN judged.status
            WHEN l.lookup IS NOT NULL AND NOT judged.known THEN missing_status ELSE l.status END,
       CASE WHEN judged.reason <> '' THEN judged.reason
            WHEN l.lookup IS NOT NULL AND NOT judged.known THEN missing_reason ELSE error_reason END,
       CASE WHEN judged.reason <> '' OR l.lookup IS NOT NULL AND NOT judged.known THEN ARRAY[]::text[] ELSE items END,
       purpose, l.reason, ticket, request_id, trace_id, span_id, parent_span_id, policy_version, phase
FROM jsonb_to_recordset(CAST($1 AS jsonb)) AS l({_TYPES})
LEFT JOIN judged USING (record_id)
"""

_IN_TRANSACTION = text(PLAIN_INSERT.replace("$1", ":rows"))


class Ledger:
    """Writes rows that no data statement carries: refusals, failures, and outcomes after the fact."""

    def __init__(self, hot: Hot) -> None:
        self._hot = hot
        self._batcher: Batcher[Entry, None] = Batcher("ledger", self._flush)

    async def append(self, entry: Entry, deadline: float | None = None) -> None:
        """Make the row durable. Raises LedgerUnavailable; then nothing may be answered but the refusal itself.

        ``deadline``: loop time by which the caller must have an answer; the row is still written after it.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self._batcher.submit(entry)
        except (errors.DomainError, TimeoutError):
            raise errors.LedgerUnavailable from None

    async def _flush(self, entries: Sequence[Entry]) -> Sequence[None]:
        await self._hot.record(PLAIN_INSERT, entries)
        return [None] * len(entries)

    async def close(self) -> None:
        """Write what waits, then stop."""
        await self._batcher.close()


async def append_within(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Write the rows in the transaction of the connection, so that they stand or fall with the effect."""
    await connection.execute(_IN_TRANSACTION, {"rows": rows(entries)})

"""A change of personal data: effect, log row and idempotency row in one transaction, safe to ask for again.

The same request_id with the same content gives the first answer, with other content it is refused (AIP-155). An error
at COMMIT does not mean "rolled back": the outcome is read back by the request_id and never assumed.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors, spans
from chassis.call import Call
from chassis.database import DATABASE_ERRORS, UNIQUE_VIOLATION, DatabaseRefused, constraint, is_refusal, sqlstate
from chassis.detached import detached
from chassis.entry import carried
from chassis.ledger import append_within

log = structlog.get_logger()

Answer = dict[str, Any]
Work = Callable[[AsyncConnection], Awaitable[Answer]]

_CLAIM = text("""
INSERT INTO idempotency (caller, request_id, digest, answer, subject_id)
VALUES (:caller, CAST(:request_id AS uuid), :digest, '{}', CAST(:subject AS uuid))
ON CONFLICT DO NOTHING RETURNING request_id
""")
_FIND = text("""
SELECT digest, answer, subject_id FROM idempotency WHERE caller = :caller AND request_id = CAST(:request_id AS uuid)
""")
_KEEP = text("""
UPDATE idempotency SET answer = CAST(:answer AS jsonb)
WHERE caller = :caller AND request_id = CAST(:request_id AS uuid)
""")


class Mutations:
    """Runs changes. Each runs in a task of its own, so that a caller who goes away never cancels a commit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self, call: Call, digest: str, work: Work, *, subject_id: str | None = None) -> Answer:
        """Do ``work`` once for the call's request_id and return its answer, which holds random ids and nothing personal.

        ``digest``: keyed digest of the request's content. ``work`` gets a connection within the transaction; the log row
        stands in it already, since the database refuses a change without one. ``subject_id``: the data subject that the
        answer is about. Raises RequestIdReused, DatabaseUnavailable, or what ``work`` raises.
        """
        return await detached(self._carry(call, digest, work, subject_id))

    async def _carry(self, call: Call, digest: str, work: Work, subject_id: str | None) -> Answer:
        known = list(call.entry.subject_ids)
        try:
            with carried([call.entry]):
                return await self._run(call, digest, work, subject_id)
        except BaseException:
            call.entry.subject_ids = known  # a subject that was to be added never came to be
            raise

    async def _run(self, call: Call, digest: str, work: Work, subject_id: str | None) -> Answer:
        for last in (False, True):
            try:
                with spans.flush("change", [call.entry]):
                    return await self._attempt(call, digest, work, subject_id)
            except DATABASE_ERRORS as error:
                # A broken commit is in doubt: the second attempt begins by reading back.
                if last or is_refusal(error):
                    raise _translated(error) from None
        raise errors.DatabaseUnavailable

    async def _attempt(self, call: Call, digest: str, work: Work, subject_id: str | None) -> Answer:
        key = {"caller": call.caller.spiffe_id, "request_id": call.entry.request_id}
        async with self._engine.connect() as connection, connection.begin():
            # Whoever is second waits here until the first has committed or gone, and then finds its answer.
            claim = {**key, "digest": digest, "subject": subject_id}
            mine = await connection.scalar(_CLAIM, claim) is not None
            earlier = None if mine else (await connection.execute(_FIND, key)).one()
            if earlier is not None and earlier.digest != digest:
                raise errors.RequestIdReused
            subject = subject_id if earlier is None else earlier.subject_id
            call.entry.about([str(subject)] if subject else [])
            await append_within(connection, [call.entry])
            if earlier is not None:
                return dict(earlier.answer)
            answer = await work(connection)
            await connection.execute(_KEEP, {**key, "answer": json.dumps(answer)})
            return answer


def _translated(error: BaseException) -> errors.DomainError:
    if is_refusal(error):
        # That somebody else has a value already is the caller's to settle, and none of on-call's.
        write = log.info if sqlstate(error) == UNIQUE_VIOLATION else log.error
        write("statement refused", sqlstate=sqlstate(error), constraint=constraint(error))
        return DatabaseRefused(sqlstate(error), constraint(error))
    return errors.DatabaseUnavailable()

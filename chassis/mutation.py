"""A change of personal data: effect, log row and idempotency row in one transaction, safe to ask for again.

The same request_id with the same content gives the first answer, with other content it is refused (AIP-155). An error
at COMMIT does not mean "rolled back": the outcome is read back by the request_id and never assumed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors, spans
from chassis.call import Call
from chassis.database import DATABASE_ERRORS, DatabaseRefused, constraint, is_refusal, sqlstate
from chassis.ledger import append_within

log = structlog.get_logger()

Result = TypeVar("Result")
Answer = dict[str, Any]
Work = Callable[[AsyncConnection], Awaitable[Answer]]

_REQUEST_KEY = "idempotency_pkey"
_FIND = text(
    "SELECT digest, answer, subject_id FROM idempotency WHERE caller = :caller AND request_id = CAST(:request_id AS uuid)"
)
_KEEP = text(
    "INSERT INTO idempotency (caller, request_id, digest, answer, subject_id) "
    "VALUES (:caller, CAST(:request_id AS uuid), :digest, CAST(:answer AS jsonb), CAST(:subject AS uuid))"
)


class Mutations:
    """Runs changes. Each runs in a task of its own, so that a caller who goes away never cancels a commit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, call: Call, digest: str, work: Work, *, subject_id: str | None = None) -> Answer:
        """Do ``work`` once for the call's request_id and return its answer, which holds random ids and nothing personal.

        ``digest``: keyed digest of the request's content. ``work`` gets a connection within the transaction; the log row
        stands in it already, since the database refuses a change without one. ``subject_id``: the data subject that the
        answer is about. Raises RequestIdReused, DatabaseUnavailable, or what ``work`` raises.
        """
        return await self._detached(self._run(call, digest, work, subject_id))

    async def _detached(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _run(self, call: Call, digest: str, work: Work, subject_id: str | None) -> Answer:
        for last in (False, True):
            try:
                with spans.flush("change", [call.entry]):
                    return await self._attempt(call, digest, work, subject_id)
            except DATABASE_ERRORS as error:
                # Somebody else has just used the same request_id: its answer is ours. A broken commit is in doubt: the
                # second attempt begins by reading back.
                if last or (is_refusal(error) and constraint(error) != _REQUEST_KEY):
                    raise _translated(error) from None
        raise errors.DatabaseUnavailable

    async def _attempt(self, call: Call, digest: str, work: Work, subject_id: str | None) -> Answer:
        async with self._engine.connect() as connection, connection.begin():
            earlier = await self._earlier(connection, call, digest)
            subject = subject_id if earlier is None else earlier.subject_id
            call.entry.about([str(subject)] if subject else [])
            await append_within(connection, [call.entry])
            if earlier is None:
                answer = await work(connection)
                await self._keep(connection, call, digest, answer, subject_id)
            else:
                answer = earlier.answer
        call.entry.written = True
        return answer

    async def _earlier(self, connection: AsyncConnection, call: Call, digest: str) -> Row[Any] | None:
        key = {"caller": call.caller.spiffe_id, "request_id": call.entry.request_id}
        row = (await connection.execute(_FIND, key)).one_or_none()
        if row is not None and row.digest != digest:
            raise errors.RequestIdReused
        return row

    async def _keep(
        self, connection: AsyncConnection, call: Call, digest: str, answer: Answer, subject_id: str | None
    ) -> None:
        await connection.execute(_KEEP, {
            "caller": call.caller.spiffe_id, "request_id": call.entry.request_id, "digest": digest,
            "answer": json.dumps(answer), "subject": subject_id,
        })  # fmt: skip

    async def close(self) -> None:
        """Wait for the changes under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)


def _translated(error: BaseException) -> errors.DomainError:
    if is_refusal(error):
        log.error("statement refused", sqlstate=sqlstate(error), constraint=constraint(error))
        return DatabaseRefused(sqlstate(error), constraint(error))
    return errors.DatabaseUnavailable()

"""Reveals of numbers, many calls at once: one statement rations, counts, reads and records; then one batch opens.

What may be revealed is decided where it is recorded (``ration_reveals``, migration 0003): budgets, approvals, suspensions
and one-time tokens, for many calls of many callers at many replicas, exactly. Unknown, another's, expired and destroyed
take the same path and give the same answer. The log row is durable before anything is decrypted. A one-time token that a
legal hold keeps is not destroyed when it is revealed: its time has come, so that it is as unknown as if it were.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
import structlog
from onggi.payment_vault.v1 import instrument_pb2 as api
from sqlalchemy import text

from chassis import spans
from chassis.batcher import Batcher
from chassis.call import Call
from chassis.database import Hot
from chassis.errors import DomainError, reason_name
from chassis.ledger import INSERT_JUDGED
from chassis.policy.access_rules import RevealBudget
from services.payment_vault.failures import (
    ApprovalNotFound,
    ApprovalRequired,
    BudgetExhausted,
    CallerSuspended,
    TokenNotFound,
)
from services.payment_vault.opening import COLUMNS, LIVING, Opener, Pair, copy
from services.payment_vault.tokens import is_token

log = structlog.get_logger()

_REFUSALS: Mapping[str, type[DomainError]] = {
    reason_name(kind.reason): kind for kind in (ApprovalNotFound, ApprovalRequired, BudgetExhausted, CallerSuspended)
}
_STATUS = " ".join(f"WHEN '{name}' THEN '{kind.code.name}'" for name, kind in _REFUSALS.items())

REVEAL = f"""
WITH verdict AS MATERIALIZED (
    SELECT v.*, w.token, w.member_id
    FROM ration_reveals($2::uuid[], $3::text[], $4::int[], $5::int[], $6::int, $7::uuid, $8::text, $9::text, $10::int[],
                        $11::text[], $12::uuid[]) AS v
    JOIN unnest($11::text[], $12::uuid[]) WITH ORDINALITY AS w (token, member_id, item) ON w.item = v.item),
wanted AS (SELECT DISTINCT token, member_id FROM verdict WHERE known),
data AS MATERIALIZED (SELECT {COLUMNS} FROM wanted JOIN token AS t USING (token, member_id) {LIVING}),
held AS MATERIALIZED (SELECT held_members(ARRAY(SELECT member_id FROM data WHERE one_time)) AS member_id),
spent AS (
    DELETE FROM token USING data WHERE token.token = data.token AND data.one_time
    AND data.member_id NOT IN (SELECT member_id FROM held)),
ended AS (
    UPDATE token SET expires_at = transaction_timestamp() FROM data WHERE token.token = data.token AND data.one_time
    AND data.member_id IN (SELECT member_id FROM held)),
judged AS (
    SELECT record_id, bool_or(known) AS known, max(reason) AS reason, CASE max(reason) {_STATUS} ELSE '' END AS status
    FROM verdict GROUP BY record_id),
log AS ({INSERT_JUDGED})
SELECT v.item, v.known, v.reason, v.trapped, v.retry, d.kind, d.sealed, d.sealed_masked, d.created_at, d.expires_at,
       d.one_time, d.wrapped_salt, v.token, v.member_id
FROM verdict AS v LEFT JOIN data AS d ON v.known AND d.token = v.token AND d.member_id = v.member_id
ORDER BY v.item
"""

FORGET = text("DELETE FROM reveal_subject WHERE day < date_trunc('day', transaction_timestamp(), 'Asia/Seoul')")
"""Housekeeping: who was revealed on a day that is over counts no longer; the processing log has it."""


class Approval(NamedTuple):
    """An approval that a call names, and the keyed digest of the list that the call has."""

    approval_id: str
    digest: str


class _Wanted(NamedTuple):
    """What one call wants revealed; ``pairs`` all have the form of tokens."""

    call: Call
    pairs: Sequence[Pair]
    approval: Approval | None = None


Revealed = Sequence[api.Token | DomainError]
"""One result a pair, in order."""


class Reveals:
    """Reveals numbers, for callers who have a budget for it."""

    def __init__(self, hot: Hot, opener: Opener, budgets: Mapping[str, RevealBudget]) -> None:
        self._hot = hot
        self._opener = opener
        self._budgets = budgets
        self._told_until: dict[str, float] = {}
        self._batcher: Batcher[_Wanted, api.Token] = Batcher("reveals", self._flush)

    async def reveal(self, call: Call, pair: Pair) -> api.Token:
        """Return the token with its number, in ``masked``. Raises TokenNotFound, BudgetExhausted, CallerSuspended."""
        if not is_token(pair.token):
            raise TokenNotFound
        call.entry.seek(pair.token + pair.member_id, TokenNotFound)
        return await self._batcher.submit(_Wanted(call, [pair]), call.deadline)

    async def reveal_all(self, call: Call, pairs: Sequence[Pair], approval: Approval | None) -> Revealed:
        """Return the tokens of one batch call, TokenNotFound in the place of each that is not there.

        All or nothing against the budget. Raises ApprovalRequired, ApprovalNotFound, BudgetExhausted, CallerSuspended.
        """
        known = [pair for pair in pairs if is_token(pair.token)]
        if not known:
            return [TokenNotFound() for _ in pairs]
        [answer] = await self._decide([_Wanted(call, known, approval)])
        if isinstance(answer, DomainError):
            raise answer
        found = iter(answer)
        return [next(found) if is_token(pair.token) else TokenNotFound() for pair in pairs]

    async def _flush(self, wanted: Sequence[_Wanted]) -> Sequence[api.Token | DomainError]:
        answers = await self._decide(wanted)
        return [answer if isinstance(answer, DomainError) else answer[0] for answer in answers]

    async def _decide(self, wanted: Sequence[_Wanted]) -> Sequence[Revealed | DomainError]:
        entries = [one.call.entry for one in wanted]
        with spans.flush("reveal", entries):
            rows = await self._hot.record(REVEAL, entries, *self._arguments(wanted))
            self._batcher.go_on()  # PostgreSQL has done its part
            opened = await self._opener.open([row for row in rows if row["sealed"] is not None])
        answers: list[Revealed | DomainError] = []
        place = 0
        for one in wanted:
            mine = rows[place : place + len(one.pairs)]
            place += len(one.pairs)
            answers.append(self._answer(one, mine, opened))
        return answers

    def _arguments(self, wanted: Sequence[_Wanted]) -> Sequence[Any]:
        """One entry a call, then one an item. Only a batch call can need an approval, and it comes alone."""
        budgets = [self._budgets[one.call.caller.account] for one in wanted]
        calls = [number for number, one in enumerate(wanted, 1) for _ in one.pairs]
        first = wanted[0]
        approval = first.approval or Approval("", "")
        return (
            [uuid.UUID(one.call.entry.record_id) for one in wanted],
            [one.call.caller.spiffe_id for one in wanted],
            [budget.hour for budget in budgets],
            [budget.day for budget in budgets],
            budgets[0].alone if len(wanted) == 1 else None,
            uuid.UUID(approval.approval_id) if approval.approval_id else None,
            approval.digest,
            first.call.entry.purpose,
            calls,
            [pair.token for one in wanted for pair in one.pairs],
            [pair.member_id for one in wanted for pair in one.pairs],
        )

    def _answer(
        self, one: _Wanted, rows: Sequence[asyncpg.Record], opened: Mapping[Pair, Any]
    ) -> Revealed | DomainError:
        first = rows[0]
        if first["trapped"]:
            return _trapped(one)
        if reason := first["reason"]:
            kind = _REFUSALS[reason]
            one.call.entry.settled(kind)
            return self._exhausted(one, first["retry"]) if kind is BudgetExhausted else kind()
        return [
            copy(opened.get(pair)) if row["known"] else TokenNotFound()
            for pair, row in zip(one.pairs, rows, strict=True)
        ]

    def _exhausted(self, one: _Wanted, retry_after: float) -> BudgetExhausted:
        """On-call is told once a window, not once a call."""
        entry, now = one.call.entry, time.monotonic()
        if self._told_until.get(entry.actor, 0.0) <= now:
            self._told_until[entry.actor] = now + retry_after
            log.warning(
                "reveal budget exhausted", actor=entry.actor, record_id=entry.record_id, trace_id=entry.trace_id
            )
        return BudgetExhausted(retry_after)

    async def close(self) -> None:
        """Finish what waits."""
        await self._batcher.close()


def _trapped(one: _Wanted) -> Revealed | DomainError:
    """A honey token was touched. The row tells so, and on-call; the caller learns what it learns of any other token."""
    entry = one.call.entry
    log.error("honey token touched, caller suspended", actor=entry.actor, record_id=entry.record_id,
              trace_id=entry.trace_id)  # fmt: skip
    if entry.lookup is not None:
        entry.settled(TokenNotFound)
        return TokenNotFound()
    return [TokenNotFound() for _ in one.pairs]

"""Writes that race the destruction of their subject: nothing of a destroyed member comes back (P4)."""

import asyncio
import random
from collections import Counter
from uuid import uuid4

import pytest
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.purge.v1.purge_service_pb2 import ExecutePurgeRequest, PreparePurgeRequest

from dev.stack import Stack
from tests.e2e.faults import Answer, Caller, Figures, Registration, logged, query
from tests.e2e.known import Known

pytestmark = pytest.mark.timeout(120)

_RACES, _WRITES = 20, 16
_PATIENCE = 20.0
_DESTRUCTION = AccessContext(purpose="destruction", reason="fault test")
_LEFT = """
SELECT (SELECT count(*) FROM token WHERE member_id = ANY($1::text[]::uuid[])) AS tokens,
       (SELECT count(*) FROM idempotency WHERE subject_id = ANY($1::text[]::uuid[])) AS requests,
       (SELECT count(*) FROM erasure_key WHERE substr(unit, 8) = ANY($1) AND wrapped_salt IS NOT NULL) AS salts
"""


async def _destroy(retention: Caller, member_id: str, delay: float) -> Answer:
    """Plan and execute the destruction of one member's means of payment."""
    plan = str(uuid4())
    wanted = PreparePurgeRequest(
        access=_DESTRUCTION, plan_id=plan, epoch=1, category="R-03", through="2026-01-01", subject_ids=[member_id]
    )
    prepared = await retention.ask(retention.purges.PreparePurge, wanted, _PATIENCE)
    assert prepared.code == "OK", prepared
    await asyncio.sleep(delay)
    request = ExecutePurgeRequest(
        access=_DESTRUCTION, plan_id=plan, epoch=1, category="R-03", limit=1000, digest=prepared.message.digest
    )
    return await retention.ask(retention.purges.ExecutePurge, request, _PATIENCE)


async def test_no_token_outlives_its_member_whatever_the_order(breakable: Stack, figures: Figures) -> None:
    """20 destructions, each amid 16 late writes: afterwards no token, request or salt of the members exists (R-03)."""
    ended: Counter[str] = Counter()
    members: list[str] = []
    async with Known(breakable) as known, Caller(breakable, breakable.service_credentials("retention")) as retention:
        for _ in range(_RACES):
            wanted = known.fresh(_WRITES + 1, members=1)
            await known.tokenize(wanted[:1])  # the member is known here before it is destroyed
            members.append(wanted[0].member_id)
            destruction = asyncio.create_task(_destroy(retention, members[-1], random.uniform(0, 0.02)))
            answers = await asyncio.gather(*(_late(known, one) for one in wanted[1:]))
            assert (await destruction).code == "OK", await destruction
            ended.update(f"{answer.code} {answer.reason}".rstrip() for answer in answers)
        [left] = await query(breakable, "payment_vault", _LEFT, members)
        figures(f"{_RACES} destructions against {_RACES * _WRITES} late writes: {dict(ended)}, left {dict(left)}")

    assert set(ended) == {"OK", "NOT_FOUND SUBJECT_DESTROYED"}
    assert dict(left) == {"tokens": 0, "requests": 0, "salts": 0}


async def _late(known: Known, one: Registration) -> Answer:
    await asyncio.sleep(random.uniform(0, 0.06))
    return await known.billing.ask(known.billing.tokens.Tokenize, one.request(), _PATIENCE)


async def test_nothing_is_added_for_a_destroyed_member(breakable: Stack) -> None:
    """Tokenize for a destroyed member is NOT_FOUND, new or repeated, and recorded; its token is gone for readers too."""
    async with Known(breakable) as known, Caller(breakable, breakable.service_credentials("retention")) as retention:
        one, late = known.fresh(2, members=1)
        await known.tokenize([one])
        token = known.tokens.pop(one)
        assert (await _destroy(retention, one.member_id, 0.0)).code == "OK"
        billing = known.billing
        answers = [await billing.ask(billing.tokens.Tokenize, each.request()) for each in (late, one)]
        read = await billing.ask(billing.reveals.Detokenize, one.reveal(token))
        log = await logged(breakable, "payment_vault", [answer.record_id for answer in [*answers, read]])
        rows = [[(row["status"], row["error_reason"]) for row in log[a.record_id]] for a in [*answers, read]]

        destroyed, missing = ("NOT_FOUND", "SUBJECT_DESTROYED"), ("NOT_FOUND", "TOKEN_NOT_FOUND")
        assert [(a.code, a.reason) for a in [*answers, read]] == [destroyed, destroyed, missing]
        assert rows == [[destroyed], [destroyed], [missing]]
        await known.is_whole()

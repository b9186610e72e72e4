"""Many calls at once, of kinds that share a connection or come in batches; and more at once than the server takes."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import pytest
from onggi.identity.v1.member_service_pb2 import FindMemberRequest
from onggi.payment_vault.v1.detokenization_service_pb2 import BatchDetokenizeRequest, DetokenizeItem
from onggi.payment_vault.v1.tokenization_service_pb2 import (
    BatchTokenizeRequest,
    DeleteTokenRequest,
    ListTokensRequest,
    TokenizeItem,
)

from dev.stack import Stack
from tests.e2e.faults import BILLING, Answer, Figures, freeze, query, says, thaw
from tests.e2e.known import ANSWERED, EVERY, MEMBERSHIP, Known, tally

pytestmark = pytest.mark.timeout(120)

_AT_ONCE = 20
_TOO_MANY = 2500
Ask = Coroutine[Any, Any, Answer]


def _list(known: Known, number: int) -> Ask:
    request = ListTokensRequest(access=BILLING, member_id=list(known.tokens)[number].member_id)
    return known.billing.ask(known.billing.tokens.ListTokens, request)


def _batch_reveal(known: Known, number: int) -> Ask:
    items = [DetokenizeItem(member_id=one.member_id, token=token) for one, token in known.tokens.items()]
    request = BatchDetokenizeRequest(access=BILLING, items=items[number:])
    return known.billing.ask(known.billing.reveals.BatchDetokenize, request)


def _batch_tokenize(known: Known, number: int) -> Ask:
    items = [TokenizeItem(member_id=one.member_id, instrument=one.request().instrument) for one in known.fresh(5)]
    request = BatchTokenizeRequest(access=BILLING, request_id=str(uuid4()), items=items)
    return known.billing.ask(known.billing.tokens.BatchTokenize, request, 10.0)


def _get_or_find(known: Known, number: int) -> Ask:
    if number % 2:
        return known.portal.ask(known.portal.members.GetMember, known.member.read())
    request = FindMemberRequest(access=MEMBERSHIP, email=known.member.institution.email)
    return known.portal.ask(known.portal.members.FindMember, request)


@pytest.mark.parametrize("kind", [_list, _batch_reveal, _batch_tokenize, _get_or_find])
async def test_calls_that_share_a_connection_do_not_break_each_other(
    breakable: Stack, kind: Callable[[Known, int], Ask]
) -> None:
    """Twenty lists, batches or look-ups at once are all answered, with single reads among them."""
    async with Known(breakable) as known:
        some = asyncio.gather(*(kind(known, number) for number in range(_AT_ONCE)))
        wave = await known.wave()
        answers = await some

        assert Counter(f"{answer.code} {answer.reason}".rstrip() for answer in answers) == {"OK": _AT_ONCE}
        assert tally(wave) == dict.fromkeys(EVERY, ANSWERED)


async def test_a_call_too_many_is_told_so(breakable: Stack, figures: Figures) -> None:
    """A server that is behind answers late or with a reason; it does not reset calls without a word and without a row."""
    async with Known(breakable) as known:
        vault = breakable.services["payment_vault"]
        freeze(vault)
        try:
            calls = [
                asyncio.create_task(known.billing.ask(known.billing.tokens.Tokenize, one.request(), 60.0))
                for one in known.fresh(_TOO_MANY, members=50)
            ]
            await asyncio.sleep(1.5)
        finally:
            thaw(vault)
        codes = Counter(f"{answer.code} {answer.reason}".rstrip() for answer in await asyncio.gather(*calls))
        figures(f"{_TOO_MANY} calls at once: {dict(codes)}")

        assert "CANCELLED" not in codes


async def test_a_request_repeated_after_its_token_was_deleted_has_an_answer(breakable: Stack) -> None:
    """The same request_id after DeleteToken is answered with a status that the contract knows, not INTERNAL."""
    async with Known(breakable) as known:
        one, token = next(iter(known.tokens.items()))
        request = DeleteTokenRequest(access=BILLING, request_id=str(uuid4()), member_id=one.member_id, token=token)
        deleted = await known.billing.ask(known.billing.tokens.DeleteToken, request)
        answer = await known.billing.ask(known.billing.tokens.Tokenize, one.request())
        anew = dataclasses.replace(one, request_id=str(uuid4()))
        fresh = await known.billing.ask(known.billing.tokens.Tokenize, anew.request())

        assert (deleted.code, fresh.code) == ("OK", "OK")
        assert answer.code != "INTERNAL"


async def test_a_database_that_restarted_between_calls_costs_no_call(breakable: Stack) -> None:
    """PostgreSQL restarted while nobody called: readiness is on, so the next calls succeed."""
    async with Known(breakable) as known:
        assert tally(await known.wave()) == dict.fromkeys(EVERY, ANSWERED)
        await query(breakable, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE usename IN ('identity', 'payment_vault')")  # fmt: skip
        await says(breakable, "SERVING", 15.0)

        assert tally(await known.wave()) == dict.fromkeys(EVERY, ANSWERED)

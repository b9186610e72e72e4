"""Ciphertexts moved by someone who may write the tables: they open nowhere but in their own place (PV-09, T9)."""

import asyncio
from collections.abc import Sequence

import pytest
from onggi.payment_vault.v1.detokenization_service_pb2 import BatchDetokenizeRequest, DetokenizeItem
from onggi.payment_vault.v1.tokenization_service_pb2 import ListTokensRequest

from dev.stack import Stack
from tests.e2e.faults import BILLING, Answer, Figures, Registration, query
from tests.e2e.known import Known

pytestmark = pytest.mark.timeout(120)

BROKEN = "INTERNAL SEAL_BROKEN"
_SWAP = """
UPDATE {table} AS t SET {column} = o.{column} FROM {table} AS o
WHERE t.{key}::text = ANY($1) AND o.{key}::text = ANY($1) AND t.{key} <> o.{key}
"""
_SWAP_NUMBERS = _SWAP.format(table="token", key="token", column="sealed")
_SWAP_MASKED = _SWAP.format(table="token", key="token", column="sealed_masked")
_SWAP_PROFILES = _SWAP.format(table="member", key="member_id", column="sealed")


def _codes(answers: Sequence[Answer]) -> list[str]:
    return [f"{answer.code} {answer.reason}".rstrip() for answer in answers]


async def _reveal(known: Known, ones: Sequence[Registration]) -> list[Answer]:
    ask, method = known.billing.ask, known.billing.reveals.Detokenize
    return list(await asyncio.gather(*(ask(method, one.reveal(known.tokens[one])) for one in ones)))


async def _masked(known: Known, ones: Sequence[Registration]) -> list[Answer]:
    ask, method = known.billing.ask, known.billing.tokens.GetToken
    return list(await asyncio.gather(*(ask(method, one.masked_read(known.tokens[one])) for one in ones)))


async def test_numbers_swapped_between_tokens_do_not_open(breakable: Stack, figures: Figures) -> None:
    """Two tokens with each other's ciphertext answer SEAL_BROKEN, single and in a batch; their neighbours answer."""
    async with Known(breakable) as known:
        held = list(known.tokens)
        same_member = next(one for one in held[1:] if one.member_id == held[0].member_id)
        pairs = [(held[0], same_member), (held[1], held[2])]  # of one member, and of two
        for pair in pairs:
            await query(breakable, "payment_vault", _SWAP_NUMBERS, [known.tokens[one] for one in pair])
        moved = [one for pair in pairs for one in pair]
        await query(
            breakable,
            "payment_vault",
            "UPDATE token SET sealed = sealed_masked WHERE token = $1",
            known.tokens[held[3]],
        )
        moved.append(held[3])
        answers = dict(zip(held, await _reveal(known, held), strict=True))
        items = [DetokenizeItem(member_id=one.member_id, token=known.tokens[one]) for one in held]
        batch = await known.billing.ask(
            known.billing.reveals.BatchDetokenize, BatchDetokenizeRequest(access=BILLING, items=items)
        )
        results = dict(zip(held, batch.message.results, strict=True))
        figures(f"swapped: {len(moved)} of {len(held)} tokens, answers {_codes([answers[one] for one in moved])}")

        for one in held:
            if one in moved:
                assert (_codes([answers[one]]), answers[one].message) == ([BROKEN], None)
                assert results[one].error.code == "INTERNAL"
                assert not results[one].HasField("instrument")
            else:
                assert answers[one].message.instrument.card.number == one.number
                assert results[one].instrument.card.number == one.number
        assert _codes(await _masked(known, moved)) == ["OK"] * len(moved), "what was not moved still opens"


async def test_masked_views_copied_between_tokens_do_not_open(breakable: Stack) -> None:
    """A masked view copied to another token answers SEAL_BROKEN; reads of other tokens at the same time answer."""
    async with Known(breakable) as known:
        held = list(known.tokens)
        await query(
            breakable, "payment_vault",
            "UPDATE token SET sealed_masked = (SELECT sealed_masked FROM token WHERE token = $1) WHERE token = $2",
            known.tokens[held[0]], known.tokens[held[1]],
        )  # fmt: skip
        answers = await _masked(known, held)

        assert _codes(answers) == ["OK", BROKEN, *["OK"] * (len(held) - 2)]
        assert answers[1].message is None


async def test_a_list_with_a_moved_ciphertext_says_so(breakable: Stack) -> None:
    """ListTokens of a member with a broken token answers SEAL_BROKEN, which tells on-call what it is."""
    async with Known(breakable) as known:
        held = list(known.tokens)
        await query(breakable, "payment_vault", _SWAP_MASKED, [known.tokens[one] for one in held[:2]])
        request = ListTokensRequest(access=BILLING, member_id=held[0].member_id)
        answer = await known.billing.ask(known.billing.tokens.ListTokens, request)

        assert (_codes([answer]), answer.message) == ([BROKEN], None)


async def test_profiles_swapped_between_members_do_not_open(breakable: Stack) -> None:
    """Two members with each other's profile answer SEAL_BROKEN; a third, read at the same time, answers."""
    async with Known(breakable) as known:
        members = [known.member, await known.register(), await known.register()]
        pair = [member.member_id for member in members[:2]]
        await query(breakable, "identity", _SWAP_PROFILES, pair)
        ask, method = known.portal.ask, known.portal.members.GetMember
        answers = await asyncio.gather(*(ask(method, member.read()) for member in members * 3))

        assert _codes(answers) == [BROKEN, BROKEN, "OK"] * 3
        name = members[2].institution.organization_name
        assert [answer.message.member.profile.organization_name for answer in answers[2::3]] == [name] * 3


async def test_a_value_in_another_column_of_its_row_does_not_open(breakable: Stack) -> None:
    """A profile and a password's hash stand under one key and one salt; one in the column of the other does not open."""
    async with Known(breakable) as known:
        member = await known.register()
        await query(
            breakable, "identity", "UPDATE member SET sealed = sealed_password WHERE member_id::text = $1",
            member.member_id,
        )  # fmt: skip
        answers = [await known.portal.ask(known.portal.members.GetMember, one.read()) for one in (member, known.member)]

        assert _codes(answers) == [BROKEN, "OK"]
        assert answers[0].message is None


async def test_a_token_given_to_another_member_does_not_open(breakable: Stack, figures: Figures) -> None:
    """Whoever writes another subject into a row gains nothing: the value is bound to the salt of whose it was."""
    async with Known(breakable) as known:
        held = list(known.tokens)
        victim = held[0]
        thief = next(one for one in held if one.member_id != victim.member_id)
        await query(
            breakable, "payment_vault", "UPDATE token SET member_id = $2::text::uuid WHERE token = $1",
            known.tokens[victim], thief.member_id,
        )  # fmt: skip
        stolen = Registration(thief.member_id, victim.number, victim.payer)
        known.tokens[stolen] = known.tokens.pop(victim)
        answers = [*await _reveal(known, [stolen, thief]), *await _masked(known, [stolen, thief])]
        figures(f"token written to another member: {_codes(answers)}")

        assert _codes(answers) == [BROKEN, "OK", BROKEN, "OK"]


async def test_a_salt_that_does_not_open_is_no_destroyed_member(breakable: Stack, figures: Figures) -> None:
    """A card for a member whose salt is broken answers SEAL_BROKEN, not that the member is gone; its neighbour is stored."""
    async with Known(breakable) as known:
        ones = known.fresh(2, members=2)
        await query(
            breakable, "payment_vault",
            "INSERT INTO erasure_key (unit, wrapped_salt) SELECT $1, sealed FROM token LIMIT 1",
            f"member:{ones[0].member_id}",
        )  # fmt: skip
        answers = await asyncio.gather(
            *(known.billing.ask(known.billing.tokens.Tokenize, one.request()) for one in ones)
        )
        await query(
            breakable, "payment_vault", "DELETE FROM erasure_key WHERE unit = $1", f"member:{ones[0].member_id}"
        )
        figures(f"salt of a member broken: {_codes(answers)}")
        assert _codes(answers) == [BROKEN, "OK"]

"""ExplainRetention over its holders: all are asked, at once and to the last page, or there is no answer."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from onggi.purge.v1.purge_service_pb2 import Kept, ListKeptRequest
from onggi.retention.v1 import retention_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import errors
from chassis.kept import Part, list_kept
from chassis.kst import KST
from dev.stack import Stack
from services.retention.holders import reason_of
from tests.integration import retention_rig
from tests.integration.retention_rig import WHY, Rig, rig, three_holders

pytestmark = pytest.mark.timeout(60)
stack = retention_rig.stack

MEMBER = "5d0d8a1b-3c1f-4a53-9c3b-0b3f4e9e2c3d"


def payment(day: str = "2026-05-10", category: str = "R-09b") -> Kept:
    """A payment as a holder tells it."""
    return Kept(kind="payment", record_id=str(uuid4()), category=category, event_date=day, policy_version="1")


def asked(running: Rig) -> dict[str, list[Any]]:
    """The ListKept requests that each holder has got."""
    holders = {"identity": running.identity, "payment_vault": running.vault, "archive": running.archive}
    return {
        name: [request for called, request, _ in holder.calls if called == "ListKept"]
        for name, holder in holders.items()
    }


async def test_what_all_holders_keep_is_one_list_in_the_order_of_its_ends(stack: Stack) -> None:
    """Live data, the archive and the vault are told together, the first to end first (DS-01, LC-07)."""
    async with rig(stack, three_holders()) as running:
        running.identity.kept = [Kept(kind="member", record_id=MEMBER, category="R-01", policy_version="1")]
        running.vault.kept = [Kept(kind="token", category="R-03", items=["card_expiry", "card_number"])]
        running.archive.kept = [payment(category="R-10"), payment()]
        kept = await running.explain(member_id=MEMBER)

        told = [(item.holder, item.category, item.last_day) for item in kept]
        assert [
            ("archive", "R-09b", "2031-05-10"), ("archive", "R-10", "2032-03-31"), ("identity", "R-01", ""),
            ("payment_vault", "R-03", ""),
        ] == told  # fmt: skip
        assert ["card_expiry", "card_number"] == list(kept[-1].items)
        assert {("destruction", MEMBER)} == {
            (each.access.purpose, each.member_id) for requests in asked(running).values() for each in requests
        }


async def test_a_record_is_asked_for_by_its_own_id(stack: Stack) -> None:
    """One record, also of somebody who has left, at each holder that could have it."""
    async with rig(stack, three_holders()) as running:
        running.archive.kept = [payment()]
        record_id = running.archive.kept[0].record_id
        [item] = await running.explain(record_id=record_id)

        assert (record_id, "R-09b") == (item.record_id, item.category)
        assert {("", record_id)} == {
            (each.member_id, each.record_id) for requests in asked(running).values() for each in requests
        }


async def test_every_page_is_read(stack: Stack) -> None:
    """A holder answers page by page; the explanation has them all."""
    async with rig(stack, three_holders(page=10)) as running:
        running.archive.kept = [payment() for _ in range(23)]
        kept = await running.explain(member_id=MEMBER)

        assert {each.record_id for each in running.archive.kept} == {item.record_id for item in kept}
        assert ["", "10", "20"] == [request.page_token for request in asked(running)["archive"]]


async def test_a_holder_that_does_not_answer_makes_no_answer(stack: Stack) -> None:
    """A part would read as the whole: the caller is told that a holder is missing, whichever it is."""
    async with rig(stack, three_holders()) as running:
        running.identity.kept = [payment()]
        for holder in (running.archive, running.vault, running.identity):
            holder.down = True
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await running.explain(member_id=MEMBER)
            assert "HOLDER_UNAVAILABLE" == reason_of(caught.value)
            holder.down = False
        assert 1 == len(await running.explain(member_id=MEMBER))


async def test_the_holders_are_asked_at_the_same_time_and_the_archive_after_them(stack: Stack) -> None:
    """Each waits until both have been asked, and none waits in vain; what moves, moves into the archive."""
    async with rig(stack, three_holders()) as running:
        met = asyncio.Barrier(2)
        for holder in (running.identity, running.vault):
            holder.before_kept = met.wait
        assert [] == await asyncio.wait_for(running.explain(member_id=MEMBER), 10)
        running.vault.down = True
        with pytest.raises(grpc.aio.AioRpcError):
            await running.explain(member_id=MEMBER)
        assert (2, 1) == (len(asked(running)["identity"]), len(asked(running)["archive"]))


async def test_an_explanation_is_an_access_to_the_subject(stack: Stack) -> None:
    """It stands in the processing log, with whom it was about, and the holders are asked under its trace (LG-01)."""
    async with rig(stack, three_holders()) as running:
        await running.explain(member_id=MEMBER)
        async with running.process.auditor.connect() as connection:
            row = (await connection.execute(retention_rig.NEWEST_EXPLANATION)).one()

        assert ("READ", "OK", "destruction", "HUMAN") == (row.action, row.status, row.purpose, row.actor_type)
        assert [MEMBER] == [str(subject) for subject in row.subject_ids]
        for holder in (running.identity, running.vault, running.archive):
            [metadata] = [data for called, _, data in holder.calls if called == "ListKept"]
            assert f"00-{row.trace_id}-{row.span_id}-01" == metadata["traceparent"]


@pytest.mark.parametrize("caller", ["marketing", "portal", "stranger"])
async def test_nobody_else_is_told(stack: Stack, caller: str) -> None:
    """What is kept of whom is itself told to those alone whom the policy names (AC-01)."""
    async with rig(stack, three_holders()) as running:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.explain(caller, member_id=MEMBER)
        assert "ACCESS_DENIED" == reason_of(caught.value)
        assert [] == running.identity.calls


async def test_neither_subject_nor_record_is_a_wrong_request(stack: Stack) -> None:
    """The request names one of both."""
    async with rig(stack, three_holders()) as running:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.stub().ExplainRetention(api.ExplainRetentionRequest(access=WHY))
        assert "INVALID_FIELD" == reason_of(caught.value)


async def pages(
    running: Rig, size: int, *, token: str = "", caller: str = retention_rig.OFFICER, **of: str
) -> AsyncIterator[api.ExplainRetentionResponse]:
    """The pages of an explanation, from a token on."""
    stub, more = running.stub(caller), True
    while more:
        request = api.ExplainRetentionRequest(access=WHY, page_size=size, page_token=token, **of)
        answer: api.ExplainRetentionResponse = await stub.ExplainRetention(request)
        yield answer
        token = answer.next_page_token
        more = bool(token)


async def test_more_than_one_message_takes_is_told_page_by_page(stack: Stack) -> None:
    """Fifteen thousand bases, over two holders: all of them, none twice, in the order of their ends (법 제35조)."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(300)]
    async with rig(stack, three_holders()) as running:
        running.identity.kept = [Kept(kind="member", record_id=MEMBER, category="R-01", policy_version="1")]
        running.archive.kept = [payment(str(day)) for day in days for _ in range(50)]
        told = [page async for page in pages(running, 1000, member_id=MEMBER)]

    assert [*[1000] * 15, 1] == [len(page.kept) for page in told]
    items = [item for page in told for item in page.kept]
    assert {each.record_id for each in running.archive.kept} | {MEMBER} == {item.record_id for item in items}
    assert len(items) == 15_001
    assert [item.last_day or "~" for item in items] == sorted(item.last_day or "~" for item in items)


async def test_what_moves_between_two_pages_is_neither_missed_nor_told_twice(stack: Stack) -> None:
    """Of one day's bases half are told by identity; before the next page all of them have come to the archive (LC-07)."""
    async with rig(stack, three_holders()) as running:
        running.identity.kept = [payment() for _ in range(40)]
        of_all = {each.record_id for each in running.identity.kept}
        seen: list[tuple[str, str]] = []
        async for page in pages(running, 15, member_id=MEMBER):
            seen += [(item.record_id, item.holder) for item in page.kept]
            running.archive.kept, running.identity.kept = running.archive.kept or running.identity.kept, []

    assert {"identity", "archive"} == {holder for _, holder in seen}
    assert sorted(of_all) == [record_id for record_id, _ in seen]


async def test_all_pages_are_of_the_day_of_the_first(stack: Stack) -> None:
    """Asked for after midnight, the next page says of the same day what has ended; a day later it is asked for anew."""
    async with rig(stack, three_holders()) as running:
        running.archive.kept = [payment("2021-05-10") for _ in range(3)]
        running.now = datetime(2026, 5, 10, 23, 59, tzinfo=KST)
        first = await anext(pages(running, 1, member_id=MEMBER))
        running.now = datetime(2026, 5, 11, 0, 1, tzinfo=KST)
        [second, third] = [page async for page in pages(running, 1, token=first.next_page_token, member_id=MEMBER)]
        assert [False] * 3 == [page.kept[0].ended for page in (first, second, third)]
        assert [True] * 3 == [item.ended for item in await running.explain(member_id=MEMBER)]
        running.now = datetime(2026, 5, 12, 0, 1, tzinfo=KST)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(pages(running, 1, token=first.next_page_token, member_id=MEMBER))
        assert "PAGE_TOKEN_INVALID" == reason_of(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        "another member",
        "a record",
        "another caller",
        "another place",
        "another day",
        "another letter",
        "unsigned",
        "junk",
    ],
)
async def test_a_page_token_is_for_whom_it_was_given_to(stack: Stack, change: str) -> None:
    """Used for anything or anybody else, or with anything changed, it is no page token (AC-10)."""
    async with rig(stack, three_holders()) as running:
        running.archive.kept = [payment() for _ in range(3)]
        token = (await anext(pages(running, 1, member_id=MEMBER))).next_page_token
        assert len(token) <= 512
        assert (await anext(pages(running, 1, token=token, member_id=MEMBER))).kept
        key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        other = next(kept.record_id for kept in running.archive.kept if kept.record_id != key[4])
        changed = {
            "another place": [*key[:4], other, *key[5:]],
            "another day": ["2020-01-01", *key[1:]],
            "another letter": [*key[:-1], key[-1][:-5] + ("A" if key[-1][-5] != "A" else "B") + key[-1][-4:]],
            "unsigned": key[:-1],
            "junk": ["4111"],
        }
        if change in changed:
            token = base64.urlsafe_b64encode(json.dumps(changed[change]).encode()).decode().rstrip("=")
        of = {"another member": {"member_id": str(uuid4())}, "a record": {"record_id": MEMBER}}
        caller = retention_rig.OPERATOR if change == "another caller" else retention_rig.OFFICER
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(pages(running, 1, token=token, caller=caller, **of.get(change, {"member_id": MEMBER})))
        assert "PAGE_TOKEN_INVALID" == reason_of(caught.value)


class ManyRecords:
    """A keeper of a member with more than two pages of records; nothing of them is in a database."""

    def __init__(self, number: int) -> None:
        self.all = [payment() for _ in range(number)]

    async def kept(
        self, connection: AsyncConnection, member_id: str | None, record_id: str | None, part: Part | None = None
    ) -> list[Kept]:
        """All of them."""
        return self.all


async def test_a_holder_tells_a_thousand_a_page_and_each_once(stack: Stack) -> None:
    """Page after page every basis comes once, in one order; a junk token is refused."""
    async with rig(stack, three_holders()) as running:
        keeper, told, token = ManyRecords(2001), list[str](), ""
        for size in (1000, 1000, 1):
            request = ListKeptRequest(member_id=MEMBER, page_token=token)
            page = await list_kept(running.process.engine, keeper, request)
            assert size == len(page.kept)
            told += [item.record_id for item in page.kept]
            token = page.next_page_token
        assert not token
        assert sorted(item.record_id for item in keeper.all) == told
        with pytest.raises(errors.PageTokenInvalid):
            await list_kept(running.process.engine, keeper, ListKeptRequest(member_id=MEMBER, page_token="junk"))

"""What holders tell of legal holds (LC-13, 법35): beside the bases of each thing, the hold that keeps it, page by page."""

import pytest
from onggi.purge.v1 import purge_service_pb2 as purge

from chassis import kept
from chassis.database import connect
from chassis.policy.load import load
from dev.stack import Stack
from services.identity.kept import KeptRecords
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.holding import Hold
from tests.integration.memberships import append, before, payment, today
from tests.integration.purges import PURGE
from tests.integration.test_archive_movers import settings_of

pytestmark = pytest.mark.timeout(120)


async def listed(clients: Clients, holder: str, **of: str) -> list[purge.Kept]:
    """ListKept, all pages."""
    found: list[purge.Kept] = []
    token = ""
    while True:
        request = purge.ListKeptRequest(access=examples.access("destruction", reason="a test"), page_token=token, **of)
        page = (await clients.call("retention", f"{PURGE}/ListKept", request, service=holder)).message
        found += page.kept
        token = page.next_page_token
        if not token:
            return found


async def test_each_held_thing_has_its_hold_beside_its_bases(clients: Clients) -> None:
    """LC-13: the member, a contact, a record with all its items, a kind of log-like days, the tokens; one entry a hold."""
    member_id = (await examples.new_member(clients)).member_id
    contact_id = (await examples.new_contact(clients, member_id)).contact_id
    await examples.new_token(clients, member_id)
    paid, _ = await append(clients, payment(member_id, before(1)), examples.login(member_id))
    whole, one = Hold.of(clients, member_id=member_id), Hold.of(clients, record_id=paid)
    for hold in (whole, one):
        await hold.set()

    here = [entry for entry in await listed(clients, "identity", member_id=member_id) if entry.hold_id]
    vault = [entry for entry in await listed(clients, "payment_vault", member_id=member_id) if entry.hold_id]
    asked = await listed(clients, "identity", record_id=paid)

    assert sorted((entry.kind, entry.record_id, entry.hold_id) for entry in here) == sorted([
        ("member", member_id, whole.hold_id), ("contact", contact_id, whole.hold_id), ("login", "", whole.hold_id),
        ("payment", paid, whole.hold_id), ("payment", paid, one.hold_id),
    ])  # fmt: skip
    assert [(entry.kind, entry.record_id, entry.hold_id) for entry in vault] == [("token", "", whole.hold_id)]
    assert {(entry.category, entry.event_date, entry.ended_on) for entry in (*here, *vault)} == {("", str(today()), "")}
    assert all(entry.items for entry in (*here, *vault))
    bases = {item for entry in asked if not entry.hold_id for item in entry.items}
    held = [entry for entry in asked if entry.hold_id]
    assert {entry.hold_id for entry in held} == {whole.hold_id, one.hold_id}
    assert all(set(entry.items) == bases and entry.member_id == member_id for entry in held)
    for hold in (whole, one):
        await hold.release()
    assert not [entry for entry in await listed(clients, "identity", member_id=member_id) if entry.hold_id]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_no_hold_is_lost_between_pages(
    stack: Stack, clients: Clients, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """LC-13: however small the pages, all entries come, each once; two holds of one day on one record are two entries."""
    member_id = (await examples.new_member(clients)).member_id
    ids = await append(clients, *(payment(member_id, before(2)) for _ in range(3)))
    holds = [Hold.of(clients, record_id=ids[1]) for _ in range(2)] + [Hold.of(clients, member_id=member_id)]
    for hold in holds:
        await hold.set("identity")
    everything = await listed(clients, "identity", member_id=member_id)
    assert len([entry for entry in everything if entry.hold_id]) == 2 + 3 + 1

    settings = settings_of(stack)
    keeper, engine = KeptRecords(load(settings.policy_directory)), connect(settings.database)
    monkeypatch.setattr(kept, "PAGE", size)
    request, more = purge.ListKeptRequest(member_id=member_id), True
    told: list[purge.Kept] = []
    while more:
        page = await kept.list_kept(engine, keeper, request)
        assert len(page.kept) <= size, "a page"
        told += page.kept
        request.page_token, more = page.next_page_token, bool(page.next_page_token)
    await engine.dispose()

    assert [bare(entry) for entry in told] == [bare(entry) for entry in everything]
    for hold in holds:
        await hold.release("identity")


def bare(entry: purge.Kept) -> bytes:
    """An entry, to be compared."""
    return entry.SerializeToString(deterministic=True)

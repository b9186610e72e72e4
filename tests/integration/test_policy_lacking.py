"""A category that is not in the policy any more, with rows under it: refused at the start, told and kept while serving.

While the services run, such rows come as a replica that still has the policy before adds them during a roll-out.
"""

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import grpc
import pytest
from onggi.identity.v1.record_service_pb2 import Standing

from dev.processes import Process, ProcessFailed
from dev.readiness import serving
from dev.stack import Stack
from tests.integration import archives, examples, policy_lacking, record_examples, retention_days
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import get, give, purge, withdraw
from tests.integration.policy_lacking import ADDED
from tests.integration.purges import change, destroyed, fields_of, move_event

pytestmark = pytest.mark.timeout(180)
log = retention_days.log

_STAND = "INSERT INTO record_basis (record_id, category) VALUES ($1, $2)"
_ROWS = "SELECT count(*) FROM record_basis WHERE category = $1"
_PLANNED = """
WITH part AS (UPDATE plan_part SET category = $2 WHERE plan_id = $1)
UPDATE plan SET state = $3 WHERE plan_id = $1
"""
_FALL = "DELETE FROM record_basis WHERE category = $1"


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy that the services of this stack read at their start."""
    return policy_lacking.copied(tmp_path_factory.mktemp("p"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, policy: Path) -> Iterator[Stack]:
    """A stack of its own, on a policy that a test may change."""
    running = Stack(tmp_path_factory.mktemp("s"), policy=policy)
    try:
        running.start()
        yield running
    finally:
        running.erase()


async def member(clients: Clients) -> str:
    """A member who has consented to records of misuse."""
    member_id: str = (await examples.new_member(clients)).member_id
    assert (await give(clients, member_id, "misuse_retention")).code is grpc.StatusCode.OK
    return member_id


async def stray(clients: Clients, log: Log) -> tuple[str, str]:
    """A member, and a record of its misuse that stands under what the policy does not name, besides R-04."""
    member_id = await member(clients)
    record_id = await record_examples.add(clients, record_examples.record("misuse", member_id))
    await change(log, _STAND, UUID(record_id), ADDED)
    return member_id, record_id


async def test_a_withdrawal_that_cannot_say_until_when_is_refused_and_undone(clients: Clients, log: Log) -> None:
    """The answer would be kept without article and end: the caller learns what is wrong, and the member has not left."""
    member_id, _ = await stray(clients, log)
    refused = await withdraw(clients, member_id)
    there = await get(clients, member_id)
    await change(log, _FALL, ADDED)

    assert (grpc.StatusCode.FAILED_PRECONDITION, "POLICY_INCOMPLETE") == (refused.code, refused.reason)
    assert there.code is grpc.StatusCode.OK
    assert (await withdraw(clients, member_id)).message.withdrawn_on


async def test_what_only_an_unnamed_category_may_still_keep_is_not_destroyed(clients: Clients, log: Log) -> None:
    """R-04 ends, and with it nothing of the record: nobody can say what else is kept, so all of it is."""
    _, record_id = await stray(clients, log)
    day = date(2001, 3, 4)
    await move_event(log, record_id, day, "R-04")
    gone = await destroyed(clients, "R-04", day)
    fields = await fields_of(log, record_id)
    await change(log, _FALL, ADDED)

    assert gone == {"record_basis": 1}
    assert fields == {"description", "ip_address"}


def refused(stack: Stack, service: str) -> str:
    """Stop a service and start it again, which must fail; what it has written then."""
    process = stack.services[service]
    process.stop()
    before = process.log_file.stat().st_size
    with pytest.raises(ProcessFailed, match="exit status 1"):
        process.start()
    return process.log_file.read_bytes()[before:].decode()


async def test_no_service_starts_without_a_category_that_rows_stand_under(
    stack: Stack, policy: Path, clients: Clients, log: Log
) -> None:
    """A row of the schedule is added, used, and taken out: identity names it, with the number of rows, and serves nothing."""
    policy_lacking.add(policy)
    stack.services["identity"].restart()
    member_id = await member(clients)
    given = [record_examples.record("misuse", member_id, Standing(category=ADDED)) for _ in range(3)]
    record_ids = [await record_examples.add(clients, each) for each in given]
    policy_lacking.take_out(policy)
    said = refused(stack, "identity")
    [[rows]] = await log.fetch("identity", _ROWS, ADDED)

    assert rows >= 3
    assert f"categories.{ADDED}: is missing: rows of record_basis there stand under it, {rows} in number" in said
    assert '"event": "serving"' not in said
    assert member_id not in said
    assert not any(record_id in said for record_id in record_ids)
    policy_lacking.add(policy)
    stack.services["identity"].start()
    assert ADDED in {item.category for item in (await withdraw(clients, member_id)).message.kept}


async def test_the_archive_does_not_start_without_it_either(
    stack: Stack, policy: Path, clients: Clients, log: Log
) -> None:
    """What has moved when its member left is counted where it is."""
    policy_lacking.add(policy)
    for service in ("identity", "archive"):
        stack.services[service].restart()
    member_id = await member(clients)
    record_id = await record_examples.add(
        clients, record_examples.record("misuse", member_id, Standing(category=ADDED))
    )
    await archives.leave(clients, log, member_id, [record_id])
    policy_lacking.take_out(policy)
    said = refused(stack, "archive")

    assert f"categories.{ADDED}: is missing: rows of record_basis there stand under it" in said
    policy_lacking.add(policy)
    stack.services["archive"].start()


async def test_nor_with_one_that_it_is_no_holder_of_any_more(
    stack: Stack, policy: Path, clients: Clients, log: Log
) -> None:
    """R-23 becomes a gap: no plan would ask identity for what stands under it there."""
    record_id = await record_examples.add(
        clients, record_examples.record("misuse", await member(clients), Standing(category="R-23"))
    )
    policy_lacking.make_a_gap(policy)
    await change(log, _FALL, ADDED)
    said = refused(stack, "identity")
    policy_lacking.take_out(policy)
    stack.services["identity"].start()
    [[rows]] = await log.fetch("identity", _ROWS, "R-23")

    assert (
        f"categories.R-23.holders: lacks identity: rows of record_basis there stand under it, {rows} in number" in said
    )
    assert await fields_of(log, record_id) == {"description", "ip_address"}


async def test_retention_does_not_start_without_what_its_next_certificate_has_to_state(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """A plan has destroyed under the category and waits for its certificate, which names article and edition."""
    plan_id = UUID((await purge(clients, "R-21")).plan_id)
    stack.services["retention"].stop()
    await change(log, _PLANNED, plan_id, ADDED, "VERIFIED", database="retention")
    said = refused(stack, "retention")
    await change(log, _PLANNED, plan_id, ADDED, "CERTIFIED", database="retention")
    stack.services["retention"].start()

    assert f"categories.{ADDED}: is missing: rows of plan_part there stand under it, 1 in number" in said


async def test_with_a_database_that_is_away_it_waits_and_then_looks(
    stack: Stack, policy: Path, clients: Clients, log: Log
) -> None:
    """Nobody knows yet what stands there: the process is up and not ready, and stays so where the policy lacks something."""
    policy_lacking.take_out(policy)
    await stray(clients, log)
    await log.close()
    identity, health = stack.services["identity"], stack.ports.address("identity_health")
    identity.stop()
    before = identity.log_file.stat().st_size
    stack.postgres.stop()
    try:
        identity.launch()
        await _said(identity, before, "not ready")
    finally:
        stack.postgres.start()
    await _said(identity, before, "the policy lacks a category that rows stand under")
    await _said(identity, before, "serving")
    assert identity.running
    assert not await asyncio.to_thread(serving, health)

    identity.stop()
    policy_lacking.add(policy)
    identity.start()
    again = Log(stack)
    await change(again, _FALL, ADDED)
    await again.close()


async def _said(process: Process, since: int, event: str) -> None:
    """Wait until a process has written an event."""
    deadline = asyncio.get_running_loop().time() + 60
    while f'"event": "{event}"' not in process.log_file.read_bytes()[since:].decode():
        assert process.running, process.last_lines()
        assert asyncio.get_running_loop().time() < deadline, process.last_lines()
        await asyncio.sleep(0.1)

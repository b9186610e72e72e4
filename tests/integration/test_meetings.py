"""Who meets whom: calls that want the same rows at the same moment, and one of them has a hand on them already.

A session of the test does by hand what another replica, or a process that was killed, has half done.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import grpc
import pytest
from onggi.identity.v1 import contact_service_pb2 as contacts

from chassis.database import connect
from chassis.job import job_entry
from chassis.ledger import append_within
from dev.stack import Stack
from services.identity import consents
from tests.integration import examples
from tests.integration.archives import bases
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, end, give, inquiry, listed, today, withdraw
from tests.integration.test_archive_movers import settings_of
from tests.integration.test_archive_rights import DEPOSITOR, deposit_of
from tests.integration.test_ledger_guards import _row as log_row

pytestmark = pytest.mark.timeout(120)

T = TypeVar("T")


async def waiting(log: Log, database: str, call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin a call and return it once a statement of it waits for a lock, or once it has ended."""
    task = asyncio.create_task(call)
    deadline = asyncio.get_running_loop().time() + 4
    statement = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    while not task.done() and not await log.fetch(database, statement):
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.02)
    return task


async def test_a_withdrawn_consent_ends_in_a_deposit_that_is_not_yet_there(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """R-05, LC-12: a mover was cut off while it committed; the consent's end waits for what it has put in, and ends it."""
    member_id, record_id = (await examples.new_member(clients)).member_id, examples.new_id()
    assert (await give(clients, member_id, "inquiry_retention")).code is grpc.StatusCode.OK
    assert (await withdraw(clients, member_id)).code is grpc.StatusCode.OK
    batch = deposit_of(record_id, member_id, body="x").replace("R-10", "R-05").replace("payment", "inquiry")

    async with session(stack.postgres.login("archive", DEPOSITOR)) as mover:
        commit = mover.transaction()
        await commit.start()
        await mover.execute(log_row())
        [row] = await mover.fetch("SELECT outcome FROM deposit_records($1::jsonb)", batch)
        assert row["outcome"] == "NEW"
        ending = await waiting(log, "archive", end(clients, member_id, "inquiry_retention"))
        await commit.commit()

    assert (await ending).code is grpc.StatusCode.OK
    assert await bases(log, "archive", record_id) == [("R-05", date(2026, 1, 1), today())]


async def test_a_contact_is_removed_while_its_member_is_destroyed(stack: Stack, clients: Clients, log: Log) -> None:
    """R-01: both take the contact before its salt, so that neither waits for the other (no deadlock)."""
    member_id = (await examples.new_member(clients)).member_id
    contact_id = (await examples.new_contact(clients, member_id)).contact_id
    request = contacts.RemoveContactRequest(
        access=examples.access(), request_id=examples.new_id(), contact_id=contact_id
    )  # fmt: skip

    async with session(stack.postgres.login("identity", "postgres")) as purge:
        destruction = purge.transaction()
        await destruction.start()
        await purge.execute("SET LOCAL session_replication_role = replica")
        await purge.fetch("SELECT 1 FROM contact WHERE contact_id = $1 FOR UPDATE", UUID(contact_id))
        rpc = "onggi.identity.v1.ContactService/RemoveContact"
        removing: asyncio.Task[Outcome] = await waiting(log, "identity", clients.call("portal", rpc, request))
        try:
            await purge.execute("UPDATE erasure_key SET created_at = now() WHERE unit = $1", f"contact:{contact_id}")
        except asyncpg.DeadlockDetectedError:
            pytest.fail("deadlock")
        await destruction.rollback()

    assert (await removing).code is grpc.StatusCode.OK


@pytest.mark.parametrize("meets", ["WithdrawConsent", "AppendRecords"])
async def test_a_consent_that_is_just_renewed_is_found(stack: Stack, clients: Clients, log: Log, meets: str) -> None:
    """법37, R-05: while a new consent succeeds the old one there is a consent: it can be withdrawn, and stood upon."""
    member_id = (await examples.new_member(clients)).member_id
    first = (await give(clients, member_id, "inquiry_retention")).message.consent
    renewed, on = examples.new_id(), today()
    values = {
        "consent_id": renewed, "member_id": member_id, "name": "inquiry_retention", "policy_version": "1",
        "channel": "WEB", "on": on, "outdated": [first.policy_version],
    }  # fmt: skip
    calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "WithdrawConsent": lambda: end(clients, member_id, "inquiry_retention"),
        "AppendRecords": lambda: append(clients, inquiry(member_id, on)),
    }

    engine = connect(settings_of(stack).database)
    async with engine.begin() as connection:
        await append_within(connection, [job_entry("spiffe://onggi/ns/onggi/sa/identity", "1", "test", "CREATE", [])])
        await consents.renew(connection, values)
        meeting = await waiting(log, "identity", calls[meets]())
    await engine.dispose()

    await meeting  # a record that is refused fails in `append`
    living = [
        one.consent_id for one in (await listed(clients, member_id)).message.consents if not one.withdrawn_at.seconds
    ]
    assert living == ([] if meets == "WithdrawConsent" else [renewed])

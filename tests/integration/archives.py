"""What the tests of the archive share: members that leave with records, the wait for the move, reads, both databases."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from onggi.access.v1.access_context_pb2 import VIEW_FULL
from onggi.identity.v1 import archive_service_pb2 as api

from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.memberships import withdraw

SERVICE = "onggi.identity.v1.ArchiveService"
OFFICER = "privacy-officer"
_RECORD = "SELECT record_id FROM record WHERE record_id = ANY($1::uuid[])"
_FIELDS = "SELECT field FROM record_field WHERE record_id = $1 ORDER BY field"
_BASES = "SELECT category, event_date, ended_on FROM record_basis WHERE record_id = $1 ORDER BY category"
_SALTS = (
    "SELECT unit FROM erasure_key WHERE unit LIKE 'record:' || $1 || ':%' AND wrapped_salt IS NOT NULL ORDER BY unit"
)


async def get(
    clients: Clients, record_id: str, purpose: str, *, caller: str = OFFICER, view: int = VIEW_FULL
) -> Outcome:  # fmt: skip
    """GetArchived."""
    request = api.GetArchivedRequest(access=examples.access(purpose, reason="a test"), record_id=record_id, view=view)  # type: ignore[arg-type]
    return await clients.call(caller, f"{SERVICE}/GetArchived", request)


async def list_page(
    clients: Clients, member_id: str, purpose: str, *, size: int = 0, token: str = "", caller: str = OFFICER
) -> Outcome:
    """ListArchived in full, one page."""
    request = api.ListArchivedRequest(
        access=examples.access(purpose, reason="a test"), member_id=member_id, view=VIEW_FULL, page_size=size,
        page_token=token,
    )  # fmt: skip
    return await clients.call(caller, f"{SERVICE}/ListArchived", request)


async def list_all(clients: Clients, member_id: str, purpose: str) -> list[Any]:
    """All that a purpose opens of a former member, page by page."""
    found: list[Any] = []
    token, more = "", True
    while more:
        page = (await list_page(clients, member_id, purpose, size=7, token=token)).message
        found += page.records
        token = page.next_page_token
        more = bool(token)
    return found


async def places(log: Log, record_ids: Sequence[str]) -> tuple[set[str], set[str]]:
    """Which of the records are in identity, and which in the archive."""
    ids = [UUID(record_id) for record_id in record_ids]
    here, there = [{str(row[0]) for row in await log.fetch(name, _RECORD, ids)} for name in ("identity", "archive")]
    return here, there


async def moved(log: Log, record_ids: Sequence[str], *, seconds: float = 20.0) -> None:
    """Wait until the records are in the archive and nowhere else; fails when they are not in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while await places(log, record_ids) != (set(), set(record_ids)):
        assert asyncio.get_running_loop().time() < deadline, await places(log, record_ids)
        await asyncio.sleep(0.05)


async def leave(clients: Clients, log: Log, member_id: str, record_ids: Sequence[str]) -> None:
    """Withdraw a member and wait until the records have moved."""
    assert (await withdraw(clients, member_id)).message.withdrawn_on
    await moved(log, record_ids)


async def fields(log: Log, database: str, record_id: str) -> list[str]:
    """The names of a record's fields that are stored."""
    return [row["field"] for row in await log.fetch(database, _FIELDS, UUID(record_id))]


async def bases(log: Log, database: str, record_id: str) -> list[tuple[Any, ...]]:
    """The bases of a record: category, event date, ended on."""
    return [tuple(row) for row in await log.fetch(database, _BASES, UUID(record_id))]


async def salts(log: Log, database: str, record_id: str) -> list[str]:
    """The fields of a record that have a salt."""
    return [row["unit"].rpartition(":")[2] for row in await log.fetch(database, _SALTS, record_id)]

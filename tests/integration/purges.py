"""A purge by hand, as the retention service calls it: the set fixed, destroyed, looked for; and dates moved by a superuser.

Dates are moved into years that no other test uses, so that a purge up to them takes what its own test has made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from onggi.purge.v1 import purge_service_pb2 as purge

from chassis.cutoffs import messages
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log

PURGE = "onggi.purge.v1.PurgeService"
WHY = examples.access("destruction", reason="a test")


@dataclass
class Plan:
    """One category of one plan at one holder."""

    clients: Clients
    category: str
    through: date
    holder: str = "identity"
    plan_id: str = ""
    digest: str = ""
    limit: int = 1000
    cutoffs: Mapping[str, date] = field(default_factory=dict)

    async def prepare(self) -> Any:
        """PreparePurge."""
        self.plan_id = self.plan_id or examples.new_id()
        answer = (await self._call("PreparePurge", purge.PreparePurgeRequest(
            access=WHY, plan_id=self.plan_id, epoch=1, category=self.category, through=self.through.isoformat(),
            cutoffs=messages(self.cutoffs),
        ))).message  # fmt: skip
        self.digest = answer.digest
        return answer

    async def execute(self) -> Any:
        """ExecutePurge, once."""
        return (await self._call("ExecutePurge", purge.ExecutePurgeRequest(
            access=WHY, plan_id=self.plan_id, epoch=1, category=self.category, limit=self.limit, digest=self.digest,
        ))).message  # fmt: skip

    async def verify(self) -> Any:
        """VerifyPurge."""
        request = purge.VerifyPurgeRequest(access=WHY, plan_id=self.plan_id, epoch=1, category=self.category)
        return (await self._call("VerifyPurge", request)).message

    async def _call(self, name: str, request: Any) -> Outcome:
        return await self.clients.call("retention", f"{PURGE}/{name}", request, service=self.holder)


async def destroyed(clients: Clients, category: str, through: date, holder: str = "identity") -> dict[str, int]:
    """Prepare, execute to the end, verify; the rows destroyed, by table. Fails where the verification does."""
    plan = Plan(clients, category, through, holder)
    await plan.prepare()
    while (answer := await plan.execute()).remaining:
        pass
    checks = (await plan.verify()).checks
    assert checks
    assert [check for check in checks if not check.passed] == []
    return rows(answer.destroyed)


def rows(counts: Any) -> dict[str, int]:
    """Rows by table, without the tables that have none."""
    return {item.table: item.rows for item in counts if item.rows}


async def change(log: Log, statement: str, *values: object, database: str = "identity") -> None:
    """Change rows as superuser, without the guard that wants a log row."""
    await log.fetch(database, "SET session_replication_role = replica")
    try:
        await log.fetch(database, statement, *values)
    finally:
        await log.fetch(database, "SET session_replication_role = DEFAULT")


async def move_event(log: Log, record_id: str, day: date, category: str = "") -> None:
    """Move the start events of a record that have come, or that of one category."""
    statement = """
    UPDATE record_basis SET event_date = $2 WHERE record_id = $1 AND (category = $3 OR $3 = '' AND event_date IS NOT NULL)
    """
    await change(log, statement, UUID(record_id), day, category)


async def fields_of(log: Log, record_id: str) -> set[str]:
    """The fields of a record that are there and whose salts live."""
    found = await log.fetch("identity", """
        SELECT f.field FROM record_field AS f
        JOIN erasure_key AS k ON k.unit = 'record:' || f.record_id || ':' || f.field
        WHERE f.record_id = $1 AND k.wrapped_salt IS NOT NULL
        """, UUID(record_id))  # fmt: skip
    return {row["field"] for row in found}


async def salts_of(log: Log, record_id: str) -> set[str]:
    """The fields of a record that have a salt, whatever else is left of them."""
    statement = "SELECT unit FROM erasure_key WHERE unit LIKE $1 AND wrapped_salt IS NOT NULL"
    found = await log.fetch("identity", statement, f"record:{record_id}:%")
    return {row["unit"].rpartition(":")[2] for row in found}

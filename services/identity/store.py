"""Tables of the identity service and single queries on them; sequences and rules belong to the modules that call."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

_ADD_SALT = text("INSERT INTO erasure_key (unit, wrapped_salt) VALUES (:unit, :wrapped)")
_DESTROY_SALTS = text("""
UPDATE erasure_key SET wrapped_salt = NULL, destroyed_at = transaction_timestamp()
WHERE unit = ANY(CAST(:units AS text[])) AND wrapped_salt IS NOT NULL
""")
_ADD_MEMBER = text("""
INSERT INTO member (member_id, sealed, sealed_password, email_index, organization_number_index, business_number_index)
VALUES (CAST(:member_id AS uuid), :sealed, :sealed_password, :email, :organization_number, :business_registration_number)
RETURNING member_id, version, registered_at
""")
_MEMBER = text("""
SELECT m.member_id, m.sealed, m.version, m.registered_at, k.wrapped_salt FROM member AS m
JOIN erasure_key AS k ON k.unit = 'member:' || m.member_id
WHERE m.member_id = CAST(:member_id AS uuid) AND m.state = 'ACTIVE'
""")
_UPDATE_MEMBER = text("""
UPDATE member SET sealed = :sealed, sealed_password = coalesce(CAST(:sealed_password AS text), sealed_password),
    email_index = :email, organization_number_index = :organization_number,
    business_number_index = :business_registration_number, version = version + 1
WHERE member_id = CAST(:member_id AS uuid) AND state = 'ACTIVE' AND version = :version RETURNING version
""")
_WITHDRAW = text("""
UPDATE member SET state = 'WITHDRAWN', withdrawn_on = :on, version = version + 1
WHERE member_id = CAST(:member_id AS uuid) AND state = 'ACTIVE' RETURNING member_id
""")
_END_CONSENTS = text("""
UPDATE consent SET withdrawn_at = transaction_timestamp(), withdrawn_on = :on
WHERE member_id = CAST(:member_id AS uuid) AND withdrawn_at IS NULL
""")
_LOCK_RECORDS = text("SELECT 1 FROM record WHERE member_id = CAST(:member_id AS uuid) ORDER BY record_id FOR UPDATE")
_START_BASES = text("""
UPDATE record_basis AS b SET event_date = :on FROM record AS r
WHERE r.record_id = b.record_id AND r.member_id = CAST(:member_id AS uuid) AND b.event_date IS NULL
""")
_LEAVE_RECORDS = text("UPDATE record SET state = 'LEFT' WHERE member_id = CAST(:member_id AS uuid)")
_END_BASES = text("""
UPDATE record_basis AS b SET ended_on = :on FROM record AS r
WHERE r.record_id = b.record_id AND r.member_id = CAST(:member_id AS uuid)
AND b.category = ANY(CAST(:categories AS text[])) AND b.ended_on IS NULL
""")
_LOCK_MEMBER = text("SELECT 1 FROM member WHERE member_id = CAST(:member_id AS uuid) AND state = 'ACTIVE' FOR SHARE")
# Not FOR UPDATE: a foreign key that points here does not mind.
_HOLD_MEMBER = text("""
SELECT state = 'ACTIVE' FROM member WHERE member_id = CAST(:member_id AS uuid) FOR NO KEY UPDATE
""")
_LOCK_CONTACT = text("SELECT member_id FROM contact WHERE contact_id = CAST(:contact_id AS uuid) FOR UPDATE")
_ADD_CONTACT = text("""
INSERT INTO contact (contact_id, member_id, sealed) VALUES (CAST(:contact_id AS uuid), CAST(:member_id AS uuid), :sealed)
RETURNING added_at
""")
_CONTACT = text("""
SELECT c.contact_id, c.member_id, c.sealed, c.version, c.added_at, k.wrapped_salt FROM contact AS c
JOIN member AS m ON m.member_id = c.member_id AND m.state = 'ACTIVE'
JOIN erasure_key AS k ON k.unit = 'contact:' || c.contact_id WHERE c.contact_id = CAST(:contact_id AS uuid)
""")
_UPDATE_CONTACT = text("""
UPDATE contact SET sealed = :sealed, version = version + 1
WHERE contact_id = CAST(:contact_id AS uuid) AND version = :version RETURNING version
""")
_REMOVE_CONTACT = text("DELETE FROM contact WHERE contact_id = CAST(:contact_id AS uuid)")


async def add_salt(connection: AsyncConnection, unit: str, wrapped: str) -> None:
    """Add a unit's salt."""
    await connection.execute(_ADD_SALT, {"unit": unit, "wrapped": wrapped})


async def destroy_salts(connection: AsyncConnection, units: Sequence[str]) -> int:
    """Destroy the salts of the units; return how many there were."""
    return (await connection.execute(_DESTROY_SALTS, {"units": list(units)})).rowcount


async def add_member(connection: AsyncConnection, values: Mapping[str, object]) -> Row[Any]:
    """Add a member. A taken e-mail or number breaks one of the unique indexes ``member_*``."""
    return (await connection.execute(_ADD_MEMBER, values)).one()


async def member(connection: AsyncConnection, member_id: str) -> Row[Any] | None:
    """Return a living member with its wrapped salt."""
    return (await connection.execute(_MEMBER, {"member_id": member_id})).one_or_none()


async def update_member(connection: AsyncConnection, values: Mapping[str, object]) -> int | None:
    """Change a living member of exactly this version; return the new version, or None where there is none such."""
    version: int | None = await connection.scalar(_UPDATE_MEMBER, values)
    return version


async def withdraw(connection: AsyncConnection, member_id: str, on: date) -> bool:
    """End a membership; return whether there was one."""
    return await connection.scalar(_WITHDRAW, {"member_id": member_id, "on": on}) is not None


async def end_consents(connection: AsyncConnection, member_id: str, on: date) -> None:
    """Withdraw all living consents of a member."""
    await connection.execute(_END_CONSENTS, {"member_id": member_id, "on": on})


async def lock_records(connection: AsyncConnection, member_id: str) -> None:
    """Keep the records of a member, living or former, from being moved or changed until the transaction ends."""
    await connection.execute(_LOCK_RECORDS, {"member_id": member_id})


async def leave_records(connection: AsyncConnection, member_id: str, on: date) -> None:
    """Note that the member of the records has left; every start event that was still to come has come with it."""
    await lock_records(connection, member_id)
    await connection.execute(_START_BASES, {"member_id": member_id, "on": on})
    await connection.execute(_LEAVE_RECORDS, {"member_id": member_id})


async def end_bases(connection: AsyncConnection, member_id: str, categories: Sequence[str], on: date) -> None:
    """End the bases under these categories of all records of a member that have not ended yet; lock the records first."""
    await connection.execute(_END_BASES, {"member_id": member_id, "categories": list(categories), "on": on})


async def lock_member(connection: AsyncConnection, member_id: str) -> bool:
    """Keep a living member from being withdrawn until the transaction ends; return whether there is one."""
    return await connection.scalar(_LOCK_MEMBER, {"member_id": member_id}) is not None


async def hold_member(connection: AsyncConnection, member_id: str) -> bool:
    """Have a member, living or former, to oneself until the transaction ends; return whether it lives.

    Whoever gives, renews or withdraws a consent does, before it looks: what another has done meanwhile is seen then.
    """
    return await connection.scalar(_HOLD_MEMBER, {"member_id": member_id}) is True


async def add_contact(connection: AsyncConnection, values: Mapping[str, object]) -> Row[Any]:
    """Add a contact."""
    return (await connection.execute(_ADD_CONTACT, values)).one()


async def contact(connection: AsyncConnection, contact_id: str) -> Row[Any] | None:
    """Return a contact of a living member with its wrapped salt."""
    return (await connection.execute(_CONTACT, {"contact_id": contact_id})).one_or_none()


async def update_contact(connection: AsyncConnection, values: Mapping[str, object]) -> int | None:
    """Change a contact of exactly this version; return the new version, or None where there is none such."""
    version: int | None = await connection.scalar(_UPDATE_CONTACT, values)
    return version


async def lock_contact(connection: AsyncConnection, contact_id: str) -> str | None:
    """Have a contact to oneself; return whose it is, if there is one. A purge takes it before its salt too: no deadlock."""
    member_id = await connection.scalar(_LOCK_CONTACT, {"contact_id": contact_id})
    return None if member_id is None else str(member_id)


async def remove_contact(connection: AsyncConnection, contact_id: str) -> None:
    """Delete a contact's row."""
    await connection.execute(_REMOVE_CONTACT, {"contact_id": contact_id})

"""Who can do what to the archive, held by PostgreSQL and OpenBao whatever a service's code does (법 제21조 제3항)."""

import base64
import json
from typing import Any
from uuid import UUID

import asyncpg
import hvac.exceptions
import pytest

from chassis.erasure_keys import Place, context
from dev.stack import Stack
from tests.integration import examples
from tests.integration.archives import leave
from tests.integration.clients import Clients
from tests.integration.dev_stack.key_access import log_in
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, before, payment
from tests.integration.test_ledger_guards import _row as log_row

pytestmark = pytest.mark.timeout(120)

DEPOSITOR = "archive_depositor"
NO_RIGHT, NO_ROW = "42501", "ON001"
_TABLES = """
SELECT format('%I', c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1
"""
CHANGES = [
    "INSERT INTO record (record_id, member_id, kind, occurred_on, policy_version) VALUES (NULL, NULL, '', NULL, '')",
    "INSERT INTO record_basis (record_id, category) VALUES (gen_random_uuid(), 'R-10')",
    "INSERT INTO record_field (record_id, field, sealed) VALUES (gen_random_uuid(), 'amount', 'x')",
    "INSERT INTO erasure_key (unit, wrapped_salt) VALUES ('x', 'x')",
    "UPDATE record SET state = state",
    "UPDATE record_basis SET event_date = event_date",
    "UPDATE record_field SET sealed = sealed",
    "UPDATE erasure_key SET wrapped_salt = wrapped_salt",
    "UPDATE consent_end SET ended_on = ended_on",
    "DELETE FROM record",
    "DELETE FROM record_basis",
    "DELETE FROM record_field",
    "DELETE FROM erasure_key",
    "DELETE FROM consent_end",
    "DELETE FROM processing_log",
    "TRUNCATE record CASCADE",
    "COPY record_field TO STDOUT",
    "SELECT guard_with_log('record')",
    "SELECT ensure_log_partitions(1)",
    "SET ROLE archive_owner",
    "SET ROLE archive",
    "CREATE TABLE mine (a int)",
]


def deposit_of(record_id: str, member_id: str, *, day: str = "2026-01-01", salt: str = "salt", **fields: str) -> str:
    """A batch of one record for ``deposit_records``."""
    return json.dumps([{
        "record_id": record_id, "member_id": member_id, "kind": "payment", "occurred_on": "2026-01-01",
        "policy_version": "1", "bases": [{"category": "R-10", "event_date": day}],
        "fields": [{"field": field, "sealed": value, "wrapped_salt": salt} for field, value in fields.items()],
    }])  # fmt: skip


async def put_in(connection: Any, batch: str, *, logged: bool = True) -> str:
    """Deposit one record as whoever is connected, in a transaction with or without its log row; the outcome."""
    async with connection.transaction():
        if logged:
            await connection.execute(log_row())
        [row] = await connection.fetch("SELECT outcome FROM deposit_records($1::jsonb)", batch)
    return str(row["outcome"])


async def test_identity_selects_nothing_in_the_archive(stack: Stack, log: Log) -> None:
    """Every table of the archive is closed to identity's login: permission denied, to count it and to look into it."""
    tables = [row[0] for row in await log.fetch("archive", _TABLES)]
    assert {"record", "record_basis", "record_field", "erasure_key", "processing_log", "consent_end"} <= set(tables)
    async with session(stack.postgres.login("archive", DEPOSITOR)) as connection:
        for table in tables:
            for statement in (f"SELECT * FROM {table}", f"SELECT count(*) FROM {table}", f"TABLE {table} LIMIT 1"):
                with pytest.raises(asyncpg.PostgresError) as refused:
                    await connection.fetch(statement)
                assert refused.value.sqlstate == NO_RIGHT, statement


@pytest.mark.parametrize("statement", CHANGES)
async def test_identity_changes_nothing_in_the_archive(stack: Stack, statement: str) -> None:
    """Not a row is added by the way, changed or deleted, and no other role is taken: records go in whole or not at all."""
    async with session(stack.postgres.login("archive", DEPOSITOR)) as connection:
        await connection.execute(log_row())
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute(statement)
        assert refused.value.sqlstate == NO_RIGHT


@pytest.mark.parametrize("statement", CHANGES[:4])
async def test_the_archives_process_adds_nothing(stack: Stack, statement: str) -> None:
    """The process that opens and destroys can neither make a record up nor give one a new life."""
    async with session(stack.postgres.login("archive", "archive")) as connection:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute(statement)
        assert refused.value.sqlstate == NO_RIGHT
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute("SELECT * FROM deposit_records('[]')")
        assert refused.value.sqlstate == NO_RIGHT


async def test_nothing_goes_in_without_a_log_row(stack: Stack, log: Log) -> None:
    """A deposit, and the end of a consent, in a transaction that has no log row is refused (A4)."""
    record_id = examples.new_id()
    async with session(stack.postgres.login("archive", DEPOSITOR)) as connection:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await put_in(connection, deposit_of(record_id, examples.new_id(), amount="x"), logged=False)
        assert refused.value.sqlstate == NO_ROW
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute("INSERT INTO consent_end VALUES (gen_random_uuid(), 'R-04', '2026-01-01')")
        assert refused.value.sqlstate == NO_ROW
    assert not await log.fetch("archive", "SELECT 1 FROM record WHERE record_id = $1", UUID(record_id))


async def test_a_second_deposit_changes_nothing(stack: Stack, log: Log) -> None:
    """Salts and ciphertexts of two attempts never mix: the second is no deposit, whatever it brings."""
    record_id, member_id = examples.new_id(), examples.new_id()
    async with session(stack.postgres.login("archive", DEPOSITOR)) as connection:
        first = deposit_of(record_id, member_id, salt="first", amount="first")
        assert await put_in(connection, first) == "NEW"
        assert await put_in(connection, first) == "SAME"
        again = deposit_of(record_id, member_id, salt="second", amount="second", supplied="second")
        assert await put_in(connection, again) == "SAME"
        assert await put_in(connection, deposit_of(record_id, member_id, day="2026-02-02", amount="third")) == "OTHER"
    found = await log.fetch("archive", "SELECT field, sealed FROM record_field WHERE record_id = $1", UUID(record_id))
    assert [tuple(row) for row in found] == [("amount", "first")]
    keys = await log.fetch(
        "archive", "SELECT wrapped_salt FROM erasure_key WHERE unit LIKE 'record:' || $1 || ':%'", record_id
    )
    assert [row[0] for row in keys] == ["first"]


async def test_what_was_destroyed_is_not_put_in_again(stack: Stack, log: Log) -> None:
    """A record whose salts are gone has ended in the archive: a late second deposit is told so and does nothing."""
    record_id, member_id = examples.new_id(), examples.new_id()
    async with session(stack.postgres.login("archive", DEPOSITOR)) as connection:
        assert await put_in(connection, deposit_of(record_id, member_id, amount="x")) == "NEW"
        async with session(stack.postgres.login("archive", "archive")) as process, process.transaction():
            await process.execute(log_row())
            await process.execute(
                "UPDATE erasure_key SET wrapped_salt = NULL, destroyed_at = now() WHERE unit = $1",
                f"record:{record_id}:amount",
            )
            await process.execute("DELETE FROM record WHERE record_id = $1", UUID(record_id))
        assert await put_in(connection, deposit_of(record_id, member_id, amount="x")) == "OTHER"
    assert not await log.fetch("archive", "SELECT 1 FROM record WHERE record_id = $1", UUID(record_id))


async def test_identity_cannot_open_what_it_has_sealed(stack: Stack, clients: Clients, log: Log) -> None:
    """CR-09: with the ciphertext and the wrapped salt of an archived field in hand, identity's log-in gets 403 for both."""
    member_id = (await examples.new_member(clients)).member_id
    given = payment(member_id, before(1))
    [record_id] = await append(clients, given)
    await leave(clients, log, member_id, [record_id])
    statement = (
        "SELECT f.sealed, k.wrapped_salt FROM record_field AS f JOIN erasure_key AS k "
        "ON k.unit = 'record:' || f.record_id || ':amount' WHERE f.record_id = $1 AND f.field = 'amount'"
    )
    [stored] = await log.fetch("archive", statement, UUID(record_id))
    archive = log_in(stack, "archive", stack.service_credentials("archive"))
    identity = log_in(stack, "identity", stack.service_credentials("identity"))

    unwrapped = archive.secrets.transit.decrypt_data("epoch-archive", stored["wrapped_salt"])["data"]["plaintext"]
    place = Place("archive", "record", record_id, "amount")
    bound = _b64(context(_raw(unwrapped), place))
    opened = archive.secrets.transit.decrypt_data("archive", stored["sealed"], context=bound)["data"]["plaintext"]
    assert _raw(opened).decode() == given.payment.amount
    for key, ciphertext, bound_to in (
        ("epoch-archive", stored["wrapped_salt"], ""),
        ("archive", stored["sealed"], bound),
    ):
        with pytest.raises(hvac.exceptions.Forbidden):
            identity.secrets.transit.decrypt_data(key, ciphertext, context=bound_to)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text)

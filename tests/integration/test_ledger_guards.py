"""What the database itself holds to, whatever a service's code does: no change without a row, no hand on the log."""

import asyncpg
import pytest

from dev.postgres_roles import owner
from dev.stack import Stack
from tests.integration.log_rows import session

pytestmark = pytest.mark.timeout(60)

CHANGES = {
    "member": ("identity", ["UPDATE member SET state = state", "DELETE FROM member WHERE false", (
        "INSERT INTO member (member_id, sealed, sealed_password, email_index, organization_number_index, "
        "business_number_index) VALUES (gen_random_uuid(), 'a', 'a', 'a', 'a', 'a')")]),
    "contact": ("identity", ["UPDATE contact SET version = version", "DELETE FROM contact WHERE false",
        "INSERT INTO contact SELECT * FROM contact WHERE false"]),
    "login_record": ("identity", ["UPDATE login_record SET sealed = sealed", "DELETE FROM login_record WHERE false",
        "INSERT INTO login_record SELECT * FROM login_record WHERE false",
        "SELECT detach_month('login', current_date, '{}')"]),
    "erasure_key": ("identity", ["UPDATE erasure_key SET unit = unit",
        "UPDATE erasure_key SET wrapped_salt = NULL, destroyed_at = now() WHERE false"]),
    "token": ("payment_vault", ["UPDATE token SET kind = kind", "DELETE FROM token WHERE false",
        "INSERT INTO token SELECT * FROM token WHERE false"]),
    "erasure_key of the vault": ("payment_vault", ["UPDATE erasure_key SET unit = unit"]),
}  # fmt: skip


@pytest.mark.parametrize("table", CHANGES)
async def test_the_database_refuses_a_change_without_a_row(stack: Stack, table: str) -> None:
    """As the service's own role, no statement changes personal data in a transaction that has no log row (A4).

    A row that another transaction wrote does not count; with a row of its own the statement is taken.
    """
    service, statements = CHANGES[table]
    async with session(stack.postgres.login(service, service)) as connection:
        for statement in statements:
            await connection.execute(_row())
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.execute(statement)
            assert refused.value.sqlstate == "ON001", statement
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(_row())
            await connection.execute(statement)
            await transaction.rollback()


@pytest.mark.parametrize(("service", "table"), [
    ("identity", "member"), ("identity", "contact"), ("identity", "login_record"), ("payment_vault", "token")])  # fmt: skip
async def test_nobody_empties_a_table_without_a_row(stack: Stack, service: str, table: str) -> None:
    """TRUNCATE is not the service's to do, and the owner is refused it by the trigger."""
    for role, state in ((service, "42501"), (owner(service), "ON001")):
        async with session(stack.postgres.login(service, role)) as connection:
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.execute(f"TRUNCATE {table} CASCADE")
            assert refused.value.sqlstate == state


FORBIDDEN = [
    "SELECT * FROM processing_log",
    "SELECT count(*) FROM processing_log_default",
    "UPDATE processing_log SET actor = 'nobody'",
    "DELETE FROM processing_log",
    "TRUNCATE processing_log",
    "DROP TABLE processing_log",
    "COPY processing_log TO STDOUT",
    "INSERT INTO processing_log_default SELECT * FROM processing_log_default",
    "ALTER TABLE processing_log DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "DROP TRIGGER log_row_required ON {table}",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION require_log_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TABLE mine (a int)",
    "CREATE TEMP TABLE mine (a int)",
    "UPDATE idempotency SET digest = digest",
    "UPDATE span_export_cursor SET xid = xid",
    "DELETE FROM erasure_key",
    "SELECT guard_with_log('{table}')",
    "SET ROLE {service}_owner",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
@pytest.mark.parametrize(("service", "table"), [("identity", "member"), ("payment_vault", "token")])
async def test_the_service_may_add_to_the_log_and_nothing_else(
    stack: Stack, service: str, table: str, statement: str
) -> None:
    """The service's role can neither read, change, empty nor go round the log (LG-06)."""
    async with session(stack.postgres.login(service, service)) as connection:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute(statement.format(service=service, table=table))
        assert refused.value.sqlstate == "42501", refused.value.sqlstate


@pytest.mark.parametrize(("column", "value"), [("recorded_at", "now() - interval '1 year'"), ("xid", "'1'::xid8")])
@pytest.mark.parametrize("service", ["identity", "payment_vault", "retention"])
async def test_time_and_transaction_are_the_databases_own_words(
    stack: Stack, service: str, column: str, value: str
) -> None:
    """A row's time and transaction cannot be set by the service that writes it (LG-06, LG-08)."""
    async with session(stack.postgres.login(service, service)) as connection:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute(_row(f", {column}", f", {value}"))
        assert refused.value.sqlstate == "42501"


@pytest.mark.parametrize("column", ["actor", "occurred_at", "peer_address", "subject_ids", "action"])
async def test_none_of_the_five_items_may_be_missing(stack: Stack, column: str) -> None:
    """The database takes no row without one of the five items, nor an empty actor, place or action (LG-01)."""
    empties = ["NULL"] if column in {"occurred_at", "subject_ids"} else ["NULL", "''"]
    async with session(stack.postgres.login("identity", "identity")) as connection:
        for empty in empties:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(_row(**{column: empty}))


def _row(columns: str = "", values: str = "", **changes: str) -> str:
    """A statement that adds a row to the log."""
    row = {
        "record_id": "gen_random_uuid()", "occurred_at": "now()", "actor": "'test'", "actor_type": "'JOB'",
        "peer_address": "'test'", "subject_ids": "'{}'", "subject_count": "0", "resource_ids": "'{}'", "action": "'READ'",
        "rpc_method": "'test'", "status": "'OK'", "error_reason": "''", "items": "'{}'", "purpose": "''", "reason": "''",
        "ticket": "''", "request_id": "''", "trace_id": "'0123456789abcdef0123456789abcdef'",
        "span_id": "'0123456789abcdef'", "parent_span_id": "''", "policy_version": "'1'", "phase": "'ACCESS'",
    } | changes  # fmt: skip
    return f"INSERT INTO processing_log ({', '.join(row)}{columns}) VALUES ({', '.join(row.values())}{values})"

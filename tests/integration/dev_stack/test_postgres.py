"""PostgreSQL of the laptop stack is durable, quiet about values, and each role has its own database and rights."""

import asyncio

import asyncpg
import pytest

from dev.identities import SERVICES
from dev.postgres import Login
from dev.stack import Stack
from tests.integration.dev_stack.sql import rows

pytestmark = pytest.mark.timeout(120)

DURABLE_AND_QUIET = {
    "listen_addresses": "",
    "wal_level": "replica",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "data_checksums": "on",
    "password_encryption": "scram-sha-256",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_min_duration_statement": "-1",
    "log_statement": "none",
    "TimeZone": "UTC",
}


def test_postgresql_is_durable_and_quiet(stack: Stack) -> None:
    """A commit survives a crash, and no setting lets a value into the server's log."""
    settings = rows(stack.postgres.login("identity", "identity"), "SELECT name, setting FROM pg_settings")
    actual = {row["name"]: row["setting"] for row in settings}

    assert {name: actual[name] for name in DURABLE_AND_QUIET} == DURABLE_AND_QUIET
    assert int(rows(stack.postgres.login("identity", "identity"), "SHOW server_version_num")[0][0]) // 10_000 == 18


def test_a_failing_statement_leaves_its_value_out_of_the_log(stack: Stack) -> None:
    """A unique violation, a bad cast, a syntax error and an unknown name keep the value out of the server's log."""
    owner = stack.postgres.login("retention", "retention_owner")
    value = "planted-value-4719"
    insert = f"INSERT INTO quiet VALUES ('{value}')"
    rows(owner, "CREATE TABLE quiet (word text PRIMARY KEY)", insert)

    for statement in (insert, f"SELECT '{value}'::int", f"'{value}'", f'TABLE "{value}"'):
        with pytest.raises(asyncpg.PostgresError):
            rows(owner, statement)
    rows(owner, "DROP TABLE quiet")

    log = stack.postgres.process.log_file.read_text()
    assert "ready to accept connections" in log
    assert value not in log


def test_only_passwords_open_the_database(stack: Stack) -> None:
    """Every way in is SCRAM, for the superuser too, and a wrong password is refused."""
    superuser = stack.postgres.login("postgres", "postgres")
    methods = {row[0] for row in rows(superuser, "SELECT auth_method FROM pg_hba_file_rules")}
    wrong = Login(superuser.host, superuser.port, "identity", "identity", "wrong")

    assert methods == {"scram-sha-256"}
    with pytest.raises(asyncpg.InvalidPasswordError):
        rows(wrong, "SELECT 1")


@pytest.mark.parametrize("service", SERVICES)
def test_only_the_owner_makes_tables(stack: Stack, service: str) -> None:
    """Migrations may create; the service and the auditor may not, nor own, nor escalate."""
    for role in (service, f"{service}_auditor"):
        for statement in ("CREATE TABLE mine ()", "CREATE TEMPORARY TABLE mine ()", "CREATE SCHEMA mine"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                rows(stack.postgres.login(service, role), statement)
    owner = stack.postgres.login(service, f"{service}_owner")
    rows(owner, "CREATE TABLE probe (n int)", "DROP TABLE probe")

    attributes = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    privileged = rows(owner, f"SELECT rolname FROM pg_roles WHERE rolcanlogin AND ({attributes})")
    assert [row[0] for row in privileged] == ["postgres"]


def test_a_role_enters_its_own_database_alone(stack: Stack) -> None:
    """Every role against every database: nobody enters another service's, nor the shared ones."""
    roles = {role: service for service in SERVICES for role in (f"{service}_owner", service, f"{service}_auditor")}
    roles["archive_depositor"] = "archive"
    entered = set()
    for role in roles:
        for database in (*SERVICES, "postgres", "template1"):
            try:
                rows(stack.postgres.login(database, role), "SELECT 1")
            except asyncpg.InsufficientPrivilegeError:
                continue
            entered.add((role, database))

    assert set(roles.items()) == entered


def test_the_depositor_sees_nothing_that_it_was_not_given(stack: Stack) -> None:
    """Identity's login in the archive makes nothing there, reads no table of others, and has what is granted alone."""
    owner, depositor = (stack.postgres.login("archive", role) for role in ("archive_owner", "archive_depositor"))
    for statement in ("CREATE TABLE mine ()", "CREATE TEMPORARY TABLE mine ()", "CREATE SCHEMA mine"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            rows(depositor, statement)
    rows(owner, "CREATE TABLE jar (n int)", "GRANT INSERT ON jar TO archive_depositor")
    try:
        rows(depositor, "INSERT INTO jar VALUES (1)")
        for statement in ("TABLE jar", "UPDATE jar SET n = 2", "DELETE FROM jar", "TRUNCATE jar"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                rows(depositor, statement)
    finally:
        rows(owner, "DROP TABLE jar")


async def _kill_under_load(stack: Stack, login: Login) -> None:
    connections = [
        await asyncpg.connect(host=login.host, port=login.port, database=login.database, user=login.user, password=word)
        for word in [login.password] * 10
    ]
    await connections[0].execute("CREATE TABLE survivor (n int)")
    await connections[0].execute("INSERT INTO survivor VALUES (1)")
    waiting = [asyncio.ensure_future(connection.execute("SELECT pg_sleep(60)")) for connection in connections]
    await asyncio.sleep(0.2)
    stack.postgres.process.kill()
    await asyncio.wait(waiting)
    assert all(isinstance(task.exception(), asyncpg.PostgresError) for task in waiting)


def test_killed_servers_come_back_with_what_they_acknowledged(stack: Stack) -> None:
    """A kill -9 of PostgreSQL under load and of OpenBao: the committed row and the key are there after a restart."""
    login = stack.postgres.login("payment_vault", "payment_vault_owner")
    asyncio.run(_kill_under_load(stack, login))
    stack.postgres.recover()
    stack.openbao.process.kill()
    stack.openbao.process.start()

    assert [row[0] for row in rows(login, "TABLE survivor")] == [1]
    rows(login, "DROP TABLE survivor")
    assert stack.openbao.client().secrets.transit.read_key("pii")["data"]["latest_version"] >= 1

"""Nothing is destroyed past the legal holds (LC-13): each transaction that destroys has kept new holds out before.

The tests have the databases themselves watch, by triggers for the length of a test: whoever deletes personal data, or
destroys a salt, without the lock that a hold waits for is refused.
"""

from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import asyncpg
import grpc
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dev.stack import Stack
from services.payment_vault.sweeper import Sweeper
from tests.integration import examples
from tests.integration.archives import leave
from tests.integration.clients import Clients
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, before, give, partnership, payment, withdraw
from tests.integration.purges import change, destroyed, rows
from tests.integration.record_examples import append as append_log_like
from tests.integration.record_examples import errors_of, record
from tests.integration.test_holds_holders import CONTACTS, execute_tokens
from tests.integration.test_holds_vault import ACTOR, engine
from tests.integration.vault_tokens import DELETE, REVEAL, ask, let_expire, put

__all__ = ["engine"]
pytestmark = pytest.mark.timeout(120)

OK = grpc.StatusCode.OK
WATCHED = {
    "identity": (
        "member",
        "contact",
        "record",
        "record_basis",
        "record_field",
        "consent",
        "login_record",
        "usage_record",
    ),
    "archive": ("record", "record_basis", "record_field"),
    "payment_vault": ("token",),
}
_WATCH = """
CREATE FUNCTION holds_kept_out() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'legal_hold'::regclass
                   AND mode = 'ShareLock' AND granted) THEN
        RAISE EXCEPTION 'destroyed past the holds';
    END IF;
    RETURN OLD;
END $$;
CREATE FUNCTION holds_kept_out_of_salts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF NEW.wrapped_salt IS NULL AND NOT EXISTS (
        SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'legal_hold'::regclass
        AND mode = 'ShareLock' AND granted) THEN
        RAISE EXCEPTION 'destroyed past the holds';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER watched BEFORE UPDATE ON erasure_key FOR EACH ROW EXECUTE FUNCTION holds_kept_out_of_salts();
"""
_ONE = "CREATE TRIGGER watched BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION holds_kept_out();"
_END = "DROP FUNCTION IF EXISTS holds_kept_out(), holds_kept_out_of_salts() CASCADE"


@pytest.fixture(autouse=True)
async def watched(stack: Stack) -> AsyncIterator[None]:
    """The databases watch."""
    for database, tables in WATCHED.items():
        async with session(stack.postgres.login(database, "postgres")) as connection:
            await connection.execute(_WATCH + "".join(_ONE.format(table=table) for table in tables))
    yield
    for database in WATCHED:
        async with session(stack.postgres.login(database, "postgres")) as connection:
            await connection.execute(_END)


async def test_the_watch_sees(stack: Stack, clients: Clients) -> None:
    """Without the lock a deletion is refused: so the other tests mean something."""
    token = (await put(clients, examples.new_id())).token
    async with session(stack.postgres.login("payment_vault", "postgres")) as connection:
        with pytest.raises(asyncpg.PostgresError, match="past the holds"):
            await connection.execute("DELETE FROM token WHERE token = $1", token)


async def test_identity_and_the_archive(clients: Clients, log: Log) -> None:
    """LC-13: RemoveContact, the move, and the purges of members, records, consents, log-ins and of the archive."""
    day = date(1961, 6, 1)
    member_id = (await examples.new_member(clients)).member_id
    request = examples.example(f"{CONTACTS}/RemoveContact")
    request.contact_id = (await examples.new_contact(clients, member_id)).contact_id
    assert (await clients.call("portal", f"{CONTACTS}/RemoveContact", request)).code is OK
    await examples.new_contact(clients, member_id)
    assert (await give(clients, member_id, "partnership_retention")).code is OK
    paid, proposed = await append(clients, payment(member_id, before(1)), partnership(member_id, before(1)))
    log_like = [record(kind, member_id, day=date(2001, 4, 1)) for kind in ("login", "usage")]
    assert errors_of(await append_log_like(clients, log_like)) == [("", "", "")] * 2

    await leave(clients, log, member_id, [paid])

    await change(log, "UPDATE member SET withdrawn_on = $2 WHERE member_id = $1", UUID(member_id), day)
    await change(log, "UPDATE consent SET withdrawn_on = $2 WHERE member_id = $1", UUID(member_id), day)
    await change(log, "UPDATE record_basis SET event_date = $2 WHERE record_id = $1", UUID(proposed), day)
    moved = "UPDATE record_basis SET event_date = $2 WHERE record_id = $1"
    await change(log, moved, UUID(paid), day, database="archive")
    gone = {category: await destroyed(clients, category, day) for category in ("R-01", "R-15", "R-06")}
    assert {table: gone["R-01"][table] for table in ("member", "contact")} == {"member": 1, "contact": 1}
    assert (gone["R-15"]["consent"], gone["R-06"]["record"]) == (1, 1)
    for category in ("R-12", "R-22"):
        assert (await destroyed(clients, category, date(2001, 4, 15)))["erasure_key"] == 1
    for category in ("R-09b", "R-10", "R-11"):
        assert (await destroyed(clients, category, day, "archive"))["record_basis"] == 1


async def test_the_vault(stack: Stack, clients: Clients, engine: AsyncEngine) -> None:
    """LC-13: DeleteToken, a one-time reveal, the sweeper and the purge of a former member's tokens."""
    member_id = (await examples.new_member(clients)).member_id
    token, once, expired, _ = [(await put(clients, member_id, one_time=number == 1)).token for number in range(4)]
    assert (await ask(clients, DELETE, member_id, token)).code is OK
    assert (await ask(clients, REVEAL, member_id, once)).code is OK
    await let_expire(stack, expired)
    assert await Sweeper(engine, ACTOR, lambda: "1").sweep()
    assert (await withdraw(clients, member_id)).code is OK
    assert rows((await execute_tokens(clients, [member_id])).destroyed)["token"] == 1

"""A million log-in records of one month: what it takes to destroy them by partition, and what it would take by rows."""

import os
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import connect
from chassis.entry import Entry
from chassis.ledger import append_within
from chassis.settings import DatabaseSettings
from dev.postgres import SUPERUSER
from dev.stack import Stack
from services.identity.purge_log_records import EndedDays
from tests.e2e.faults import Figures
from tests.integration.log_rows import session

RECORDS = 1_000_000
MONTH = date(2001, 1, 1)
DAYS = [MONTH + timedelta(days=number) for number in range(31)]
RATIO, ROUNDS = 100, 3

pytestmark = pytest.mark.timeout(300)

# The bodies are as long as a real one. A partition that is filled before it is attached is filled in less time.
_FILL = (
    "CREATE TABLE login_record_2001_01 (LIKE login_record)",
    f"""
    INSERT INTO login_record_2001_01 (record_id, member_id, event_date, sealed)
    SELECT gen_random_uuid(), ('00000000-0000-4000-9000-' || lpad(to_hex(n % 1000), 12, '0'))::uuid,
           DATE '2001-01-01' + (n * 31 / {RECORDS})::int, 'vault:v1:' || repeat('A', 200)
    FROM generate_series(0::bigint, {RECORDS - 1}) AS n
    """,
    "ALTER TABLE login_record_2001_01 OWNER TO identity_owner",
    "ALTER TABLE login_record ATTACH PARTITION login_record_2001_01 FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')",
    "SELECT guard_with_log('login_record_2001_01')",
    """
    INSERT INTO erasure_key (unit, wrapped_salt) SELECT 'login:' || day::date, 'vault:v1:' || repeat('A', 80)
    FROM generate_series(DATE '2001-01-01', DATE '2001-01-31', INTERVAL '1 day') AS day
    """,
    "VACUUM ANALYZE login_record_2001_01",
)
_EMPTY = ("DROP TABLE IF EXISTS login_record_2001_01", "DELETE FROM closed_day WHERE unit LIKE 'login:2001-01-%'",
          "DELETE FROM erasure_key WHERE unit LIKE 'login:2001-01-%'")  # fmt: skip
_FILES = """
SELECT current_setting('data_directory') || '/' || pg_relation_filepath(relation)
FROM (SELECT 'login_record_2001_01'::regclass AS relation
      UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = 'login_record_2001_01'::regclass) AS r
"""


class Round(NamedTuple):
    """Seconds: the DELETE, the run that destroys the same month, and its commit, which takes the files away."""

    by_rows: float
    by_partition: float
    commit: float


@pytest.fixture
async def engine(stack: Stack) -> AsyncIterator[AsyncEngine]:
    """The database under identity's own role."""
    login = stack.postgres.login("identity", "identity")
    password_file = stack.postgres.password_file(login.user)
    made = connect(DatabaseSettings(
        host=str(login.host), port=login.port, name=login.database, user=login.user, password_file=password_file,
        timeout_seconds=60,
    ))  # fmt: skip
    yield made
    await made.dispose()


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Any]:
    """The database of identity as superuser, without the guard that wants a log row; what a test leaves is dropped."""
    async with session(stack.postgres.login("identity", SUPERUSER)) as connection:
        await connection.execute("SET session_replication_role = replica")
        yield connection
        await each(connection, _EMPTY)


async def each(connection: Any, statements: tuple[str, ...]) -> None:
    """Run statements one after the other."""
    for statement in statements:
        await connection.execute(statement)


async def grow_cold(connection: Any) -> None:
    """Leave the month as one of three months ago is: written out, and in nobody's page cache."""
    await connection.execute("CHECKPOINT")
    for [name] in await connection.fetch(_FILES):
        for path in Path(name).parent.glob(f"{Path(name).name}*"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def delete_by_rows(connection: Any) -> float:
    """Delete the month by rows and take it back; the seconds of the DELETE alone."""
    await grow_cold(connection)
    transaction = connection.transaction()
    await transaction.start()
    started = time.perf_counter()
    told = await connection.execute("DELETE FROM login_record WHERE event_date = ANY($1::date[])", DAYS)
    seconds = time.perf_counter() - started
    await transaction.rollback()
    assert told == f"DELETE {RECORDS}"
    return seconds


async def destroy_by_partition(engine: AsyncEngine, connection: Any) -> tuple[float, float]:
    """Plan and destroy the month as the service does; the seconds of what destroys, and of its commit."""
    category = EndedDays("login")
    async with engine.begin() as planning:
        units = await category.collect(planning, DAYS[-1], [])
        assert await category.count(planning, units) == {"login_record": RECORDS}
    await grow_cold(connection)
    async with engine.connect() as running, running.begin() as transaction:
        await append_within(running, [Entry("onggi.purge.v1.PurgeService/ExecutePurge", "PURGE", "", "", "", "1")])
        started = time.perf_counter()
        done = await category.destroy(running, DAYS[-1], units)
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        await transaction.commit()
        commit = time.perf_counter() - started
    assert (done.rows, done.skipped) == ({"login_record": RECORDS, "erasure_key": 31}, [])
    async with engine.connect() as looking:
        assert set((await category.left(looking, units)).values()) == {0}
    assert await connection.fetchval("SELECT to_regclass('login_record_2001_01')") is None
    return seconds, commit


async def test_a_month_of_a_million_is_destroyed_in_a_moment(
    engine: AsyncEngine, database: Any, figures: Figures
) -> None:
    """R-12, LC-02: to destroy a month, salts and all, takes a hundredth of the time of the DELETE by rows.

    Both are timed up to their commit, which is told beside: that of the partition takes its files away, at the speed of
    the file system. The rows are counted when the plan is made and their days are closed from then on, so that the count
    told is true though the run counts nothing. Others use the machine too: a round that they disturbed is done again.
    """
    rounds: list[Round] = []
    while len(rounds) < ROUNDS and not any(item.by_partition * RATIO < item.by_rows for item in rounds):
        await each(database, (*_EMPTY, *_FILL))
        by_rows = await delete_by_rows(database)
        rounds.append(Round(by_rows, *await destroy_by_partition(engine, database)))
        *_, (by_rows, by_partition, commit) = rounds
        figures(
            f"{RECORDS:,} log-in records of a month, round {len(rounds)}: destroyed in {by_partition * 1000:.1f} ms, "
            f"and {commit * 1000:.0f} ms to commit and free the disk; "
            f"DELETE by rows in {by_rows * 1000:.0f} ms: {by_rows / by_partition:.0f} to 1"
        )
    assert any(item.by_partition * RATIO < item.by_rows for item in rounds), rounds

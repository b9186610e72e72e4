"""A million log-in records of one month: what it takes to destroy them by partition, and what it would take by rows."""

import os
import statistics
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.cutoffs import Cutoffs
from chassis.database import connect
from chassis.entry import Entry
from chassis.ledger import append_within
from chassis.policy.load import load
from chassis.settings import DatabaseSettings
from dev.environment import POLICY
from dev.postgres import SUPERUSER
from dev.stack import Stack
from services.identity.purge_log_records import EndedDays

RECORDS = 1_000_000
MONTH = date(2001, 1, 1)
DAYS = [MONTH + timedelta(days=number) for number in range(31)]
ROUNDS = 3

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
    category = EndedDays("login", load(POLICY).version_on)
    async with engine.begin() as planning:
        units = await category.collect(planning, Cutoffs(DAYS[-1]), [])
        assert await category.count(planning, units) == {"login_record": RECORDS}
    await grow_cold(connection)
    async with engine.connect() as running, running.begin() as transaction:
        await append_within(running, [Entry("onggi.purge.v1.PurgeService/ExecutePurge", "PURGE", "", "", "", "1")])
        started = time.perf_counter()
        done = await category.destroy(running, Cutoffs(DAYS[-1]), units)
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        await transaction.commit()
        commit = time.perf_counter() - started
    assert (done.rows, done.skipped) == ({"login_record": RECORDS, "erasure_key": 31}, [])
    async with engine.connect() as looking:
        assert set((await category.left(looking, units)).values()) == {0}
    assert await connection.fetchval("SELECT to_regclass('login_record_2001_01')") is None
    return seconds, commit


async def measure(stack: Stack) -> list[Mapping[str, Any]]:
    """Print the seconds of each round and return two rows for build/bench.json: up to the commit, and with it.

    Both sides are timed in turns within one run. The rows are counted when the plan is made and their days are closed from
    then on, so the run counts nothing. The commit of the partition takes its files away, at the speed of the file system.
    """
    engine, database = _engine(stack), await _superuser(stack)
    rounds: list[Round] = []
    try:
        await database.execute("SET session_replication_role = replica")
        for number in range(ROUNDS):
            await each(database, (*_EMPTY, *_FILL))
            by_rows = await delete_by_rows(database)
            rounds.append(Round(by_rows, *await destroy_by_partition(engine, database)))
            _tell(number, rounds[-1])
        await each(database, _EMPTY)
    finally:
        await database.close()
        await engine.dispose()
    by_rows, by_partition, commit = (statistics.median(column) for column in zip(*rounds, strict=True))
    return [
        _row("destroy a month of 1,000,000 log-ins, up to its commit", by_partition, by_rows),
        _row("destroy a month of 1,000,000 log-ins, with its commit", by_partition + commit, by_rows),
    ]


def _tell(number: int, one: Round) -> None:
    print(
        f"{RECORDS:,} log-in records of a month, round {number + 1}: DELETE by rows {one.by_rows * 1000:.0f} ms, "
        f"by partition {one.by_partition * 1000:.1f} ms, and {one.commit * 1000:.0f} ms to commit and free the disk"
    )


def _row(name: str, seconds: float, baseline: float) -> Mapping[str, Any]:
    return {
        "name": name, "value": round(seconds, 4), "unit": "s", "baseline": round(baseline, 4),
        "ratio": round(seconds / baseline, 4), "target": 0.01,
    }  # fmt: skip


def _engine(stack: Stack) -> AsyncEngine:
    """The database under identity's own role."""
    login = stack.postgres.login("identity", "identity")
    return connect(DatabaseSettings(
        host=str(login.host), port=login.port, name=login.database, user=login.user, timeout_seconds=60,
        password_file=stack.postgres.password_file(login.user),
    ))  # fmt: skip


async def _superuser(stack: Stack) -> Any:
    login = stack.postgres.login("identity", SUPERUSER)
    return await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )

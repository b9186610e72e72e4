"""A million log-in records of one month: what it takes to destroy them by partition, and what it would take by rows.

Two things are timed of the partition, and both are told. Destroyed are the records when the run that destroys has
committed: their salts are gone and the month is out of the data. The files go right after, by a commit of their own;
it lasts as long as the file system needs to free them, which depends on their size alone.
"""

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import holds
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
ROUNDS = 5
_CATEGORY = EndedDays("login", load(POLICY).version_on)

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
_EMPTY = ("DROP TABLE IF EXISTS login_record_2001_01, login_record_2001_01_destroyed",
          "DELETE FROM closed_day WHERE unit LIKE 'login:2001-01-%'",
          "DELETE FROM erasure_key WHERE unit LIKE 'login:2001-01-%'")  # fmt: skip
_MEGABYTES = "SELECT pg_total_relation_size('login_record_2001_01') / 1000000"
_FILES = """
SELECT current_setting('data_directory') || '/' || pg_relation_filepath(relation)
FROM (SELECT 'login_record_2001_01'::regclass AS relation
      UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = 'login_record_2001_01'::regclass) AS r
"""


class Round(NamedTuple):
    """Seconds, each with its commit: the DELETE, the run that destroys the same month, the removal of its files."""

    by_rows: float
    by_partition: float
    files: float


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
    """Delete the month by rows; the seconds with the commit."""
    await grow_cold(connection)
    started = time.perf_counter()
    told = await connection.execute("DELETE FROM login_record WHERE event_date = ANY($1::date[])", DAYS)
    seconds = time.perf_counter() - started
    assert told == f"DELETE {RECORDS}"
    return seconds


async def plan(engine: AsyncEngine) -> Sequence[str]:
    """Count the month's days and close them, as the service does when a plan is made; the days."""
    async with engine.begin() as planning:
        units = await _CATEGORY.collect(planning, Cutoffs(DAYS[-1]), [])
        assert await _CATEGORY.count(planning, units) == {"login_record": RECORDS}
    return units


async def destroy_by_partition(engine: AsyncEngine, units: Sequence[str]) -> tuple[float, float]:
    """Destroy the month as the service does; the seconds of the run that destroys, and of the removal of the files."""
    async with engine.connect() as running, running.begin() as transaction:
        started = time.perf_counter()
        await holds.keep_out_new(running)
        await append_within(running, [Entry("onggi.purge.v1.PurgeService/ExecutePurge", "PURGE", "", "", "", "1")])
        assert not await _CATEGORY.held(running, units)
        done = await _CATEGORY.destroy(running, Cutoffs(DAYS[-1]), units)
        await transaction.commit()
        seconds = time.perf_counter() - started
    assert (done.rows, done.skipped) == ({"login_record": RECORDS, "erasure_key": 31}, [])
    assert set((await _left(engine, units)).values()) == {0, 1}, "all gone but for one month's files"
    started = time.perf_counter()
    await _CATEGORY.finish(engine)
    files = time.perf_counter() - started
    assert set((await _left(engine, units)).values()) == {0}
    return seconds, files


async def measure(stack: Stack) -> list[Mapping[str, Any]]:
    """Print the seconds of each round; return rows for build/bench.json: the run that destroys, and all with the files.

    Both sides are timed in turns within one run, on a month that is filled anew for each, and both with their commit.
    The rows are counted when the plan is made and their days are closed from then on, so the run counts nothing.
    """
    engine, database = _engine(stack), await _superuser(stack)
    rounds: list[Round] = []
    try:
        await database.execute("SET session_replication_role = replica")
        for number in range(ROUNDS):
            await each(database, (*_EMPTY, *_FILL))
            megabytes = await database.fetchval(_MEGABYTES)
            by_rows = await delete_by_rows(database)
            await each(database, (*_EMPTY, *_FILL))
            units = await plan(engine)
            await grow_cold(database)
            rounds.append(Round(by_rows, *await destroy_by_partition(engine, units)))
            _tell(number, rounds[-1], megabytes)
        await each(database, _EMPTY)
    finally:
        await database.close()
        await engine.dispose()
    by_rows, by_partition, files = (statistics.median(column) for column in zip(*rounds, strict=True))
    return [
        _row("destroy a month of 1,000,000 log-ins, with its commit", by_partition, by_rows, 0.01),
        _row("the same and the removal of its files", by_partition + files, by_rows, None),
    ]


def _tell(number: int, one: Round, megabytes: int) -> None:
    print(
        f"{RECORDS:,} log-in records of a month, round {number + 1}, with the commits: DELETE by rows "
        f"{one.by_rows * 1000:.0f} ms, destroyed by partition {one.by_partition * 1000:.1f} ms, "
        f"then {megabytes} MB of files removed in {one.files * 1000:.0f} ms"
    )


def _row(name: str, seconds: float, baseline: float, target: float | None) -> Mapping[str, Any]:
    return {
        "name": name, "value": round(seconds, 4), "unit": "s", "baseline": round(baseline, 4),
        "ratio": round(seconds / baseline, 4), "target": target,
    }  # fmt: skip


async def _left(engine: AsyncEngine, units: Sequence[str]) -> Mapping[str, int]:
    async with engine.connect() as looking:
        return await _CATEGORY.left(looking, units)


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

"""A hot statement looks up by index from the first row on, for its plan is kept while its tables grow."""

import pytest

from chassis.database import Hot, connect
from dev.stack import Stack
from tests.integration.log_rows import Log
from tests.integration.test_archive_movers import settings_of

_MAKE = (
    "CREATE TABLE looked_up AS SELECT number FROM generate_series(1, 20) AS s (number)",
    "CREATE INDEX ON looked_up (number)",
    "GRANT SELECT ON looked_up TO identity",
    "ANALYZE looked_up",
)
_PLAN = "EXPLAIN SELECT number FROM looked_up WHERE number = 7"


async def test_a_small_table_is_looked_up_by_its_index(stack: Stack, log: Log) -> None:
    """Twenty rows are fastest read whole, and a plan that does so would read twenty million whole later on."""
    engine = connect(settings_of(stack).database)
    hot = Hot(engine, "plans")
    try:
        for statement in _MAKE:
            await log.fetch("identity", statement)
        usual = "\n".join(row[0] for row in await log.fetch("identity", _PLAN))
        chosen = "\n".join(row[0] for row in await hot.fetch(_PLAN))
    finally:
        await hot.close()
        await engine.dispose()
        await log.fetch("identity", "DROP TABLE IF EXISTS looked_up")

    assert "Seq Scan" in usual, "the table is too large for the test to say anything"
    assert "Seq Scan" not in chosen
    assert "Index" in chosen


@pytest.mark.parametrize("by_hash", [False, True])
async def test_a_connection_joins_by_hash_where_that_was_asked_for(stack: Stack, by_hash: bool) -> None:
    """Without nested loops for what it joins, and without a compiler for what then seems dear."""
    engine = connect(settings_of(stack).database)
    hot = Hot(engine, "plans", by_hash=by_hash)
    try:
        found = {name: (await hot.fetch(f"SHOW {name}"))[0][name] for name in ("enable_nestloop", "jit")}
    finally:
        await hot.close()
        await engine.dispose()

    assert (found["enable_nestloop"] == "off") is by_hash
    assert found["jit"] == "off" or not by_hash

"""The plans that the hot statements keep, whatever the planner knew when it made them: all rows are looked up by an index."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.database import BY_HASH, BY_INDEX
from services.identity import reading as members
from services.payment_vault import reading as tokens
from services.payment_vault import reveals, tokenizing
from tests.integration.log_rows import Log

STATEMENTS = {
    "GetMember": ("identity", members.BY_ID, BY_INDEX),
    "FindMember": ("identity", members.BY_INDEX, BY_INDEX),
    "GetToken": ("payment_vault", tokens.GET, BY_INDEX),
    "Detokenize": ("payment_vault", reveals.REVEAL, BY_INDEX),
    "Tokenize": ("payment_vault", tokenizing.STORE, BY_HASH),
}
# So that a statement with parameters can be explained without values for them: that is the plan that is kept.
_EXPLAIN = """
CREATE FUNCTION pg_temp.explained(statement text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO plan;
    RETURN plan;
END $$
"""
_ROWS_OF_ITS_OWN = {"CTE Scan", "Function Scan", "Subquery Scan", "Materialize", "WorkTable Scan"}


async def plan_of(log: Log, name: str) -> list[dict[str, Any]]:
    """The nodes of the plan that a connection of the service would keep now."""
    database, statement, settings = STATEMENTS[name]
    await log.fetch(database, "BEGIN")
    try:
        for setting in settings.split("; "):
            await log.fetch(database, setting.replace("SET ", "SET LOCAL ", 1))
        await log.fetch(database, _EXPLAIN)
        [row] = await log.fetch(database, "SELECT pg_temp.explained($1) AS plan", statement)
    finally:
        await log.fetch(database, "ROLLBACK")
    return list(nodes(json.loads(row["plan"])[0]["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node and all beneath it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_every_row_of_a_table_is_looked_up_by_an_index(log: Log, name: str) -> None:
    """No scan of a table or an index is without a condition on the index, however small the table was."""
    plan = await plan_of(log, name)
    read = [node for node in plan if node["Node Type"].endswith(("Index Scan", "Index Only Scan"))]
    whole = [node for node in plan if node["Node Type"] == "Seq Scan"]

    assert read
    assert whole == []
    assert [node["Node Type"] for node in read if "Index Cond" not in node] == []


async def test_a_flush_of_many_is_joined_by_hash(log: Log) -> None:
    """A thousand cards are not compared with a thousand cards: what is taken row by row is a look-up in an index."""
    loops = [node for node in await plan_of(log, "Tokenize") if node["Node Type"] == "Nested Loop"]

    assert loops
    for loop in loops:
        inner = next(child for child in loop["Plans"] if child["Parent Relationship"] == "Inner")
        assert inner["Node Type"] not in _ROWS_OF_ITS_OWN, inner

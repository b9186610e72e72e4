"""Counts the rows afterwards: an answer without its rows would make a fast server and a void figure."""

from collections.abc import Mapping
from typing import Final

import asyncpg

from dev.postgres import SUPERUSER
from dev.stack import Stack

_COUNTS: Final = (
    ("Tokenize", "payment_vault", "SELECT count(*) FROM token"),
    ("Tokenize", "payment_vault", "SELECT count(*) FROM processing_log WHERE rpc_method LIKE '%/Tokenize'"),
    ("GetMember", "identity", "SELECT count(*) FROM processing_log WHERE rpc_method LIKE '%/GetMember'"),
    ("naive Tokenize", "payment_vault", "SELECT count(*) FROM bench_naive_token"),
    ("naive Tokenize", "payment_vault", "SELECT count(*) FROM bench_naive_log"),
)
_DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")


async def faults(stack: Stack, answered: Mapping[str, int]) -> list[str]:
    """Return what makes the figures void: rows that are missing, or settings that are not durable."""
    found = []
    for name, database, statement in _COUNTS:
        login = stack.postgres.login(database, SUPERUSER)
        connection = await asyncpg.connect(
            host=login.host, port=login.port, database=database, user=login.user, password=login.password
        )
        try:
            rows: int = await connection.fetchval(statement)
            off = [setting for setting in _DURABLE if await connection.fetchval(f"SHOW {setting}") != "on"]
        finally:
            await connection.close()
        found += [f"{setting} is off" for setting in off]
        if rows < answered[name]:
            found.append(f"{name}: {answered[name]} answers, {rows} rows: {statement}")
    return found

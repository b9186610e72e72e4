"""Counts the rows afterwards: an answer without its rows would make a fast server and a void figure."""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from dev.postgres import SUPERUSER
from dev.stack import Stack

_DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")
_LOGGED: Final = "SELECT count(*) FROM processing_log WHERE rpc_method = $1 AND status = 'OK' AND phase = 'ACCESS'"


async def connect(stack: Stack, database: str) -> Any:
    """Connect as the superuser."""
    login = stack.postgres.login(database, SUPERUSER)
    return await asyncpg.connect(
        host=login.host, port=login.port, database=database, user=login.user, password=login.password
    )


async def not_durable(stack: Stack) -> list[str]:
    """Return which durable settings are off."""
    connection = await connect(stack, "postgres")
    try:
        return [f"{name} is off" for name in _DURABLE if await connection.fetchval(f"SHOW {name}", column=0) != "on"]
    finally:
        await connection.close()


async def missing(stack: Stack, answered: Mapping[str, int], tokens: int) -> list[str]:
    """Return where rows are missing.

    ``answered``: answers by method as the load names it, "naive" for the naive server's; ``tokens``: tokens that were given.
    """
    found = []
    for method, number in answered.items():
        database = "identity" if ".identity." in method else "payment_vault"
        connection = await connect(stack, database)
        try:
            if method == "naive":
                counts = [
                    await connection.fetchval(f"SELECT count(*) FROM bench_naive_{table}") for table in ("token", "log")
                ]
            else:
                counts = [await connection.fetchval(_LOGGED, method.removeprefix("/"))]
            found += [f"{method}: {number} answers, {count} rows" for count in counts if count < number]
            if method.endswith("/Tokenize"):
                stored = await connection.fetchval("SELECT count(*) FROM token")
                if stored < tokens:
                    found.append(f"{tokens} tokens given, {stored} stored")
        finally:
            await connection.close()
    return found

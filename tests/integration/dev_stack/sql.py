"""Statements as any role of the stack."""

import asyncio

import asyncpg

from dev.postgres import Login


async def _rows(login: Login, *statements: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )
    try:
        return [row for statement in statements for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def rows(login: Login, *statements: str) -> list[asyncpg.Record]:
    """Run statements in one session; all their rows."""
    return asyncio.run(_rows(login, *statements))

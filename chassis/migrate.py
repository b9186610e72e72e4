"""Runs a service's migrations (alembic), under the database's owner role and an advisory lock.

Every migration waits at most a few seconds for a table lock, so that it fails instead of stopping the service.
"""

import asyncio
import logging
from importlib.resources import files
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, text

from chassis.database import connect
from chassis.settings import DatabaseSettings

_LOCK_ID = 7_106_941


def upgrade(settings: DatabaseSettings, scripts: Path) -> None:
    """Bring the database to the newest version of the migrations in ``scripts``."""
    logging.getLogger("alembic").setLevel(logging.INFO)
    asyncio.run(_upgrade(settings, scripts))


async def _upgrade(settings: DatabaseSettings, scripts: Path) -> None:
    engine = connect(settings, owner=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
            await connection.execute(text("SET LOCAL lock_timeout = '4s'"))
            await connection.run_sync(_run, scripts)
    finally:
        await engine.dispose()


def _run(connection: Connection, scripts: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def run_environment() -> None:
    """What every service's ``migrations/env.py`` does: use the connection that ``upgrade`` has opened."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


def schema(name: str, service: str) -> list[str]:
    """Return the statements of one of the chassis' schema files, with the service's roles put in."""
    source = files("chassis").joinpath("schema", f"{name}.sql").read_text()
    return split(source.replace("{service}", service).replace("{auditor}", f"{service}_auditor"))


def split(source: str) -> list[str]:
    """Split SQL at the semicolons that end a line, outside of dollar-quoted bodies."""
    statements: list[str] = []
    current: list[str] = []
    quoted = False
    for line in source.splitlines():
        if not current and (not line.strip() or line.startswith("--")):
            continue
        current.append(line)
        quoted ^= line.count("$$") % 2 == 1
        if line.rstrip().endswith(";") and not quoted:
            statements.append("\n".join(current))
            current = []
    return statements

"""Compares the three accounts of the same calls: the callers' receipts, the processing log, and the received spans."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from dev.identities import SERVICES
from dev.postgres import SUPERUSER, Postgres

_DEADLINE_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.5
_ROWS: Final = "SELECT record_id::text, rpc_method, status FROM processing_log"


@dataclass(frozen=True)
class Accounts:
    """Ids of log rows and of received access spans; `calls` counts the rows by service, RPC and status."""

    rows: frozenset[str]
    spans: frozenset[str]
    repeated: int
    calls: Counter[tuple[str, str, str]]

    @property
    def agree(self) -> bool:
        """Every row has its span and every span its row; a span may have been sent twice (at least once)."""
        return self.rows == self.spans


async def accounts(postgres: Postgres, otlp_file: Path) -> Accounts:
    """Wait until rows and spans agree, at most thirty seconds, and tell how it stands then."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        found = await _accounts(postgres, otlp_file)
        if found.agree or time.monotonic() > deadline:
            return found
        await asyncio.sleep(_PAUSE_SECONDS)


async def _accounts(postgres: Postgres, otlp_file: Path) -> Accounts:
    rows: set[str] = set()
    calls: Counter[tuple[str, str, str]] = Counter()
    for service in SERVICES:
        for record_id, method, status in await _rows(postgres, service):
            rows.add(record_id)
            calls[service, method, status] += 1
    spans = list(_span_records(otlp_file))
    distinct = frozenset(spans)
    return Accounts(frozenset(rows), distinct, len(spans) - len(distinct), calls)


async def _rows(postgres: Postgres, database: str) -> list[Any]:
    login = postgres.login(database, SUPERUSER)
    connection = await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
    )
    try:
        return list(await connection.fetch(_ROWS))
    finally:
        await connection.close()


def _span_records(otlp_file: Path) -> Iterator[str]:
    """The `onggi.record_id` of each access span in the file; its last line may still be growing."""
    with otlp_file.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n") and (record_id := json.loads(line)["attributes"].get("onggi.record_id")):
                yield str(record_id)

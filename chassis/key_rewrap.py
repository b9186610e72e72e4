"""Brings the rows of a key under its newest version, a page at a time, while everybody works on them.

Nothing is decrypted but salts: the context of a derived key begins with them, and Vault rewraps a ciphertext only under its
own context. While a page is put into the database, the next one is at Vault already.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import structlog

from chassis import trace_context
from chassis.call import Call
from chassis.entry import Entry, new_record_id
from chassis.erasure_keys import context
from chassis.errors import SealBroken, Stopping
from chassis.key_rows import KeyRows, Row, SealedColumn
from chassis.transit import Sealed, Transit

log = structlog.get_logger()

_IDLE_PASSES = 3
_PASS_PAUSE = 0.2
_AHEAD = 3  # pages at Vault while one goes into the database

Unwrap = Callable[[Sequence[str]], Awaitable[Sequence[bytes | SealBroken]]]
"""Returns plain salts, in order."""


class Progress(NamedTuple):
    """Rows rewrapped so far, and rows that were left when they were last counted, less those."""

    rewrapped: int
    left: int


class Target(NamedTuple):
    """A key and its newest version."""

    key: str
    newest: int


class _Page(NamedTuple):
    changes: list[tuple[Row, str]]
    broken: int


class Rewrapper:
    """One key's rewrap in one call."""

    def __init__(self, rows: KeyRows, keys: Transit, unwrap: Unwrap, call: Call, target: Target) -> None:
        self._rows = rows
        self._keys = keys
        self._unwrap = unwrap
        self._call = call
        self._key, self._newest = target

    async def run(self) -> AsyncIterator[Progress]:
        """Yield progress until nothing is left, or nothing that can be rewrapped: such rows do not open at all.

        Raises KeyServiceUnavailable, DatabaseUnavailable, Stopping; what is done is done.
        """
        rewrapped = idle = 0
        left = await self._rows.standing(self._key, self._newest)
        yield Progress(0, left)
        while left and idle < _IDLE_PASSES:
            before, first = rewrapped, left
            for column in self._rows.of(self._key):
                async for number in self._pass(column):
                    rewrapped += number
                    yield Progress(rewrapped, max(0, first - (rewrapped - before)))
            left = await self._rows.standing(self._key, self._newest)
            yield Progress(rewrapped, left)
            idle = 0 if rewrapped > before else idle + 1
            if left:
                await asyncio.sleep(_PASS_PAUSE)  # rows that somebody had locked

    async def _pass(self, column: SealedColumn) -> AsyncIterator[int]:
        broken, after, more = 0, None, True
        ahead: deque[asyncio.Task[_Page]] = deque()
        try:
            while more or ahead:
                while more and len(ahead) < _AHEAD:
                    if found := await self._rows.page(column, self._newest, after):
                        after = found[-1]
                        ahead.append(asyncio.create_task(self._prepare(column, [row for row in found if row["older"]])))
                    more = bool(found)
                if ahead:
                    page = await ahead.popleft()
                    broken += page.broken
                    yield await self._rows.swap(column, self._entry(column), page.changes) if page.changes else 0
                if self._call.running.stopping:
                    raise Stopping
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)
        if broken:
            log.error("ciphertexts do not open and stay", key=self._key, table=column.table, rows=broken)

    async def _prepare(self, column: SealedColumn, found: Sequence[Row]) -> _Page:
        if not found:
            return _Page([], 0)
        sealed = await self._sealed(column, found)
        fresh = iter(await self._keys.rewrap(self._key, [item for item in sealed if item is not None]))
        renewed = [(row, next(fresh)) for row, item in zip(found, sealed, strict=True) if item is not None]
        changes = [(row, text) for row, text in renewed if isinstance(text, str)]
        return _Page(changes, len(found) - len(changes))

    async def _sealed(self, column: SealedColumn, found: Sequence[Row]) -> list[Sealed | None]:
        place = column.place
        if place is None:
            return [Sealed(row["sealed"]) for row in found]
        wrapped = list(dict.fromkeys(row["wrapped_salt"] for row in found))
        salts = dict(zip(wrapped, await self._unwrap(wrapped), strict=True))
        return [
            Sealed(row["sealed"], context(salt, place(row))) if isinstance(salt, bytes) else None
            for row, salt in ((row, salts[row["wrapped_salt"]]) for row in found)
        ]

    def _entry(self, column: SealedColumn) -> Entry:
        """A row of the log for each page, within the call's trace: the trigger asks for one in every transaction."""
        call = self._call.entry
        return replace(
            call, record_id=new_record_id(), occurred_ns=time.time_ns(), span_id=trace_context.new_span_id(),
            parent_span_id=call.span_id, resource_ids=[self._key, column.table], sent=False, written=False,
        )  # fmt: skip

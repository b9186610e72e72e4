"""Where the ciphertexts of a holder's keys stand, and the statements that count them, rewrap them and fence them in.

"What is left" is never noted anywhere: it is the rows whose ciphertext begins with an older ``vault:v<n>:``. So a rewrap
that was killed goes on by being begun again. There is no index on the version: it would cost every insert, and is asked
for once a month. A count reads the table once (200,000 rows: about 0.2 s), and so does a rewrap as a whole.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog

from chassis import errors
from chassis.database import DatabaseRefused, Hot
from chassis.entry import Entry
from chassis.erasure_keys import Place
from chassis.ledger import PLAIN_INSERT

log = structlog.get_logger()

PAGE = 996  # four batches of Vault
_FENCE_TRIES = 30
_FENCE_PAUSE = 1.0
_LOCK_NOT_AVAILABLE = "55P03"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SealedColumn:
    """One column that holds ciphertexts of one key.

    ``row``: the columns that identify a row, with their types; an index has them in this order. ``applies``: which rows
    are meant, where a table holds ciphertexts of several keys, and ``needs``: the columns that this looks at. ``unit``:
    SQL for a row's erasure unit, and ``place``: where its value stands; both make the derivation context. A key that is
    not derived has neither.
    """

    key: str
    table: str
    column: str
    row: tuple[tuple[str, str], ...]
    applies: str = "true"
    needs: tuple[str, ...] = ()
    unit: str = ""
    place: Callable[[Row], Place] | None = None
    statements: "_Statements" = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "statements", _statements(self))


def salts_under(key: str) -> SealedColumn:
    """The salts, wrapped under the epoch key: every holder has them."""
    return SealedColumn(key, "erasure_key", "wrapped_salt", (("unit", "text"),))


class _Statements(NamedTuple):
    tally: str
    standing: str
    first: str
    following: str
    swap: str
    fence: str


def _statements(column: SealedColumn) -> _Statements:
    names = [name for name, _ in column.row]
    own = ", ".join(f"t.{name}" for name in names)
    sealed = f"t.{column.column}"
    here = f"FROM {column.table} AS t"
    there = f"WHERE {column.applies} AND {sealed} IS NOT NULL"
    salt, living = "NULL::text", ""
    if column.unit:
        # A row whose unit is destroyed opens under no version, so it stands under none.
        salt, living = (
            "k.wrapped_salt",
            f"JOIN erasure_key AS k ON k.unit = {column.unit} AND k.wrapped_salt IS NOT NULL",
        )
    after = ", ".join(f"${number}::{kind}" for number, (_, kind) in enumerate(column.row, start=3))
    arrays = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(column.row, start=4))
    same = " AND ".join(f"t.{name} = {{of}}.{name}" for name in names)
    # The page is cut before it is looked at: with a condition in there the planner reads and sorts the table for each. Its
    # last row comes along in any case, for the next page begins behind it.
    kept = list(dict.fromkeys([*names, column.column, *column.needs]))
    older = f"{column.applies} AND key_version({sealed}) < $1"
    backwards = ", ".join(f"t.{name} DESC" for name in names)
    page = f"""
    WITH page AS MATERIALIZED (SELECT {", ".join(f"t.{name}" for name in kept)} {here} {{after}} ORDER BY {own} LIMIT $2)
    SELECT {own}, {sealed} AS sealed, {salt} AS wrapped_salt,
           coalesce({older}{" AND k.unit IS NOT NULL" if living else ""}, false) AS older
    FROM page AS t {f"LEFT {living}" if living else ""}
    WHERE {older} OR ({own}) = (SELECT {own} FROM page AS t ORDER BY {backwards} LIMIT 1)
    ORDER BY {own}
    """
    swap = f"""
    WITH log AS ({PLAIN_INSERT}),
    mine AS MATERIALIZED (
        SELECT d.* FROM unnest($2::text[], $3::text[], {arrays}) AS d (old, fresh, {", ".join(names)})
        JOIN {column.table} AS t ON {same.format(of="d")} WHERE t.{column.column} = d.old FOR NO KEY UPDATE OF t SKIP LOCKED),
    changed AS (
        UPDATE {column.table} AS t SET {column.column} = mine.fresh FROM mine
        WHERE {same.format(of="mine")} AND t.{column.column} = mine.old RETURNING 1)
    SELECT count(*) AS rows FROM changed
    """
    return _Statements(
        tally=f"SELECT key_version({sealed}) AS version, count(*) AS rows {here} {living} {there} GROUP BY 1 ORDER BY 1",
        standing=f"SELECT count(*) AS rows {here} {living} {there} AND key_version({sealed}) < $1",
        first=page.format(after=""),
        following=page.format(after=f"WHERE ({own}) > ({after})"),
        swap=swap,
        fence="SELECT set_key_floor($1, $2, $3, $4)",
    )


class KeyRows:
    """The rows of a holder, over one connection that is opened when first needed; ``close`` gives it back."""

    def __init__(self, hot: Hot, columns: Sequence[SealedColumn]) -> None:
        self._hot = hot
        self._columns = columns

    def of(self, key: str) -> list[SealedColumn]:
        """The columns that hold ciphertexts of the key."""
        return [column for column in self._columns if column.key == key]

    async def tally(self, key: str) -> dict[int, int]:
        """Return how many rows stand under each version. Raises DatabaseUnavailable."""
        rows: dict[int, int] = {}
        for column in self.of(key):
            for row in await self._hot.fetch(column.statements.tally):
                rows[row["version"]] = rows.get(row["version"], 0) + row["rows"]
        return rows

    async def standing(self, key: str, newest: int) -> int:
        """Return how many rows stand under versions before the newest. Raises DatabaseUnavailable."""
        found = [await self._hot.fetch(column.statements.standing, newest) for column in self.of(key)]
        return sum(rows[0]["rows"] for rows in found)

    async def page(self, column: SealedColumn, newest: int, after: Row | None) -> Sequence[Row]:
        """Return of the next PAGE rows those under ``older`` versions, and the last: ids, ``sealed``, ``wrapped_salt``."""
        if after is None:
            return await self._hot.fetch(column.statements.first, newest, PAGE)
        last = [after[name] for name, _ in column.row]
        return await self._hot.fetch(column.statements.following, newest, PAGE, *last)

    async def swap(self, column: SealedColumn, entry: Entry, changes: Sequence[tuple[Row, str]]) -> int:
        """Put the new ciphertexts in the places of the old, with a log row; return how many were put.

        A row that has changed meanwhile, or is destroyed, stays as it is. A row that somebody has locked stays for the
        next pass: whoever waits for nobody deadlocks with nobody.
        """
        old = [row["sealed"] for row, _ in changes]
        ids = [[row[name] for row, _ in changes] for name, _ in column.row]
        found = await self._hot.record(
            column.statements.swap, [entry], old, [fresh for _, fresh in changes], *ids
        )  # fmt: skip
        return int(found[0]["rows"])

    async def fence(self, key: str, floor: int) -> None:
        """Have the tables take nothing under versions before the floor. Raises DatabaseUnavailable."""
        for column in self.of(key):
            for left in reversed(range(_FENCE_TRIES)):
                try:
                    await self._hot.fetch(column.statements.fence, key, column.table, column.column, floor)
                    break
                except DatabaseRefused as refusal:
                    if refusal.state != _LOCK_NOT_AVAILABLE or not left:
                        raise errors.DatabaseUnavailable from None
                    await asyncio.sleep(_FENCE_PAUSE)

    async def close(self) -> None:
        """Give the connection back."""
        await self._hot.close()

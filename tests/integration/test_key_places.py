"""Every column that holds ciphertexts is known to the service that rewraps it and to the fence of its table (CR-08)."""

from collections.abc import Sequence

import pytest

from chassis.key_rows import SealedColumn
from services.identity import key_places as identity
from services.identity.archive import key_places as archive
from services.payment_vault import key_places as payment_vault
from tests.integration.log_rows import Log

COLUMNS = {"identity": identity.COLUMNS, "archive": archive.COLUMNS, "payment_vault": payment_vault.COLUMNS}
_SEALED = """
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.atttypid = 'text'::regtype AND NOT a.attisdropped
AND (a.attname LIKE 'sealed%' OR a.attname LIKE 'wrapped%')
"""
_PAGE_OF = "(CAST(CAST(ctid AS text) AS point))[0]::int"
_FILL = """
INSERT INTO token (token, member_id, kind, number_fingerprint, fingerprint, sealed, sealed_masked)
SELECT 'room-' || n, gen_random_uuid(), 'card', repeat('n', 55), n || repeat('f', 55), repeat('s', 130), repeat('m', 130)
FROM generate_series(1, 1000) AS s (n)
"""
# The last page is left out: it has room in any case.
_ONE_OF_EACH_PAGE = f"""
SELECT {_PAGE_OF} AS page, min(token) AS token FROM token WHERE token LIKE 'room-%' GROUP BY 1
HAVING {_PAGE_OF} < (SELECT max({_PAGE_OF}) FROM token) ORDER BY 1
"""
_REWRAP = f"""
WITH changed AS (UPDATE token SET sealed = repeat('S', 130) WHERE token = ANY ($1::text[]) RETURNING {_PAGE_OF} AS page)
SELECT page FROM changed ORDER BY page
"""
_INDEXED = """
SELECT DISTINCT a.attname FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = 'token'::regclass
"""


@pytest.mark.parametrize("service", COLUMNS)
async def test_every_ciphertext_has_its_place(log: Log, service: str) -> None:
    """What the tables have, what is rewrapped and what is fenced in are the same columns."""
    columns: Sequence[SealedColumn] = COLUMNS[service]
    there = {tuple(row) for row in await log.fetch(service, _SEALED)}
    fenced = {tuple(row) for row in await log.fetch(service, "SELECT key, guarded, sealed, applies FROM key_place")}

    assert there == {(column.table, column.column) for column in columns}
    assert fenced == {(column.key, column.table, column.column, column.applies) for column in columns}


@pytest.mark.parametrize("service", COLUMNS)
async def test_a_rewrap_reads_its_rows_by_an_index(log: Log, service: str) -> None:
    """Each page is found by an index whose first columns identify the row: a rewrap as a whole reads the table once."""
    for column in COLUMNS[service]:
        names = [name for name, _ in column.row]
        indexes = await log.fetch(service, """
            SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k (number, at)
                         JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.at) AS names
            FROM pg_index AS i WHERE i.indrelid = $1::text::regclass AND i.indpred IS NULL
            """, column.table)  # fmt: skip
        assert names in [row["names"][: len(names)] for row in indexes], f"{column.table}: {names}"


async def test_a_rewrap_finds_room_in_the_pages_of_tokens(log: Log) -> None:
    """A row that is rewrapped stays in its page, so that no index is touched (a heap-only tuple)."""
    await log.fetch("payment_vault", "BEGIN")
    try:
        # No log row is asked for: it is rolled back.
        await log.fetch("payment_vault", "SET LOCAL session_replication_role = replica")
        await log.fetch("payment_vault", _FILL)
        pages = await log.fetch("payment_vault", _ONE_OF_EACH_PAGE)
        moved = await log.fetch("payment_vault", _REWRAP, [row["token"] for row in pages])
        indexed = await log.fetch("payment_vault", _INDEXED)
    finally:
        await log.fetch("payment_vault", "ROLLBACK")

    assert len(pages) > 20
    assert [row["page"] for row in moved] == [row["page"] for row in pages]
    assert {row["attname"] for row in indexed}.isdisjoint({"sealed", "sealed_masked"})


@pytest.mark.parametrize("service", COLUMNS)
@pytest.mark.parametrize(("sealed", "version"), [
    ("vault:v1:AAAA", 1), ("vault:v12:AAAA", 12), ("vault:v999999999:A", 999_999_999), ("vault:v1:", 1), ("vault:v07:A", 7),
    ("vault:v1234567890:A", 0), ("vault:v:AAAA", 0), ("vault:v1", 0), ("vault:v1x:AAAA", 0), ("vault:v-1:A", 0),
    ("vault:v 1:A", 0), ("vault:v+1:A", 0), ("xvault:v1:A", 0), ("VAULT:v1:A", 0), ("", 0), (None, None),
    ("vault:v\u0661:A", 0),
])  # fmt: skip
async def test_the_version_of_a_ciphertext_is_read_from_its_head(
    log: Log, service: str, sealed: str | None, version: int | None
) -> None:
    """What is no ciphertext of transit stands under no version (0), and nothing makes the statement fail."""
    [row] = await log.fetch(service, "SELECT key_version($1) AS version", sealed)

    assert row["version"] == version

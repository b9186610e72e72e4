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

"""Where the ciphertexts of identity's keys stand. The same places are written in key_place, for the fence in the tables."""

from functools import partial

from chassis.erasure_keys import Place
from chassis.key_rows import Row, SealedColumn, salts_under
from services.identity import keys
from services.identity.kept import LOG_LIKE

KEYS_ROLE = "identity-keys"


def _member(row: Row, group: str) -> Place:
    return keys.member_place(str(row["member_id"]), group)


def _log_like(row: Row, kind: str) -> Place:
    return keys.log_place(kind, str(row["record_id"]))


def _member_column(column: str, group: str) -> SealedColumn:
    return SealedColumn(
        keys.PII_KEY, "member", column, (("member_id", "uuid"),), unit="'member:' || t.member_id",
        place=partial(_member, group=group),
    )  # fmt: skip


def record_fields(key: str, service: str) -> SealedColumn:
    """The fields of records, here and in the archive alike."""
    return SealedColumn(
        key, "record_field", "sealed", (("record_id", "uuid"), ("field", "text")),
        unit="'record:' || t.record_id || ':' || t.field",
        place=lambda row: keys.field_place(str(row["record_id"]), row["field"], service),
    )  # fmt: skip


COLUMNS = (
    _member_column("sealed", "profile"),
    _member_column("sealed_password", "password"),
    SealedColumn(
        keys.PII_KEY, "contact", "sealed", (("contact_id", "uuid"),), unit="'contact:' || t.contact_id",
        place=lambda row: keys.contact_place(str(row["contact_id"])),
    ),
    *(
        SealedColumn(
            keys.PII_KEY, table, "sealed", (("event_date", "date"), ("record_id", "uuid")),
            unit=f"'{kind}:' || to_char(t.event_date, 'YYYY-MM-DD')", place=partial(_log_like, kind=kind),
        )
        for kind, table in LOG_LIKE.items()
    ),
    record_fields(keys.PII_KEY, keys.SERVICE),
    salts_under(keys.EPOCH_KEY),
)  # fmt: skip

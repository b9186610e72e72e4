"""Records as people see them: what stands in one, and the bases that it is kept under."""

from collections.abc import Iterable

from onggi.identity.v1.record_service_pb2 import Record, Standing
from rich.table import Table

from cli.detail import listing, rows
from cli.printable import kst


def records_table(records: Iterable[Record]) -> Table:
    """One line a record."""
    columns = ("record", "kind", "time", "content", "bases", "version")
    return listing(columns, [_line(record) for record in records])


def standings_table(standings: Iterable[Standing]) -> Table:
    """One line a basis."""
    lines = [(one.category, one.event_date or "(not yet)", one.ended_on) for one in standings]
    return listing(("category", "event date", "ended"), lines)


def _line(record: Record) -> tuple[str, ...]:
    kind = record.WhichOneof("body") or ""
    content = "; ".join(f"{label}: {text}" for label, text in rows(getattr(record, kind))) if kind else ""
    bases = ", ".join(f"{one.category} {one.event_date}".rstrip() for one in record.standings)
    return record.record_id, kind, kst(record.occurred_at), content, bases, record.policy_version

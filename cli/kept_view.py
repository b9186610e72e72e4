"""What is kept of somebody, as people see it: what, where, under which article, and until when."""

from collections.abc import Iterable

from onggi.retention.v1.kept_item_pb2 import KeptItem
from rich.table import Table

from cli.detail import listing

COLUMNS = ("what", "where", "category", "basis", "article", "start event", "event date", "last day kept (KST)", "items")


def kept_table(kept: Iterable[KeptItem]) -> Table:
    """One line a basis, in the order of the answer."""
    return listing(COLUMNS, [_line(item) for item in kept])


def _line(item: KeptItem) -> tuple[str, ...]:
    return (
        f"{item.kind} {item.record_id}".rstrip(),
        item.holder,
        f"{item.category} {item.korean}".lstrip(),
        item.basis,
        item.article,
        item.start_event,
        item.event_date or "(not yet)",
        last_day(item),
        ", ".join(item.items),
    )


def last_day(item: KeptItem) -> str:
    """`2032-03-31`; what has ended, has no end yet, or needs a person says so, and a hold when it is reviewed."""
    day = item.last_day or (f"(no end; review {item.review_on})" if item.review_on else "(no end yet)")
    marks = [*(["ended"] if item.ended else []), *(["CONFLICT"] if item.conflict else [])]
    return f"{day} {', '.join(marks)}".rstrip()

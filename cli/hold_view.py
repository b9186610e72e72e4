"""A legal hold as people see it."""

from collections.abc import Iterable
from typing import Annotated

import typer
from onggi.retention.v1.hold_service_pb2 import Hold
from rich.table import Table

from cli.detail import enum_name, listing
from cli.printable import person_or_service

HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="The hold's id.", show_default=False)]
COLUMNS = (
    "hold",
    "of",
    "authority",
    "document",
    "article",
    "placed on",
    "review on",
    "state",
    "placed by",
    "approved by",
)


def holds_table(holds: Iterable[Hold]) -> Table:
    """One line a hold, in the order of the answer."""
    return listing(COLUMNS, [_line(hold) for hold in holds])


def _line(hold: Hold) -> tuple[str, ...]:
    return (
        hold.hold_id,
        whose(hold),
        hold.authority,
        hold.document_number,
        hold.article,
        hold.placed_on,
        f"{hold.review_on} {'OVERDUE' if hold.review_overdue else ''}".rstrip(),
        state(hold),
        person_or_service(hold.placed_by),
        person_or_service(hold.approved_by) or "(nobody yet)",
    )


def whose(hold: Hold) -> str:
    """`member …` or `record …`; of a hold that is released the register does not know it any more."""
    kind = hold.WhichOneof("of")
    return f"{kind.removesuffix('_id')} {getattr(hold, kind)}" if kind else "(released)"


def state(hold: Hold) -> str:
    """`STANDING`; while holders have still to be told, which."""
    name = enum_name(Hold.DESCRIPTOR.fields_by_name["state"], hold.state)
    return f"{name}, waits for {', '.join(hold.waiting_for)}" if hold.waiting_for else name

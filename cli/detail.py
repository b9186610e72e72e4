"""Messages as tables for people. What is masked stays as it was served."""

from collections.abc import Iterator, Sequence

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table

from cli.printable import kst, plain


def detail(message: Message) -> Table:
    """Two columns: the name of each field that is set, and its value; inner messages are opened."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows(message):
        table.add_row(plain(label), plain(text))
    return table


def rows(message: Message) -> Iterator[tuple[str, str]]:
    """Label and text of each field that is set, in the contract's order."""
    for field, value in sorted(message.ListFields(), key=lambda entry: entry[0].number):
        if isinstance(value, Timestamp):
            yield _label(field), kst(value)
        elif isinstance(value, Message):
            yield from rows(value)
        elif field.is_repeated:
            yield _label(field), ", ".join(str(item) for item in value)
        elif field.enum_type is not None:
            yield _label(field), enum_name(field, value)
        else:
            yield _label(field), str(value)


def listing(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    """A table with one line an item."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for line in lines:
        table.add_row(*(plain(text) for text in line))
    return table


def enum_name(field: FieldDescriptor, number: int) -> str:
    """The name of an enum's value without the enum's own name before it; the number when this version has no name."""
    kind = field.enum_type
    if kind is None or number not in kind.values_by_number:
        return str(number)
    zero = kind.values_by_number[0].name
    return str(kind.values_by_number[number].name).removeprefix(zero.removesuffix("UNSPECIFIED"))


def _label(field: FieldDescriptor) -> str:
    return str(field.name).replace("_", " ")

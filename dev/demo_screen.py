"""What the demo says: chapters, steps, answers and checks, on a terminal or into a pipe. A failed check ends it."""

from collections.abc import Mapping
from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH: Final = 120
_INDENT: Final = 5


class DemoFailed(Exception):
    """The demo did not go as it must; the text says how."""


class Screen:
    """Writes to standard output; interprets nothing in what it is given."""

    def __init__(self) -> None:
        width = None if Console().is_terminal else _PIPE_WIDTH
        self.console = Console(width=width, markup=False, emoji=False, highlight=False)
        self.steps = 0
        self.checks = 0

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.print(Rule(Text(title, style="bold"), align="left"))

    def note(self, text: str) -> None:
        """Say something beside the story."""
        self.console.print(Text(f"     {text}", style="dim"))

    def step(self, what: str, *, who: str = "", rpc: str = "", purpose: str = "", reason: str = "") -> None:
        """Announce what is done next, by whom, and under which purpose."""
        self.steps += 1
        line = Text(f"\n{self.steps:>3}  ").append(what, style="bold")
        details = [who, rpc, f"purpose {purpose}" if purpose else "", f"reason “{reason}”" if reason else ""]
        if any(details):
            line.append("\n     " + " · ".join(detail for detail in details if detail), style="cyan")
        self.console.print(line)

    def show(self, rows: Mapping[str, str]) -> None:
        """Two columns: names and values."""
        width = max(map(len, rows), default=0)
        for name, value in rows.items():
            line = Text(" " * _INDENT).append(f"{name:<{width}}  ", style="dim").append(value)
            self.console.print(line, soft_wrap=True)

    def table(self, *columns: str) -> Table:
        """Make an empty table; give it to `draw` when it is full."""
        return Table(*columns, box=None, pad_edge=False, header_style="bold")

    def draw(self, table: Table) -> None:
        """Show a table."""
        self.console.print(Padding(table, (0, 0, 0, _INDENT)))

    def output(self, text: str, most: int = 40) -> None:
        """Show what a command printed, at most its first `most` lines."""
        lines = text.rstrip().splitlines()
        for line in lines[:most]:
            self.console.print(Text(f"     {line.rstrip()}"), soft_wrap=True)
        if len(lines) > most:
            self.note(f"… and {len(lines) - most} more lines")

    def expect(self, statement: str, holds: bool, found: object = "") -> None:
        """Tell a fact and end the demo where it does not hold; `found` is shown then, so it must hold no value.

        Raises:
            DemoFailed: the fact does not hold.
        """
        self.checks += 1
        if not holds:
            raise DemoFailed(f"not as expected: {statement}" + (f" (found: {found})" if found != "" else ""))
        self.console.print(Text("     ✓ ", style="green").append(statement, style="default"))

    def progress(self) -> Progress:
        """Bars for a long step; a context manager."""
        columns = (TextColumn("     {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console)


def leaves(message: Message) -> dict[str, str]:
    """Name of each field that is set -> its value as text; inner messages are opened, times are ISO 8601."""
    found: dict[str, str] = {}
    for field, value in message.ListFields():
        if isinstance(value, Timestamp):
            found[field.name] = value.ToDatetime().isoformat(timespec="seconds") + "Z"
        elif isinstance(value, Message):
            found |= leaves(value)
        else:
            found[field.name] = str(value)
    return found

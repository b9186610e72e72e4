"""How an import gets on: a bar on a terminal, a line now and then in a pipe, nothing beside JSON. On standard error."""

import time
from types import TracebackType
from typing import Final, Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.import_journal import Progress as Standing
from cli.session import Session

_SECONDS_A_LINE: Final = 10.0


class Display:
    """Shows bytes of the file as the whole, and tokens, rejects and lines a second. Use as a context manager."""

    def __init__(self, session: Session, size: int, standing: Standing) -> None:
        self._session = session
        self._size = max(size, 1)
        self._began, self._lines_before, self._told = time.monotonic(), standing.line, time.monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if session.err.is_terminal and not session.options.json:
            columns = (
                TextColumn("{task.percentage:>3.0f}%", markup=False),
                BarColumn(),
                TextColumn("{task.description}", markup=False),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=session.err)
            self._task = self._bar.add_task(self._words(standing), total=self._size, completed=standing.offset)

    def show(self, standing: Standing) -> None:
        """Show how far the import has come."""
        if self._bar is not None:
            self._bar.update(self._task, completed=standing.offset, description=self._words(standing))
        elif not self._session.options.json and time.monotonic() - self._told > _SECONDS_A_LINE:
            self._told = time.monotonic()
            self._session.note(f"{100 * standing.offset // self._size:>3d}%  {self._words(standing)}")

    def _words(self, standing: Standing) -> str:
        rate = (standing.line - self._lines_before) / max(time.monotonic() - self._began, 0.001)
        return f"{standing.tokens} tokens, {standing.rejects} rejects, {rate:.0f} lines/s"

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

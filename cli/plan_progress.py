"""Progress of a plan: bars on a terminal, lines in a pipe, JSON lines for a program."""

from types import TracebackType
from typing import Protocol, Self

from onggi.retention.v1.retention_service_pb2 import Plan, PlanState, WatchPlanResponse
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from cli.json_output import as_object
from cli.plan_view import done, state_name
from cli.printable import printable
from cli.session import Session


class Display(Protocol):
    """Shows a plan each time it has moved on. A context manager: leaving it ends the display."""

    def show(self, plan: Plan) -> None:
        """The plan as it stands now."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def display(session: Session) -> Display:
    """The display that fits who is watching."""
    if session.options.json:
        return JsonLines(session)
    return Bars(session) if session.out.is_terminal else Lines(session)


class _Plain:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class JsonLines(_Plain):
    """One WatchPlanResponse a line."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def show(self, plan: Plan) -> None:
        """Every step is a line."""
        self._session.print_json(as_object(WatchPlanResponse(plan=plan)), indent=None)


class Lines(_Plain):
    """A line when the state changes, and one for every tenth of the whole."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last: tuple[str, int] | None = None

    def show(self, plan: Plan) -> None:
        """Silent while less than a tenth has changed."""
        total = sum(part.units for part in plan.parts)
        reached = sum(done(part, plan.state) for part in plan.parts)
        now = (state_name(plan), 10 * reached // total if total else 0)
        if now != self._last:
            self._session.out.print(f"{state_name(plan):<14} {reached}/{total} units", soft_wrap=True)
            self._last = now


class Bars:
    """One bar for each part, and the state above them."""

    def __init__(self, session: Session) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=session.out)
        self._session = session
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._state: PlanState.ValueType | None = None

    def show(self, plan: Plan) -> None:
        """Moves the bars; a new state is a line above them."""
        if plan.state != self._state:
            self._progress.console.print(state_name(plan))
            self._state = plan.state
        for part in plan.parts:
            key = (part.category, part.holder)
            if key not in self._tasks:
                label = printable(f"{part.category} {part.holder}")
                self._tasks[key] = self._progress.add_task(label, total=part.units)
            self._progress.update(self._tasks[key], total=part.units, completed=done(part, plan.state))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

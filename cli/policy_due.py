"""`onggi policy due`: the cut-off of each category on a day."""

from datetime import date
from typing import Annotated

import typer

from chassis.policy.calendars import Calendars
from cli.detail import listing
from cli.failures import UsageError
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened
from cli.session import Session

_COLUMNS = ("category", "name", "period", "due up to")

On = Annotated[str, typer.Option("--on", metavar="YYYY-MM-DD", help="The day, in Korea; required.", show_default=False)]


def due(session: Session, *, on: On, directory: Directory = BESIDE_THE_PROGRAM) -> None:
    """Tell for each category the latest event date that is due on a day; none where the start is no date of its own.

    By the periods of the version that is in force on that day, for what is collected under it.
    """
    day = _day(on)
    policy = opened(directory)
    calendar = Calendars(policy).in_force(day)
    try:
        cut_offs = {name: calendar.due(name, day) for name in sorted(calendar.categories)}
    except (ValueError, OverflowError):
        raise UsageError("--on lies too near the beginning of the calendar") from None
    if session.options.json:
        session.print_json(
            {"on": day.isoformat(), "due": {name: at and at.isoformat() for name, at in cut_offs.items()}}
        )
        return
    rows = [(name, calendar.categories[name], at.isoformat() if at else "-") for name, at in cut_offs.items()]
    session.out.print(listing(_COLUMNS, [(name, category.korean, category.period, at) for name, category, at in rows]))


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # Python takes 20310511 and 2031-W19-7 too
        raise UsageError("--on wants a day as YYYY-MM-DD")
    return day

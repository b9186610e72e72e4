"""`onggi policy due`: the cut-off of each category on a day."""

from datetime import date
from typing import Annotated

import typer
from rich.table import Table

from chassis.policy.calendar import Calendar
from chassis.policy.privacy_policy import PrivacyPolicy
from cli.failures import UsageError
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened
from cli.printable import plain
from cli.session import Session

On = Annotated[str, typer.Option("--on", metavar="YYYY-MM-DD", help="The day, in Korea; required.", show_default=False)]


def due(session: Session, *, on: On, directory: Directory = BESIDE_THE_PROGRAM) -> None:
    """Tell for each category the latest event date that is due on a day; none where the start is no date of its own."""
    day = _day(on)
    policy = opened(directory)
    cut_offs = cut_offs_on(policy, day)
    if session.options.json:
        session.print_json(
            {"on": day.isoformat(), "due": {name: at and at.isoformat() for name, at in cut_offs.items()}}
        )
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("category", "name", "period", "due up to"):
        table.add_column(heading)
    for name, at in cut_offs.items():
        row = (name, policy.retention.categories[name].korean, policy.period(name), at.isoformat() if at else "-")
        table.add_row(*map(plain, row))
    session.out.print(table)


def cut_offs_on(policy: PrivacyPolicy, day: date) -> dict[str, date | None]:
    """The latest event date that is due on a day, by category, for what is collected under the version in force then."""
    version = policy.version_on(day)
    categories = {
        name: category.model_copy(update={"period": policy.period_for(name, version, version), "when": {}})
        for name, category in sorted(policy.retention.categories.items())
    }
    calendar = Calendar(policy.owner, categories)
    return {name: calendar.due(name, day) for name in categories}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError("--on wants a day as YYYY-MM-DD") from None

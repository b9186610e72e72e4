"""The calendar over the real schedule against the table worked out by hand from the law."""

import json
from datetime import date, datetime

import pytest

from chassis.kst import event_date
from cli.app import main
from tests.unit.calendar_schedule import CATEGORIES, IDS, calendar
from tests.unit.calendar_table import COLUMNS, EVENTS, INSTANTS, WITHOUT_DATE, due_dates

TABLE = due_dates()


def test_the_table_is_complete() -> None:
    """R-01 to R-28: at least forty days, and every id of the schedule once in every row, whatever its column."""
    columns = [name for names in COLUMNS.values() for name in names]

    assert len(TABLE) >= 40
    assert sorted([*columns, *WITHOUT_DATE]) == IDS == sorted(CATEGORIES)
    assert all(IDS == sorted(row) for row in TABLE.values())


@pytest.mark.parametrize("on", TABLE)
def test_what_is_due_is_what_the_law_says(on: str) -> None:
    """R-01 to R-28, LC-11: for each category the latest event date that is due that day, or none where no date tells."""
    today = date.fromisoformat(on)
    dues = {name: calendar().due(name, today) for name in IDS}

    assert TABLE[on] == {name: day and day.isoformat() for name, day in dues.items()}


@pytest.mark.parametrize(("instant", "day", "payment", "login"), INSTANTS)
def test_today_is_a_korean_day(instant: str, day: str, payment: str, login: str) -> None:
    """LC-01, R-09b, R-12: nothing is due at 23:59:59 KST of its last day, everything is at 00:00, whatever UTC says."""
    today = event_date(datetime.fromisoformat(instant))

    assert day == today.isoformat()
    assert date.fromisoformat(payment) == calendar().due("R-09b", today)
    assert date.fromisoformat(login) == calendar().due("R-12", today)


@pytest.mark.parametrize(("instant", "day", "payment", "login", "tax"), EVENTS)
def test_an_event_counts_on_its_korean_day(instant: str, day: str, payment: str, login: str, tax: str) -> None:
    """LC-11, R-09b, R-10, R-12: half past three in the afternoon UTC of 31 December is next year's event, and tax year."""
    event = event_date(datetime.fromisoformat(instant))

    assert day == event.isoformat()
    assert date.fromisoformat(payment) == calendar().end("R-09b", event)
    assert date.fromisoformat(login) == calendar().end("R-12", event)
    assert date.fromisoformat(tax) == calendar().end("R-10", event)


@pytest.mark.parametrize("on", TABLE)
def test_the_command_prints_it(on: str, capsys: pytest.CaptureFixture[str]) -> None:
    """R-01 to R-28: `onggi policy due --on D --json` over the policy's files says what the table says."""
    assert main(["policy", "due", "--on", on, "--json"]) == 0
    assert {"on": on, "due": TABLE[on]} == json.loads(capsys.readouterr().out)

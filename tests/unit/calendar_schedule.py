"""The schedule and the owner's facts as the calendar's tests read them: from the very files that the policy runs on."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chassis.policy.calendar import Calendar
from chassis.policy.owner import Owner, Settings
from chassis.policy.retention import Category, Retention

POLICY = Path(__file__).parents[2] / "policy"


def _file(name: str) -> dict[str, object]:
    return tomllib.loads((POLICY / name).read_text(encoding="utf-8"))


CATEGORIES: Mapping[str, Category] = Retention.model_validate(_file("chapters/4-retention.toml")).categories
OWNER = Owner.of(Settings.model_validate(_file("settings.toml")))
IDS = sorted(CATEGORIES)


@cache
def calendar(**facts: object) -> Calendar:
    """The calendar of the owner, some of whose facts are others."""
    return Calendar(OWNER.model_copy(update=facts), CATEGORIES)

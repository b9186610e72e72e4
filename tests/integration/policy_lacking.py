"""A copy of the policy whose owner adds a row to the schedule, and one day takes it out again."""

import shutil
from pathlib import Path

from dev.environment import ROOT

ADDED = "R-29"
"""Another row for misuse, beside R-04 and R-23."""
_LIKE = "R-23"
_CHAPTER = Path("chapters") / "4-retention.toml"


def copied(directory: Path) -> Path:
    """Copy the policy as it is."""
    return Path(shutil.copytree(ROOT / "policy", directory / "policy"))


def add(policy: Path) -> None:
    """Add the row to a copy: records of misuse may stand under it."""
    take_out(policy)
    chapter = policy / _CHAPTER
    head, title, table = chapter.read_text(encoding="utf-8").partition(f"[categories.{_LIKE}]\n")
    row, following, rest = table.partition("\n[")
    twice = f"{title}{row}\n[categories.{ADDED}]\n{row}{following}{rest}"
    allowed = f'may_stand_under = ["R-04", "{_LIKE}"'
    assert twice.count(allowed) == 1
    chapter.write_text(head + twice.replace(allowed, f'{allowed}, "{ADDED}"'), encoding="utf-8")


def take_out(policy: Path) -> None:
    """Make a copy what it was before the row was added."""
    shutil.copy(ROOT / "policy" / _CHAPTER, policy / _CHAPTER)


def make_a_gap(policy: Path) -> None:
    """Say of the row that was there before that no service holds what stands under it."""
    take_out(policy)
    chapter = policy / _CHAPTER
    head, title, table = chapter.read_text(encoding="utf-8").partition(f"[categories.{_LIKE}]\n")
    holders = 'holders = ["identity", "archive"]'
    assert holders in table.partition("\n[")[0]
    chapter.write_text(head + title + table.replace(holders, 'gap = "paper"', 1), encoding="utf-8")

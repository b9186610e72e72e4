"""docs/policy.md names every file, check and setting of the policy, docs/policy-gaps.md every row not confirmed."""

import re
from pathlib import Path

from chassis.policy.load import load
from chassis.policy.owner import Owner
from chassis.policy.privacy_policy import FILES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


def first_cells() -> list[str]:
    """What stands in backticks in the first column of the page's tables."""
    return [
        name for cell in re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`([^`]+)`", cell)
    ]


def test_every_file_has_its_row() -> None:
    """Who looks for a fact of the policy finds the file that has it."""
    assert [cell for cell in first_cells() if cell.startswith("policy/")] == [
        f"policy/{name}" for name in FILES.values()
    ]


def test_every_setting_has_its_row() -> None:
    """Each fact that only the owner can settle is told with what it decides."""
    assert [cell for cell in first_cells() if "/" not in cell] == list(Owner.model_fields)


def test_every_check_has_its_row() -> None:
    """Each module of checks is told with what it refuses."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "chassis" / "policy").glob("checks_*.py")}

    assert {cell for cell in first_cells() if cell.startswith("chassis/")} == modules | {"chassis/policy/ties.py"}


def test_every_row_that_is_not_confirmed_is_listed() -> None:
    """What counsel has to confirm are the rows of the schedule that are not "verified", each with its certainty."""
    gaps = (ROOT / "docs" / "policy-gaps.md").read_text(encoding="utf-8")
    categories = load(ROOT / "policy").retention.categories

    assert re.findall(r"^\| (R-\d\d[a-d]?) \| `(\w+)` \|", gaps, re.MULTILINE) == [
        (name, category.certainty) for name, category in categories.items() if category.certainty != "verified"
    ]

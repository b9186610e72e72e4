"""What a destruction certificate states (파기확인서)."""

import json
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from chassis.policy.calendars import Calendars
from chassis.policy.load import load
from services.retention.categories import Categories
from services.retention.certificate import TOOL, statement, unrecoverable_after
from services.retention.plan import Check, Part, Plan, State
from services.retention.settings import WindowSettings

ROOT = Path(__file__).parents[2]
CATEGORIES = Categories(Calendars(load(ROOT / "policy")))
NOON = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)  # the 25th, half past midnight, in Seoul
CHECKS = (Check("rows left in member", 2, 0, passed=True),)
PART = Part(
    "R-01", "identity", date(2026, 11, 24), {"member": 2, "contact": 6}, 2, "a" * 64,
    destroyed={"member": 1, "contact": 3}, skipped=1, checks=CHECKS,
)  # fmt: skip
PLAN = Plan(
    plan_id="0b3f4e9e-3c1f-4a53-9c3b-5a0d8a1b2c3d", state=State.VERIFIED, day=date(2026, 11, 24), categories=("R-01",),
    epoch=4, digest="d" * 64, exceeds_forecast=True, requested_by="spiffe://onggi/ns/staff/sa/retention-operator",
    approved_by="spiffe://onggi/ns/staff/sa/privacy-officer", approved_at=NOON,
    started_by="spiffe://onggi/ns/staff/sa/retention-operator", executed_from=NOON, executed_to=NOON, verified_at=NOON,
    policy_version="1", trouble="", trace_id="1" * 32, span_id="2" * 16, created_at=NOON, updated_at=NOON,
    parts=(PART, replace(PART, category="R-12", planned={"login_record": 9, "member": 1}, destroyed={"login_record": 9})),
)  # fmt: skip


def stated() -> dict[str, object]:
    """The statement as an object."""
    value: dict[str, object] = json.loads(statement(PLAN, CATEGORIES, WindowSettings(), NOON))
    return value


def test_the_statement_has_the_whole_register_entry() -> None:
    """Every column that the register wants, and no other: a new one is a decision (LC-08)."""
    assert {
        "certificate", "certificate_version", "plan_id", "plan_digest", "policy_version", "categories", "rows_planned",
        "rows_destroyed", "method", "requested_by", "approved_by", "approved_at", "started_by", "executed_from",
        "executed_to", "verified_at", "unrecoverable_after", "trace_id", "tool", "issued_at",
    } == stated().keys()  # fmt: skip


def test_rows_are_counted_by_holder_and_table() -> None:
    """Over all categories; what was planned and what was destroyed may differ, and both are told."""
    assert {"identity": {"member": 3, "contact": 6, "login_record": 9}} == stated()["rows_planned"]
    assert {"identity": {"member": 1, "contact": 3, "login_record": 9}} == stated()["rows_destroyed"]


def test_a_category_says_why_and_how_it_was_verified() -> None:
    """Basis, article and edition as in the policy, set, units left alone, each check with its result (LC-03, LC-08)."""
    [category, _] = json.loads(statement(PLAN, CATEGORIES, WindowSettings(), NOON))["categories"]
    law = ("CONTRACT", "개인정보 보호법 제15조 제1항 제4호, 제21조 제1항", "법률 제21445호, 2026-09-11 시행")
    assert law == (category["basis"], category["article"], category["edition"])
    assert (2, 1, "a" * 64) == (category["units"], category["units_no_longer_due"], category["set_digest"])
    assert [{"check": "rows left in member", "examined": 2, "left": 0, "passed": True}] == category["verification"]


def test_cut_offs_are_stated_where_they_differ_and_nowhere_else() -> None:
    """A category that was due by one date has no other; else each version has its own beside it (GV-02)."""
    parts = (PART, replace(PART, category="R-05", through=date(2022, 11, 23), cutoffs={"1": date(2023, 11, 23)}))
    value = json.loads(statement(replace(PLAN, parts=parts), CATEGORIES, WindowSettings(), NOON))
    assert 4 == value["certificate_version"]
    assert [("2026-11-24", None), ("2022-11-23", {"1": "2023-11-23"})] == [
        (category["through"], category.get("cutoffs")) for category in value["categories"]
    ]


def test_a_category_that_the_policy_has_no_more_is_not_certified() -> None:
    """Nobody could say under which article it ended."""
    with pytest.raises(KeyError, match="R-99"):
        statement(replace(PLAN, parts=(replace(PART, category="R-99"),)), CATEGORIES, WindowSettings(), NOON)


def test_times_are_korean() -> None:
    """An instant of the 24th in UTC is the 25th in Seoul, and the windows start there."""
    assert "2026-11-25T00:30:00+09:00" == stated()["executed_to"] == stated()["issued_at"]
    assert "2026-12-30" == stated()["unrecoverable_after"]


@pytest.mark.parametrize("name", WindowSettings.model_fields)
def test_the_longest_window_counts(name: str) -> None:
    """Backups, archive, snapshots, key versions: data is gone when the last of them is (LC-04)."""
    windows = WindowSettings(**{name: 400})
    assert date(2027, 12, 29) == unrecoverable_after(date(2026, 11, 24), windows)


def test_only_a_verified_plan_has_a_certificate() -> None:
    """A plan without approval, execution or verification cannot be stated."""
    for missing in ("approved_at", "executed_from", "executed_to", "verified_at"):
        with pytest.raises(ValueError, match="verified"):
            statement(replace(PLAN, **{missing: None}), CATEGORIES, WindowSettings(), NOON)  # type: ignore[arg-type]


def test_the_tool_is_this_version() -> None:
    """The certificate names the version of the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"{project['name']} {project['version']}" == TOOL

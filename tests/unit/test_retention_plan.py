"""The rules over a purge plan: states, approval, digest, forecast."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.policy.calendars import Calendars
from chassis.policy.load import load
from services.retention.categories import Categories
from services.retention.forecast import Forecast, Measure
from services.retention.plan import (
    FORECAST,
    RUNNING,
    Part,
    Plan,
    State,
    canonical,
    check_approval,
    check_step,
    digest_of,
)
from services.retention.preparation import decide
from services.retention.refusals import PlanChanged, SelfApproval, WrongState

# Written by hand, not derived: what a plan may do.
ALLOWED = {
    ("PREPARING", "PLANNED"),
    ("PREPARING", "APPROVED"),
    ("PLANNED", "APPROVED"),
    ("APPROVED", "DESTROYING"),
    ("DESTROYING", "DESTROYED"),
    ("DESTROYED", "VERIFIED"),
    ("VERIFIED", "CERTIFIED"),
    ("DESTROYING", "NEEDS_OPERATOR"),
    ("DESTROYED", "NEEDS_OPERATOR"),
    ("VERIFIED", "NEEDS_OPERATOR"),
    ("NEEDS_OPERATOR", "DESTROYING"),
}
POLICY = load(Path(__file__).parents[2] / "policy")
LIMITS = {Measure.MEMBERS: 20, Measure.LOGIN_RECORDS: 1000, Measure.RECORDS: 50}
FORECAST_OF = Forecast(Categories(Calendars(POLICY)), LIMITS)
DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
MEMBERS = Part("R-01", "identity", DAY, {"member": 20, "contact": 3000}, 20, "a" * 64)
TOKENS = Part("R-03", "payment_vault", DAY, {"token": 5000}, 20, "b" * 64)
LOGINS = Part("R-12", "identity", date(2026, 8, 24), {"login_record": 1000}, 90, "c" * 64)
VISITS = Part("R-22", "identity", date(2026, 8, 24), {"usage_record": 1000}, 90, "e" * 64)
PAYMENTS = Part("R-09b", "archive", date(2021, 11, 23), {"record_basis": 50, "record_field": 900}, 50, "f" * 64)
PLAN = Plan(
    plan_id="0b3f4e9e-3c1f-4a53-9c3b-5a0d8a1b2c3d", state=State.PLANNED, day=DAY, categories=("R-01",), epoch=1,
    digest=digest_of([MEMBERS]), exceeds_forecast=True, requested_by="operator", approved_by="", approved_at=None,
    started_by="", executed_from=None, executed_to=None, verified_at=None, policy_version="1", trouble="", trace_id="",
    span_id="", created_at=NOW, updated_at=NOW, parts=(MEMBERS,),
)  # fmt: skip


@pytest.mark.parametrize(("now", "then"), list(product(State, State)))
def test_a_plan_goes_the_ways_that_are_allowed_and_no_other(now: State, then: State) -> None:
    """CERTIFIED follows VERIFIED alone, and nothing skips the approval."""
    if (now.value, then.value) in ALLOWED:
        check_step(now, then)
    else:
        with pytest.raises(WrongState):
            check_step(now, then)


def test_a_worker_has_work_between_the_start_and_the_certificate() -> None:
    """The running states are those that another attempt can go on from."""
    assert {"DESTROYING", "DESTROYED", "VERIFIED"} == {state.value for state in RUNNING}


def test_the_requester_may_not_approve_whatever_the_state() -> None:
    """Self-approval is refused before anything else is told about the plan."""
    for state in State:
        with pytest.raises(SelfApproval):
            check_approval(replace(PLAN, state=state), "operator", "wrong")


def test_approval_wants_a_planned_plan_and_its_own_digest() -> None:
    """Another person approves what was reviewed, once."""
    check_approval(PLAN, "officer", PLAN.digest)
    with pytest.raises(PlanChanged):
        check_approval(PLAN, "officer", digest_of([LOGINS]))
    for state in set(State) - {State.PLANNED}:
        with pytest.raises(WrongState):
            check_approval(replace(PLAN, state=state), "officer", PLAN.digest)


CHANGES = [
    {"category": "R-03"},
    {"holder": "payment_vault"},
    {"through": date(2026, 11, 25)},
    {"units": 21},
    {"digest": "d" * 64},
    {"planned": {"member": 20, "contact": 3001}},
    {"planned": {"member": 20, "contacts": 3000}},
    {"cutoffs": {"1": date(2026, 11, 23)}},
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_is_bound_to_all_that_will_be_destroyed(change: dict[str, object]) -> None:
    """One more unit, another day, another table: another digest."""
    assert digest_of([MEMBERS, LOGINS]) != digest_of([replace(MEMBERS, **change), LOGINS])  # type: ignore[arg-type]


def test_progress_does_not_change_the_digest() -> None:
    """What was approved stays what was approved while it is destroyed; the order of the parts is no matter."""
    later = replace(MEMBERS, destroyed={"member": 20}, remaining=0, skipped=1)
    assert digest_of([MEMBERS, LOGINS]) == digest_of([LOGINS, later])


def test_the_digest_has_a_known_value() -> None:
    """The canonical form is fixed: a plan that was reviewed under one version is approved under the next."""
    assert digest_of([MEMBERS]) == "9f4a9b5bbb89b5231480cfd6e51a802a58b057dd41c94fc92b360ec5b9d330bc"


@pytest.mark.parametrize(
    ("parts", "above"),
    [
        ([], False),
        ([MEMBERS, TOKENS, LOGINS], False),
        ([replace(MEMBERS, units=21)], True),
        ([replace(TOKENS, units=21)], True),
        ([replace(LOGINS, planned={"login_record": 1001})], True),
        ([replace(LOGINS, units=100_000)], False),
        ([VISITS, PAYMENTS], False),
        ([replace(VISITS, planned={"usage_record": 1001})], True),
        ([replace(PAYMENTS, units=51)], True),
        ([PAYMENTS, replace(PAYMENTS, holder="identity")], False),
    ],
)
def test_the_forecast_counts_members_log_rows_and_records(parts: list[Part], above: bool) -> None:
    """A member or a record is a unit whatever it has; log-like records are counted as rows whatever their days."""
    assert above is FORECAST_OF.is_exceeded(parts)


def test_every_planned_category_has_a_measure_of_the_forecast() -> None:
    """Whatever the policy has a holder for is counted, R-03 as R-01 is (R-01, R-03, R-12, R-22)."""
    planned = FORECAST_OF.categories.chosen((), DAY)
    measures = [
        (due.category, FORECAST_OF.measure(replace(MEMBERS, category=due.category, holder=due.holder)))
        for due in planned
    ]
    assert ["R-01", "R-03"] == [name for name, measure in measures if measure is Measure.MEMBERS]
    assert ["R-12", "R-22"] == [name for name, measure in measures if measure is Measure.LOGIN_RECORDS]
    assert ("R-01", Measure.RECORDS) in measures, "of the archive: what holds have left over is records"


def test_within_the_forecast_the_forecast_approves() -> None:
    """A small plan is approved at once and says by what; a large one has no approver yet."""
    within, above = decide([MEMBERS], FORECAST_OF), decide([replace(MEMBERS, units=21)], FORECAST_OF)
    assert (State.APPROVED, FORECAST) == (within.state, within.values["approved_by"])
    assert State.PLANNED == above.state
    assert "approved_by" not in above.values


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.integers())))
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    """The same value gives the same bytes."""
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_canonical_json_is_utf8_sorted_and_dense() -> None:
    """No escapes that JSON does not need, no white space, no NaN."""
    assert '{"a":[1,2],"가":"파기"}'.encode() == canonical({"가": "파기", "a": [1, 2]})
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))

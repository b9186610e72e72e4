"""What the archive takes for left over of a released legal hold, and what it refuses to start without (LC-05, LC-13)."""

from chassis.policy.load import load
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import Retention
from dev.environment import ROOT
from services.identity.stocks import of_archive

POLICY = load(ROOT / "policy")


def without_archive(*names: str) -> PrivacyPolicy:
    """The policy, with the archive as a holder of these categories no more."""
    rows = dict(POLICY.retention.categories)
    rows |= {name: rows[name].model_copy(update={"holders": ("identity",)}) for name in names}
    retention: Retention = POLICY.retention.model_copy(update={"categories": rows})
    return POLICY.model_copy(update={"retention": retention})


def test_what_only_a_hold_brings_in_ended_with_the_membership() -> None:
    """R-01, R-20: contract and consent; R-09b, R-10: the archive holds them itself; R-12: no record of the archive's kind."""
    found = set(POLICY.retention.brought_by_holds())
    assert {"R-01", "R-20"} <= found
    assert not {"R-09b", "R-10", "R-12"} & found


def test_a_minimum_is_never_left_over_whoever_holds_it() -> None:
    """R-10: an owner takes the archive from its holders; its rows there have years to run and are not destroyed at once."""
    assert "R-10" not in without_archive("R-10").retention.brought_by_holds()


def test_the_archive_counts_rows_of_a_minimum_that_it_has_lost_as_lacking() -> None:
    """R-10: it does not start while rows stand there under what no plan would ask it for."""
    [before], [after] = of_archive(POLICY), of_archive(without_archive("R-10"))
    assert {"R-01", "R-10"} <= set(before.held)
    assert {"R-10"} == set(before.held) - set(after.held)

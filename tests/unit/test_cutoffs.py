"""The cut-offs of a category by version: read from the contract, kept as JSON, asked for one version."""

from datetime import date

import pytest
from onggi.purge.v1.purge_service_pb2 import Cutoff

from chassis.cutoffs import NEVER, Cutoffs, dates, messages, texts
from chassis.errors import InvalidField

DAY, EARLIER = date(2023, 11, 23), date(2022, 11, 23)
CUTOFFS = Cutoffs(EARLIER, {"1": DAY})


def test_each_version_has_its_own_date_and_the_others_the_common_one() -> None:
    """Also a version that nobody has named: the date in force is for all that is not told otherwise."""
    assert [CUTOFFS.of(version) for version in ("1", "2", "")] == [DAY, EARLIER, EARLIER]
    assert (CUTOFFS.latest, Cutoffs(DAY).latest) == (DAY, DAY)


def test_they_come_back_as_they_were_sent_and_stored() -> None:
    """Through the contract and through JSON, "nothing is due" included."""
    by_version = {"1": DAY, "2": NEVER}
    assert Cutoffs.read("2022-11-23", messages(by_version)) == Cutoffs(EARLIER, by_version)
    assert dates(texts(by_version)) == by_version
    assert texts(by_version) == {"1": "2023-11-23", "2": "0001-01-01"}
    assert Cutoffs.stored(EARLIER, {"1": "2023-11-23"}) == CUTOFFS


@pytest.mark.parametrize(
    ("through", "cutoffs", "field", "rule"),
    [
        ("2026-02-30", [], "through", "date"),
        ("2026-02-28", [Cutoff(policy_version="1", through="2026-02-30")], "cutoffs[0].through", "date"),
        ("2026-02-28", [Cutoff(policy_version="1", through="2026-02-01")] * 2, "cutoffs[1].policy_version", "REPEATED"),
    ],
)
def test_what_is_no_day_and_what_says_two_things_is_refused(
    through: str, cutoffs: list[Cutoff], field: str, rule: str
) -> None:
    """Nobody guesses a date by which data is destroyed (LC-01)."""
    with pytest.raises(InvalidField) as caught:
        Cutoffs.read(through, cutoffs)
    assert [(field, rule)] == [(each.field, each.rule) for each in caught.value.violations]

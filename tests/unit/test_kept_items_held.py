"""What the answer to a withdrawal says of legal holds (LC-13, 법21①)."""

from datetime import date

import pytest
from onggi.purge.v1.purge_service_pb2 import Kept

from chassis.policy.load import load
from dev.environment import ROOT
from services.identity.kept_items import MOST, KeptItems

LEFT = date(2026, 11, 24)
ITEMS = KeptItems(load(ROOT / "policy"))
ARTICLE = {"h1": "형사소송법 제215조", "h2": "민사집행법 제227조"}


def entry(kind: str, record_id: str, category: str = "", hold_id: str = "", event: str = "2026-11-20") -> Kept:
    """A basis or a hold."""
    return Kept(
        kind=kind, record_id=record_id, category=category, hold_id=hold_id, event_date=event, policy_version="1"
    )


@pytest.mark.parametrize(("bases", "holder"), [
    ([entry("payment", "r", "R-01"), entry("payment", "r", "R-09b")], "archive"),
    ([entry("payment", "r", "R-01")], "archive"),
    ([entry("partnership_inquiry", "r", "R-06")], "identity"),
    ([entry("member", "r", "R-01")], "identity"),
    ([entry("consent", "r", "R-15")], "identity"),
])  # fmt: skip
def test_a_hold_is_told_where_the_thing_will_be(bases: list[Kept], holder: str) -> None:
    """LC-13, LC-05: a held record that nothing keeps here moves; people and consents stay, and so does what lives here."""
    held = entry(bases[0].kind, "r", hold_id="h1")
    told = ITEMS.beyond(LEFT, [held, *bases], ARTICLE)
    [one] = [item for item in told if item.basis == "HOLD"]
    assert (one.holder, one.article, one.event_date, one.last_day) == (holder, ARTICLE["h1"], "2026-11-20", "")
    assert (one.category, one.record_id, one.conflict, one.ended) == ("", "r", False, False)
    assert {item.holder for item in told} == {holder}


def test_each_hold_is_told_and_each_thing() -> None:
    """LC-13: two holds on one record are two items; the same hold on another record is another one."""
    kept = [entry("payment", record_id, hold_id=hold_id) for record_id in "ab" for hold_id in ARTICLE]
    kept += [entry("payment", record_id, "R-09b") for record_id in "ab"]
    told = [(item.record_id, item.article) for item in ITEMS.beyond(LEFT, kept, ARTICLE) if item.basis == "HOLD"]
    assert sorted(told) == sorted((record_id, article) for record_id in "ab" for article in ARTICLE.values())


def test_of_too_many_a_hold_is_told_by_kind() -> None:
    """LC-13: with thousands of held records the answer names the kind once, under the hold."""
    kept = [entry("payment", str(number), hold_id="h1") for number in range(MOST + 1)]
    kept += [entry("payment", str(number), "R-09b") for number in range(MOST + 1)]
    told = ITEMS.beyond(LEFT, kept, ARTICLE)
    assert [(item.basis, item.record_id, item.category) for item in told] == [
        ("HOLD", "", ""),
        ("LAW_MIN", "", "R-09b"),
    ]

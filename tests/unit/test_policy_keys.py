"""No key of the policy can go missing unnoticed: each is taken away, one by one."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import pytest

from chassis.policy import ties
from chassis.policy.faults import Fault, PolicyRefused
from chassis.policy.load import of_documents
from chassis.policy.privacy_policy import FILES
from cli.policy_contract import contract
from tests.unit.policy_documents import DOCUMENTS, Step, keys, without

OPTIONAL: Mapping[str, str] = {
    # Each of these leaves a policy that is whole and says something else; what it then says is told here.
    "collection items.*.part": "the item is then printed by itself, and not as a part of another; the render tests see it",
    "retention categories.R-06.start.else_occurred": "the period then waits for the end of the review",
    "retention holds.articles.*": "no hold can be placed on that article any more (LC-13)",
    "access full_view.*": "the caller then sees the items masked: less, never more (AC-12)",
    "access onggi.*.*/*.*/*": "the caller is then refused: what is not written is not allowed (AC-01)",
}
"""Part and key, as a pattern -> what the policy means without it."""

CONTRACT = contract()


def faults_without(part: str, path: tuple[Step, ...]) -> list[Fault]:
    """What `onggi policy check` says of the policy without a key."""
    try:
        policy = of_documents(without(part, path))
    except PolicyRefused as refusal:
        return list(refusal.faults)
    return list(ties.faults(policy, CONTRACT))


def is_named(part: str, path: tuple[Step, ...], faults: list[Fault]) -> bool:
    """Whether a fault names the key, the table that it stood in, or something that stood in it."""
    key, table = dotted(path), dotted(path[:-1])
    named = [fault.key for fault in faults if fault.file == FILES[part]]
    return any(each in (key, table) or each.startswith(f"{key}.") for each in named if each)


def dotted(path: tuple[Step, ...]) -> str:
    """The path as faults write it."""
    return ".".join(map(str, path))


def pattern_of(part: str, path: tuple[Step, ...]) -> str | None:
    """The pattern of the table above that a key matches."""
    return next((pattern for pattern in OPTIONAL if fnmatchcase(f"{part} {dotted(path)}", pattern)), None)


@pytest.mark.parametrize("part", FILES)
def test_every_key_is_missed(part: str) -> None:
    """The policy without any one key is refused by the loader or the ties, naming that key, or the table says why not."""
    unnoticed, misnamed = [], []
    for path in keys(DOCUMENTS[part]):
        faults = faults_without(part, path)
        if not faults and pattern_of(part, path) is None:
            unnoticed.append(dotted(path))
        elif faults and not is_named(part, path, faults):
            misnamed.append((dotted(path), faults[0]))

    assert unnoticed == []
    assert misnamed == []


@pytest.mark.parametrize("pattern", OPTIONAL)
def test_what_is_optional_can_go(pattern: str) -> None:
    """Each pattern of the table is needed: some key that matches it can be taken away."""
    part = pattern.partition(" ")[0]
    matching = [path for path in keys(DOCUMENTS[part]) if pattern_of(part, path) == pattern]

    assert any(not faults_without(part, path) for path in matching)


def test_the_walk_sees_every_key() -> None:
    """The walk reaches keys of tables, of tables within lists, and of inline tables."""
    assert ("channels", 0, "korean") in set(keys(DOCUMENTS["collection"]))
    assert ("categories", "R-10", "start", "counted_from") in set(keys(DOCUMENTS["retention"]))
    assert sum(1 for part in FILES for _ in keys(DOCUMENTS[part])) > 1500

"""The policy's parsed files, and copies of them with one thing changed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chassis.policy.faults import Fault, PolicyRefused
from chassis.policy.load import Documents, of_documents, read

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS: Documents = read(ROOT / "policy")

Step = str | int


def keys(table: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The path of every key within a table, down to the last."""
    steps = table.items() if isinstance(table, Mapping) else enumerate(table) if isinstance(table, list) else ()
    for step, value in steps:
        if isinstance(table, Mapping):
            yield (*path, step)
        yield from keys(value, (*path, step))


def without(part: str, path: tuple[Step, ...]) -> Documents:
    """The policy without one key."""
    return {**DOCUMENTS, part: _changed(DOCUMENTS[part], path, lambda table, step: table.pop(step))}


def having(part: str, path: tuple[Step, ...], value: object, base: Documents = DOCUMENTS) -> Documents:
    """The policy with one value set; tables on the way are made."""
    return {**base, part: _changed(base[part], path, lambda table, step: table.__setitem__(step, value))}


def told(part: str, path: tuple[Step, ...], value: object) -> list[str]:
    """What the loader says of the policy with one value set, a line a fault."""
    return [str(fault) for fault in faults(having(part, path, value))]


def refused(documents: Documents) -> dict[tuple[str, str], str]:
    """The reasons for which a policy is refused, by file and key; none when it is not."""
    return {(fault.file, fault.key): fault.reason for fault in faults(documents)}


def faults(documents: Documents) -> tuple[Fault, ...]:
    """What is wrong with a policy."""
    try:
        of_documents(documents)
    except PolicyRefused as refusal:
        return refusal.faults
    return ()


def _changed(table: Any, path: tuple[Step, ...], change: Any) -> Any:
    copy = dict(table) if isinstance(table, Mapping) else list(table)
    step, *rest = path
    if rest:
        inner = copy[step] if isinstance(copy, list) else copy.get(step, {})
        copy[step] = _changed(inner, tuple(rest), change)
    else:
        change(copy, step)
    return copy

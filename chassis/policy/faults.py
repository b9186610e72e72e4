"""What is wrong with a policy, told so that its owner can mend it: which file, which key, why."""

from collections.abc import Sequence
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that is wrong.

    ``file``: its path within the policy's directory. ``key``: the dotted key of the table or value, "" for the file as a
    whole. ``reason``: a predicate of the key, such as "is missing".
    """

    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


class PolicyRefused(ValueError):
    """A policy that is incomplete or contradicts itself. ``faults`` has all that was found, by file and key."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("\n".join(map(str, self.faults)))

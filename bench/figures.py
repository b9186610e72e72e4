"""From measurements to figures: medians, percentiles, ratios, and the rows of build/bench.json."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

FULL: Final = 0.95  # of a core: from here on whatever shares it is the limit


@dataclass(frozen=True)
class Target:
    """What a ratio is held against. ``bound``: the target itself is still fine; ``aim`` would be good."""

    bound: float
    aim: float
    at_most: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the table. ``value`` and ``baseline`` in ``unit``, both of the same run.

    ``p50`` and ``p99``: milliseconds, from the moment at which a call was due (open loop). ``cpu``: processor time by
    process, as a share of one core. ``notes``: what a reader must know to read the ratio.
    """

    name: str
    value: float
    baseline: float
    target: Target | None
    unit: str = "calls/s"
    p50: float | None = None
    p99: float | None = None
    cpu: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def ratio(self) -> float:
        """The value as a share of the baseline."""
        return self.value / self.baseline if self.baseline else math.nan

    def as_json(self) -> dict[str, Any]:
        """Return the row as build/bench.json has it."""
        target = self.target
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "baseline": round(self.baseline, 4),
            "ratio": round(self.ratio, 4),
            "target": target.bound if target else None,
            "at_most": target.at_most if target else False,
            "aim": target.aim if target else None,
            "p50_ms": _rounded(self.p50),
            "p99_ms": _rounded(self.p99),
            "cpu": {name: round(share, 3) for name, share in self.cpu.items()},
            "notes": list(self.notes),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of all are not above (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the median; a ratio is that of two medians over the same rounds."""
    return statistics.median(values)


def shares(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median share of each process over the rounds."""
    return {name: median([one[name] for one in rounds]) for name in rounds[0]} if rounds else {}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

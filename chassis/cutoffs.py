"""Up to which event date a category is due, by the version of the policy that something was collected under.

A longer period is for what is collected under the version that brought it or a later one (방침 제21조), so one date does
not tell of everything what is due. The dates are fixed with a plan's set, and whoever destroys looks at the same ones.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from onggi.purge.v1 import purge_service_pb2 as api

from chassis.errors import InvalidField, Violation
from chassis.requested_day import requested_day

NEVER = date.min
"""The cut-off where nothing is due: no event is as early."""


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The latest event dates that are due.

    ``through``: of what was collected under a version that is not named. ``by_version``: of the versions of which it is
    another date.
    """

    through: date
    by_version: Mapping[str, date] = field(default_factory=dict)

    @classmethod
    def read(cls, through: str, cutoffs: Sequence[api.Cutoff] = ()) -> Self:
        """Return what a request says. Raises InvalidField for a day that is none and a version that is there twice."""
        by_version: dict[str, date] = {}
        for index, cutoff in enumerate(cutoffs):
            if cutoff.policy_version in by_version:
                raise InvalidField([Violation(f"cutoffs[{index}].policy_version", "REPEATED")])
            by_version[cutoff.policy_version] = requested_day(cutoff.through, f"cutoffs[{index}].through")
        return cls(requested_day(through, "through"), by_version)

    @classmethod
    def stored(cls, through: date, cutoffs: Mapping[str, str]) -> Self:
        """Return what a plan has fixed, as its row holds it."""
        return cls(through, dates(cutoffs))

    @property
    def latest(self) -> date:
        """The latest of them all."""
        return max([self.through, *self.by_version.values()])

    def of(self, version: str) -> date:
        """Return the latest event date that is due of what was collected under a version."""
        return self.by_version.get(version, self.through)


def texts(by_version: Mapping[str, date]) -> dict[str, str]:
    """Return dates by version as JSON has them."""
    return {version: day.isoformat() for version, day in by_version.items()}


def dates(by_version: Mapping[str, str]) -> dict[str, date]:
    """Return dates by version as JSON had them. Raises ValueError."""
    return {version: date.fromisoformat(day) for version, day in by_version.items()}


def messages(by_version: Mapping[str, date]) -> list[api.Cutoff]:
    """Return dates by version as the contract has them."""
    return [api.Cutoff(policy_version=version, through=day) for version, day in texts(by_version).items()]


def is_due(event: str, version: str) -> str:
    """Return the SQL that says whether an event is due; both are columns, ``parameters`` gives what it compares with.

    The first comparison is there for an index over the events alone.
    """
    by_version = f"CAST(CAST(:by_version AS jsonb) ->> {version} AS date)"
    return f"({event} <= CAST(:latest AS date) AND {event} <= coalesce({by_version}, CAST(:through AS date)))"


def parameters(cutoffs: Cutoffs) -> dict[str, Any]:
    """Return the parameters of ``is_due``."""
    by_version = json.dumps(texts(cutoffs.by_version))
    return {"through": cutoffs.through, "latest": cutoffs.latest, "by_version": by_version}

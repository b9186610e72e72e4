"""The versions of the policy (제21조, 부칙): when each was announced and took effect, and which periods it changed.

A record keeps the version that it was collected under. A shorter period applies to it at once, a longer one only if it
was collected under the version that brought it or a later one.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

from pydantic import Field

from chassis.policy.length import length
from chassis.policy.model import Table


class Change(Table):
    """A category's period before and since a version. ``to_existing``: a law makes a longer one apply to what is there."""

    category: str
    before: str
    after: str
    to_existing: bool = False


class Version(Table):
    """One version.

    ``changes``: what changed, for people. ``changed``: the periods that did. ``consents``: those whose scope or text did,
    so that they must be asked for again. ``source``: what the dates stand on.
    """

    id: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,11}$")
    announced_on: date
    effective_on: date
    materiality: Literal["minor", "material"]
    changes: str
    changes_english: str
    source: str
    changed: tuple[Change, ...]
    consents: tuple[str, ...]


class Versions(Table):
    """The file ``versions.toml``: the versions in the order in which they took effect."""

    versions: tuple[Version, ...] = Field(min_length=1)

    def on(self, day: date) -> str:
        """Return the id of the version in force on a Korean day; before the first, the first."""
        in_force = [version.id for version in self.versions if version.effective_on <= day]
        return in_force[-1] if in_force else self.versions[0].id

    def position(self, version: str) -> int:
        """Return the place of a version, the first being 0. Raises KeyError for one that is not in the file."""
        for place, each in enumerate(self.versions):
            if each.id == version:
                return place
        raise KeyError(version)

    def periods(self, category: str, latest: str) -> tuple[str, ...]:
        """Return a category's period under each version, in order; ``latest`` is the one that chapter 4 has."""
        found = [latest]
        for version in reversed(self.versions[1:]):
            found.append(next((change.before for change in version.changed if change.category == category), found[-1]))
        return tuple(reversed(found))

    def period(self, category: str, latest: str, collected_under: str, in_force: str) -> str:
        """Return the period of what was collected under a version while another is in force: the shortest since.

        Of two that are as long, the earlier. Raises KeyError for a version that is not in the file.
        """
        since, until = self.position(collected_under), self.position(in_force)
        for place in range(since + 1, until + 1):
            if any(change.category == category and change.to_existing for change in self.versions[place].changed):
                since = place
        periods = self.periods(category, latest)[since : max(since, until) + 1]
        return min(periods, key=length)

    def asked_again(self, collected_under: str, consents_of: Mapping[str, str]) -> Mapping[str, str]:
        """Return the consents that no longer cover what they did when they were given under a version.

        Each with the first version that it does not cover. ``consents_of``: category -> the consent that it stands on.
        Asked for again is a consent whose scope or text a later material version changed, or under which one keeps
        longer. Raises KeyError for an unknown version.
        """
        again: dict[str, str] = {}
        for version in self.versions[self.position(collected_under) + 1 :]:
            if version.materiality == "material":
                for name in {*version.consents, *_kept_longer(version, consents_of)}:
                    again.setdefault(name, version.id)
        return again


def _kept_longer(version: Version, consents_of: Mapping[str, str]) -> Iterator[str]:
    for change in version.changed:
        if change.category in consents_of and length(change.after) > length(change.before):
            yield consents_of[change.category]

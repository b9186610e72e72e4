"""By which calendar something ends: that of the version it was collected under, as far as a later one may change it.

A shorter period applies at once to what is there, a longer one only to what was collected under the version that brought
it or a later one; a version that is announced and not in force yet changes nothing.
"""

from datetime import date

from chassis.policy.calendar import Calendar, period_in_force
from chassis.policy.privacy_policy import PrivacyPolicy


class Calendars:
    """The calendars of one policy.

    ``categories``: the rows of the schedule, by id. ``versions``: the ids of all versions, in order.
    """

    def __init__(self, policy: PrivacyPolicy) -> None:
        self._policy = policy
        self._made: dict[tuple[str, str], Calendar] = {}
        self.categories = policy.retention.categories
        self.brought_by_holds = policy.retention.brought_by_holds()
        self.versions = tuple(version.id for version in policy.versions.versions)

    def version_on(self, day: date) -> str:
        """Return the version in force on a Korean day."""
        return self._policy.version_on(day)

    def binds(self, category_id: str) -> bool:
        """Return whether the owner's settings turn a category on. Raises KeyError."""
        return period_in_force(self.categories[category_id], self._policy.owner) is not None

    def in_force(self, day: date) -> Calendar:
        """Return the calendar of what is collected on a Korean day."""
        in_force = self._policy.version_on(day)
        return self._of(in_force, in_force)

    def of(self, collected_under: str, day: date) -> Calendar:
        """Return the calendar, on a Korean day, of what was collected under a version.

        That of the version in force where the policy does not know the version, or none is told.
        """
        in_force = self._policy.version_on(day)
        return self._of(collected_under if collected_under in self.versions else in_force, in_force)

    def _of(self, collected_under: str, in_force: str) -> Calendar:
        if (calendar := self._made.get((collected_under, in_force))) is None:
            periods = {name: self._policy.period_for(name, collected_under, in_force) for name in self.categories}
            categories = {
                name: category.model_copy(update={"period": periods[name], "when": {}})
                for name, category in self.categories.items()
            }
            calendar = self._made[collected_under, in_force] = Calendar(self._policy.owner, categories)
        return calendar

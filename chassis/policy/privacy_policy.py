"""The whole policy: the nine chapters, its versions, the owner's settings and the access rules."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property

from chassis.policy.access_rules import AccessRules
from chassis.policy.collection import Collection
from chassis.policy.contacts import Contacts
from chassis.policy.cookies import Cookies
from chassis.policy.destruction import Destruction
from chassis.policy.model import Table
from chassis.policy.owner import Owner, Settings
from chassis.policy.processors import Processors
from chassis.policy.purposes import Purposes
from chassis.policy.retention import Retention
from chassis.policy.rights import Rights
from chassis.policy.safeguards import Safeguards
from chassis.policy.versions import Versions

FILES: Mapping[str, str] = {
    "collection": "chapters/1-collection.toml",
    "purposes": "chapters/2-purposes.toml",
    "processors": "chapters/3-processors.toml",
    "retention": "chapters/4-retention.toml",
    "destruction": "chapters/5-destruction.toml",
    "rights": "chapters/6-rights.toml",
    "cookies": "chapters/7-cookies.toml",
    "safeguards": "chapters/8-safeguards.toml",
    "contacts": "chapters/9-contacts.toml",
    "versions": "versions.toml",
    "settings": "settings.toml",
    "access": "access.toml",
}
"""Part of the policy -> its file, within the policy's directory."""

CHAPTERS = tuple(FILES)[:9]
"""The parts that are chapters, in their order."""


class PrivacyPolicy(Table):
    """The policy, complete and without contradiction: only ``load`` makes one."""

    collection: Collection
    purposes: Purposes
    processors: Processors
    retention: Retention
    destruction: Destruction
    rights: Rights
    cookies: Cookies
    safeguards: Safeguards
    contacts: Contacts
    versions: Versions
    settings: Settings
    access: AccessRules

    @cached_property
    def owner(self) -> Owner:
        """The values of the owner's settings."""
        return Owner.of(self.settings)

    def version_on(self, day: date) -> str:
        """Return the id of the version in force on a Korean day; before the first, the first."""
        return self.versions.on(day)

    def period(self, category_id: str) -> str:
        """Return a category's period as chapter 4 has it, under the owner's settings. Raises KeyError."""
        return self.retention.categories[category_id].period_under(self.owner.text)

    def period_for(self, category_id: str, collected_under: str, in_force: str | None = None) -> str:
        """Return the period of what was collected under a version, while another (by default the newest) is in force.

        A shorter period applies at once, a longer one only to what was collected under the version that brought it or a
        later one. Raises KeyError for a category or version that the policy does not have.
        """
        newest = self.versions.versions[-1].id
        return self.versions.period(category_id, self.period(category_id), collected_under, in_force or newest)

    def asked_again(self, given_under: str) -> Mapping[str, str]:
        """Return the policy's consents that, given under a version, must be asked for again. Raises KeyError.

        Each with the first version that it does not cover.
        """
        consents_of = {key: category.consent for key, category in self.retention.categories.items() if category.consent}
        again = self.versions.asked_again(given_under, consents_of)
        return {name: again[name] for name in sorted(again.keys() & self.purposes.consents.keys())}

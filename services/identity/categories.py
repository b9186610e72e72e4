"""What identity, or the archive, has to destroy: the categories that the policy names it as a holder of."""

from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.purge import Category
from services.identity import keys, purge_consents, purge_members
from services.identity.purge_log_records import EndedDays
from services.identity.purge_records import EndedBases


def of_identity(policy: PrivacyPolicy) -> dict[str, Category]:
    """Return the part in the purge of each category that identity holds."""
    retention = policy.retention
    by_month = {kind.stands_under[0]: name for name, kind in retention.records.items() if kind.kept == "by month"}
    found: dict[str, Category] = {
        name: EndedDays(by_month[name], policy.version_on) if name in by_month else EndedBases(name, retention)
        for name, category in retention.categories.items()
        if keys.SERVICE in category.holders
    }
    found[purge_members.CATEGORY] = purge_members.WithdrawnMembers(retention)
    found[purge_consents.CATEGORY] = purge_consents.EndedConsents()
    return found


def of_archive(policy: PrivacyPolicy, service: str, key: str) -> dict[str, Category]:
    """Return the same for the archive: its name as a holder, and the key that its fields are sealed under."""
    return {
        name: EndedBases(name, policy.retention, service=service, key=key)
        for name, category in policy.retention.categories.items()
        if service in category.holders
    }

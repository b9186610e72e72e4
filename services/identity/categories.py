"""What identity, or the archive, has to destroy: the categories that the policy names it as a holder of."""

from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.purge_category import Category
from services.identity import keys, maxima, purge_consents, purge_members
from services.identity.archive.purge_left_over import LeftOver
from services.identity.purge_log_records import EndedDays
from services.identity.purge_maximum import EndedMaximum
from services.identity.purge_records import EndedBases


def of_identity(policy: PrivacyPolicy) -> dict[str, Category]:
    """Return the part in the purge of each category that identity holds."""
    retention = policy.retention
    by_month = {kind.stands_under[0]: name for name, kind in retention.records.items() if kind.kept == "by month"}
    found: dict[str, Category] = {
        name: EndedDays(by_month[name], policy.version_on) if name in by_month else _of_records(name, policy)
        for name in retention.held_by(keys.SERVICE)
    }
    found[purge_members.CATEGORY] = purge_members.WithdrawnMembers(retention)
    found[purge_consents.CATEGORY] = purge_consents.EndedConsents()
    return found


def of_archive(policy: PrivacyPolicy, service: str, key: str) -> dict[str, Category]:
    """Return the same for the archive: its name as a holder, and the key that its fields are sealed under.

    To them come those that only legal holds have brought in.
    """
    retention = policy.retention
    left_over = {name: LeftOver(name, retention, service=service, key=key) for name in retention.brought_by_holds()}
    return {name: _of_records(name, policy, service, key) for name in retention.held_by(service)} | left_over


def _of_records(name: str, policy: PrivacyPolicy, service: str = keys.SERVICE, key: str = keys.PII_KEY) -> Category:
    if name in maxima.of_schedule(policy.retention):
        return EndedMaximum(name, policy, service=service, key=key)
    return EndedBases(name, policy.retention, service=service, key=key)

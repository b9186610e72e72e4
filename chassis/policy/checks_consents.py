"""What stands on a consent stays within the items that it covers (법 제15조 제2항): nobody has agreed to more."""

from collections.abc import Iterator

from chassis.policy.faults import Fault
from chassis.policy.privacy_policy import FILES, PrivacyPolicy


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """Fields that are kept, and items that are shown in full, beyond the consent that they stand on."""
    consents = policy.purposes.consents
    for name, category in policy.retention.categories.items():
        if category.consent in consents:
            covered = consents[category.consent].items
            for field in category.keeps:
                item = policy.collection.item_of(field)
                if item is not None and item not in covered:
                    reason = f"has {field}, but the consent {category.consent!r} does not cover {item!r}"
                    yield Fault(FILES["retention"], f"categories.{name}.keeps", reason)
    for name, purpose in policy.purposes.purposes.items():
        if purpose.consent in consents:
            for item in sorted(set(purpose.full_view) - set(consents[purpose.consent].items)):
                reason = f"has {item!r}, which the consent {purpose.consent!r} does not cover"
                yield Fault(FILES["purposes"], f"purposes.{name}.full_view", reason)

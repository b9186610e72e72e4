"""Everything that a well-formed policy can still have wrong, checked in turn."""

from collections.abc import Callable, Iterator

from chassis.policy import (
    checks_access,
    checks_consents,
    checks_records,
    checks_references,
    checks_schedule,
    checks_settings,
    checks_versions,
)
from chassis.policy.faults import Fault
from chassis.policy.privacy_policy import CHAPTERS, FILES, PrivacyPolicy

_CHECKS: tuple[Callable[[PrivacyPolicy], Iterator[Fault]], ...] = (
    checks_references.faults,  # what is named is there, and what is there is used
    checks_consents.faults,  # nothing is kept or shown beyond the consent that it stands on
    checks_schedule.faults,  # each category against its statute, its basis and its store
    checks_records.faults,  # each field of a record is kept by a basis that the record can stand under
    checks_settings.faults,  # what a setting decides and what depends on it say the same
    checks_versions.faults,  # notice, order, and the periods that changed
    checks_access.faults,  # callers, purposes, full views
)


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """What is incomplete or contradictory, file by file."""
    for part in CHAPTERS:
        yield from (Fault(FILES[part], key, reason) for key, reason in getattr(policy, part).faults())
    for check in _CHECKS:
        yield from check(policy)

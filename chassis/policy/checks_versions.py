"""Versions are in order, announced in time, and their changes lead to the periods of chapter 4."""

from collections.abc import Iterator

from chassis.policy.faults import Fault
from chassis.policy.length import length
from chassis.policy.privacy_policy import FILES, PrivacyPolicy
from chassis.policy.retention import Basis
from chassis.policy.versions import Version


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """Versions that came too early or out of order, and changes that contradict the schedule."""
    versions = policy.versions.versions
    seen: set[str] = set()
    for place, version in enumerate(versions):
        if version.id in seen:
            yield _fault(place, "id", f"is {version.id!r}, as that of an earlier version")
        seen.add(version.id)
        if place and version.effective_on <= versions[place - 1].effective_on:
            yield _fault(place, "effective_on", "is not after that of the version before")
        yield from _notice(policy, place, version)
        yield from _consents(policy, place, version)
    yield from _changes(policy)


def _notice(policy: PrivacyPolicy, place: int, version: Version) -> Iterator[Fault]:
    notice = policy.contacts.notice
    days = notice.days_when_material if version.materiality == "material" else notice.days
    if (given := (version.effective_on - version.announced_on).days) < days:
        reason = f"is {given} days after the announcement; a {version.materiality} version needs {days} (제21조)"
        yield _fault(place, "effective_on", reason)


def _consents(policy: PrivacyPolicy, place: int, version: Version) -> Iterator[Fault]:
    if version.consents and version.materiality != "material":
        yield _fault(place, "materiality", f"is minor, but {', '.join(version.consents)} must be asked for again")
    # A consent that has been given up since is no mistake of a version that is history; of the newest it is one.
    if place == len(policy.versions.versions) - 1:
        for name in set(version.consents) - policy.purposes.consents.keys():
            yield _fault(place, "consents", f"names {name!r}, which is no consent")


def _changes(policy: PrivacyPolicy) -> Iterator[Fault]:
    categories = policy.retention.categories
    now = {name: policy.period(name) for name in categories}
    for place, version in reversed(list(enumerate(policy.versions.versions))):
        changed = [change.category for change in version.changed]
        if len(set(changed)) != len(changed):
            yield _fault(place, "changed", "has a category twice")
        if not place and changed:
            yield _fault(place, "changed", "is for later versions: the first changed nothing")
        for change in version.changed:
            name = change.category
            if name not in now:
                continue
            if change.after != now[name]:
                yield _fault(place, "changed", f"takes {name} to {change.after!r}, but what follows has {now[name]!r}")
            try:
                longer = length(change.after) > length(change.before)
            except ValueError:
                yield _fault(place, "changed", f"has what is no period for {name}")
                continue
            if change.before == change.after:
                yield _fault(place, "changed", f"leaves {name} as it was")
            if longer and categories[name].basis is Basis.CONSENT and version.materiality != "material":
                yield _fault(place, "materiality", f"is minor, but {name} is kept longer under a consent")
            if change.to_existing and categories[name].basis is not Basis.LAW_MIN:
                yield _fault(place, "changed", f"lengthens {name} for what is there; only a law can")
            now[name] = change.before


def _fault(place: int, key: str, reason: str) -> Fault:
    return Fault(FILES["versions"], f"versions.{place}.{key}", reason)

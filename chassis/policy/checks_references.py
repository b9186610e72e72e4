"""What one table names, another has; and what only serves to be named, somebody names."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chassis.policy.faults import Fault
from chassis.policy.privacy_policy import FILES, PrivacyPolicy


class Reference(NamedTuple):
    """A key of a part that names entries of a table."""

    part: str
    key: str
    names: Iterable[str]


class Target(NamedTuple):
    """A table whose entries are named: the part it stands in, its key, and the entries that it has."""

    part: str
    key: str
    entries: Iterable[str]


def missing(target: Target, references: Iterable[Reference]) -> Iterator[Fault]:
    """Both ends of each reference that leads nowhere: either can be the mistake."""
    entries = frozenset(target.entries)
    prefix = f"{target.key}." if target.key else ""
    for part, key, names in references:
        for name in names:
            if name and name not in entries:
                yield Fault(FILES[part], key, f"names {name!r}, which {FILES[target.part]} does not have")
                yield Fault(FILES[target.part], f"{prefix}{name}", f"is missing, but {key} of {FILES[part]} names it")


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """References that lead nowhere, and consents that nothing stands on."""
    purposes, retention = policy.purposes, policy.retention
    yield from missing(Target("purposes", "purposes", purposes.purposes), _to_purposes(policy))
    yield from missing(Target("purposes", "consents", purposes.consents), _to_consents(policy))
    yield from missing(Target("collection", "items", policy.collection.items), _to_items(policy))
    yield from missing(Target("retention", "categories", retention.categories), _to_categories(policy))
    yield from missing(Target("retention", "clauses", retention.clauses), _of_categories(policy, "clause"))
    yield from missing(Target("collection", "headings", policy.collection.headings), _of_groups(policy))
    yield from missing(Target("collection", "parts", policy.collection.parts), _of_items(policy))
    yield from missing(Target("rights", "pages", policy.rights.pages), _of_rights(policy))
    yield from _repeated(policy)
    grouped = {item for group in policy.collection.groups.values() for item in group.items}
    for name in policy.collection.items.keys() - grouped:
        yield Fault(FILES["collection"], "groups", f"has none with {name!r}: nothing says when it is collected")
    used = {name for reference in _to_consents(policy) for name in reference.names}
    for name in purposes.consents.keys() - used:
        yield Fault(FILES["purposes"], f"consents.{name}", "is a consent that no category and no purpose stands on")
    published = {category.clause for category in retention.categories.values()}
    for name in retention.clauses.keys() - published:
        yield Fault(FILES["retention"], f"clauses.{name}", "is a clause that no category is published under")


def _repeated(policy: PrivacyPolicy) -> Iterator[Fault]:
    """A list that names something twice; access.toml's own check tells its lists."""
    lists = [*_to_items(policy), *_to_consents(policy), *_to_purposes(policy), *_to_categories(policy)]
    for attribute in ("keeps", "holders"):
        lists += [
            Reference("retention", f"categories.{key}.{attribute}", getattr(category, attribute))
            for key, category in policy.retention.categories.items()
        ]
    for part, key, names in lists:
        # Whether a version's changes name one twice, the check of versions tells.
        if part not in ("access", "versions") and len(found := list(names)) != len(set(found)):
            yield Fault(FILES[part], key, "has one of them twice")


def _of_categories(policy: PrivacyPolicy, attribute: str) -> Iterator[Reference]:
    for key, category in policy.retention.categories.items():
        yield Reference("retention", f"categories.{key}.{attribute}", (getattr(category, attribute),))


def _to_purposes(policy: PrivacyPolicy) -> Iterator[Reference]:
    yield from _of_categories(policy, "purpose")
    yield Reference("retention", "holds.purpose", (policy.retention.holds.purpose,))
    for key, group in policy.collection.groups.items():
        yield Reference("collection", f"groups.{key}.purposes", group.purposes)
    for rpc, accounts in policy.access.rules.items():
        for account, names in accounts.items():
            yield Reference("access", f"{rpc}.{account}", names)
    for account, views in policy.access.full_view.items():
        yield Reference("access", f"full_view.{account}", views)


def _to_consents(policy: PrivacyPolicy) -> Iterator[Reference]:
    yield from _of_categories(policy, "consent")
    for key, purpose in policy.purposes.purposes.items():
        yield Reference("purposes", f"purposes.{key}.consent", (purpose.consent,))


def _to_items(policy: PrivacyPolicy) -> Iterator[Reference]:
    for key, group in policy.collection.groups.items():
        yield Reference("collection", f"groups.{key}.items", group.items)
    for key, purpose in policy.purposes.purposes.items():
        yield Reference("purposes", f"purposes.{key}.full_view", purpose.full_view)
    for key, consent in policy.purposes.consents.items():
        yield Reference("purposes", f"consents.{key}.items", consent.items)


def _to_categories(policy: PrivacyPolicy) -> Iterator[Reference]:
    for key, kind in policy.retention.records.items():
        yield Reference("retention", f"records.{key}.may_stand_under", kind.may_stand_under)
        yield Reference("retention", f"records.{key}.stands_under", kind.stands_under)
    for key, processor in policy.processors.processors.items():
        yield Reference("processors", f"processors.{key}.category", (processor.category,))
    for name, setting in policy.settings:
        yield Reference("settings", f"{name}.categories", setting.categories)
    for place, version in enumerate(policy.versions.versions):
        yield Reference("versions", f"versions.{place}.changed", [change.category for change in version.changed])


def _of_groups(policy: PrivacyPolicy) -> Iterator[Reference]:
    for key, group in policy.collection.groups.items():
        yield Reference("collection", f"groups.{key}.heading", (group.heading,))


def _of_items(policy: PrivacyPolicy) -> Iterator[Reference]:
    for key, item in policy.collection.items.items():
        yield Reference("collection", f"items.{key}.part", (item.part,))


def _of_rights(policy: PrivacyPolicy) -> Iterator[Reference]:
    for key, right in policy.rights.by_name().items():
        yield Reference("rights", f"rights.{key}.page", (right.page,))

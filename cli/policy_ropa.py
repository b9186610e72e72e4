"""`onggi policy ropa`: the records of processing activities (GDPR Article 30, GL-01), from the data that runs."""

from collections.abc import Mapping
from typing import Any

from chassis.policy.calendar import period_in_force
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import Category
from cli.detail import listing
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened
from cli.session import Session

_COLUMNS = ("category", "name", "basis", "period", "from", "purpose")


def ropa(session: Session, *, directory: Directory = BESIDE_THE_PROGRAM) -> None:
    """List each category with its erasure limit; with --json the whole record: purposes, items, recipients, safeguards.

    The record is that of the newest version in the files, with the day on which it takes effect.
    """
    policy = opened(directory)
    if session.options.json:
        session.print_json(record(policy))
        return
    lines = [
        (name, each.korean, each.basis, policy.period(name), each.start.korean, each.purpose or "-")
        for name, each in policy.retention.categories.items()
    ]
    session.out.print(listing(_COLUMNS, lines))


def record(policy: PrivacyPolicy) -> dict[str, Any]:
    """The record: who, for which purposes, of which items of whom, for how long, with whom, and how it is kept safe."""
    newest, publisher, officers = policy.versions.versions[-1], policy.contacts.publisher, policy.contacts.officers
    return {
        "policy_version": newest.id,
        "effective_on": newest.effective_on.isoformat(),
        "controller": {"name": publisher.korean, "english": publisher.english, "service": publisher.service},
        "privacy_officer": {"department": officers.chief.department, "telephone": officers.chief.telephone},
        "purposes": {name: _purpose(policy, name) for name in policy.purposes.purposes},
        "items": {name: _item(policy, name) for name in policy.collection.items},
        "categories": {name: _category(policy, name) for name in policy.retention.categories},
        "consents": {
            name: {"korean": each.korean, "english": each.english, "required": each.required, "items": list(each.items)}
            for name, each in policy.purposes.consents.items()
        },
        "processors": {
            name: {"korean": each.korean, "english": each.english, "url": each.url, "tasks": list(each.tasks),
                   "until": each.until, "category": each.category}
            for name, each in policy.processors.processors.items()
        },
        "provision": {"to": [], "only_where": [each.korean for each in policy.processors.exceptions]},
        "transfers": [],
        "measures": {
            name: {"korean": each.korean, "english": each.english, "article": each.article, "met_by": each.met_by,
                   "gap": each.gap}
            for name, each in policy.safeguards.measures
        },
    }  # fmt: skip


def _purpose(policy: PrivacyPolicy, name: str) -> dict[str, Any]:
    purpose, items = policy.purposes.purposes[name], _items_for(policy, name)
    callers: dict[str, list[str]] = {}
    for rpc, accounts in policy.access.rules.items():
        for account, purposes in accounts.items():
            if name in purposes:
                callers.setdefault(account, []).append(rpc)
    # What a hold concerns its order says: anything that there is of these items.
    law = purpose.kind == "law" and name != policy.retention.holds.purpose
    return {
        "korean": purpose.korean,
        "english": purpose.english,
        "article": purpose.article,
        "kind": purpose.kind,
        "consent": purpose.consent,
        "data_subjects": sorted(
            {each.whose.korean for each in policy.collection.groups.values() if items & {*each.items}}
        ),
        "items": sorted(items),
        "categories": [
            key
            for key, each in policy.retention.categories.items()
            if (each.purpose == name if law else items & _items_of(policy, each))
        ],
        "recipients": {account: sorted(rpcs) for account, rpcs in sorted(callers.items())},
    }


def _items_for(policy: PrivacyPolicy, name: str) -> set[str]:
    """What a purpose is about: collected for it, shown or consented to under it, or kept by a law of its own."""
    purpose = policy.purposes.purposes[name]
    items = set(purpose.full_view)
    items.update(*(each.items for each in policy.collection.groups.values() if name in each.purposes))
    kept = [each for each in policy.retention.categories.values() if each.purpose == name]
    items.update(*(_items_of(policy, each) for each in kept))
    return items.union(policy.purposes.consents[purpose.consent].items if purpose.consent else ())


def _item(policy: PrivacyPolicy, name: str) -> dict[str, Any]:
    item = policy.collection.items[name]
    groups = [each for each in policy.collection.groups.values() if name in each.items]
    return {
        "korean": item.korean,
        "english": item.english,
        "data_subjects": sorted({each.whose.korean for each in groups}),
        "required": any(each.required for each in groups),
        "purposes": [key for key in policy.purposes.purposes if name in _items_for(policy, key)],
        "categories": [key for key, each in policy.retention.categories.items() if name in _items_of(policy, each)],
        "gap": item.gap,
    }


def _category(policy: PrivacyPolicy, name: str) -> dict[str, Any]:
    category = policy.retention.categories[name]
    return {
        "korean": category.korean,
        "english": category.english,
        "basis": category.basis.value,
        "law": category.law,
        "edition": category.edition,
        "checked_on": category.checked_on.isoformat(),
        "certainty": category.certainty,
        "in_force": period_in_force(category, policy.owner) is not None,
        "consent": category.consent,
        "items": sorted(_items_of(policy, category)),
        "erasure": {
            "period": policy.period(name),
            "start": category.start.korean,
            "start_english": category.start.english,
            "fixed_by": category.start.fixed_by,
            "method": category.method,
            "within_days": policy.destruction.within_days,
        },
        "store": category.store,
        "holders": list(category.holders),
        "processors": [key for key, each in policy.processors.processors.items() if each.category == name],
        "gap": category.gap,
    }


def _items_of(policy: PrivacyPolicy, category: Category) -> set[str]:
    items: Mapping[str, str] = {field: key for key, item in policy.collection.items.items() for field in item.fields}
    return {items[field] for field in category.keeps}

"""`onggi policy ropa`: the records of processing activities (GDPR Article 30, GL-01), from the data that runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from chassis.policy.calendar import today_kst
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import Category
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened
from cli.printable import plain
from cli.session import Session


def ropa(session: Session, *, directory: Directory = BESIDE_THE_PROGRAM) -> None:
    """List each purpose with its items, basis and callers, each category with its erasure limit, and each processor."""
    policy = opened(directory)
    if session.options.json:
        session.print_json(record(policy))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("category", "name", "basis", "period", "from", "purpose"):
        table.add_column(heading)
    for name, category in policy.retention.categories.items():
        start = category.start.korean
        row = (name, category.korean, category.basis, policy.period(name), start, category.purpose or "-")
        table.add_row(*map(plain, row))
    session.out.print(table)


def record(policy: PrivacyPolicy) -> dict[str, Any]:
    """The record: who, for which purposes, of which items, for how long, with whom, and how it is kept safe."""
    publisher, officers = policy.contacts.publisher, policy.contacts.officers
    return {
        "policy_version": policy.version_on(today_kst(datetime.now(UTC))),
        "controller": {"name": publisher.korean, "english": publisher.english, "service": publisher.service},
        "privacy_officer": {"department": officers.chief.department, "telephone": officers.chief.telephone},
        "purposes": {name: _purpose(policy, name) for name in policy.purposes.purposes},
        "categories": {name: _category(policy, name) for name in policy.retention.categories},
        "consents": {
            name: {"korean": consent.korean, "required": consent.required, "items": list(consent.items)}
            for name, consent in policy.purposes.consents.items()
        },
        "processors": {
            name: {
                "korean": processor.korean,
                "tasks": list(processor.tasks),
                "until": processor.until,
                "category": processor.category,
            }
            for name, processor in policy.processors.processors.items()
        },
        "measures": {
            name: {"korean": measure.korean, "met_by": measure.met_by, "gap": measure.gap}
            for name, measure in policy.safeguards.measures
        },
    }


def _purpose(policy: PrivacyPolicy, name: str) -> dict[str, Any]:
    purpose = policy.purposes.purposes[name]
    callers: dict[str, list[str]] = {}
    for rpc, accounts in policy.access.rules.items():
        for account, purposes in accounts.items():
            if name in purposes:
                callers.setdefault(account, []).append(rpc)
    categories = [key for key, category in policy.retention.categories.items() if category.purpose == name]
    items = set(purpose.full_view).union(*(_items(policy, policy.retention.categories[key]) for key in categories))
    if purpose.consent:
        items |= set(policy.purposes.consents[purpose.consent].items)
    return {
        "korean": purpose.korean,
        "english": purpose.english,
        "article": purpose.article,
        "kind": purpose.kind,
        "consent": purpose.consent,
        "items": sorted(items),
        "categories": categories,
        "recipients": {account: sorted(rpcs) for account, rpcs in sorted(callers.items())},
    }


def _category(policy: PrivacyPolicy, name: str) -> dict[str, Any]:
    category = policy.retention.categories[name]
    return {
        "korean": category.korean,
        "english": category.english,
        "basis": category.basis.value,
        "law": category.law,
        "edition": category.edition,
        "consent": category.consent,
        "items": sorted(_items(policy, category)),
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


def _items(policy: PrivacyPolicy, category: Category) -> set[str]:
    items: Mapping[str, str] = {field: key for key, item in policy.collection.items.items() for field in item.fields}
    return {items[field] for field in category.keeps}

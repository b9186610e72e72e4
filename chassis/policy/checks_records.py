"""Each field of a record is kept by a basis that the record can stand under, and by no other."""

from collections.abc import Iterator

from chassis.policy.faults import Fault
from chassis.policy.privacy_policy import FILES, PrivacyPolicy
from chassis.policy.retention import RecordKind


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """What is kept without a basis, without an item, or without a kind of record that has it."""
    fields = {field: key for key, item in policy.collection.items.items() for field in item.fields}
    yield from _kinds(policy)
    yield from _fields(policy, fields)
    yield from _kept(policy, fields)


def _kinds(policy: PrivacyPolicy) -> Iterator[Fault]:
    categories = policy.retention.categories
    messages: dict[str, str] = {}
    for key, kind in policy.retention.records.items():
        if messages.setdefault(kind.message, key) != key:
            yield _fault(f"records.{key}.message", f"is that of {messages[kind.message]} too")
        if kind.kept == "by month" and len(kind.may_stand_under) > 1:
            yield _fault(
                f"records.{key}.may_stand_under", "has more than one, but a month goes as a whole, by one period"
            )
        for name in set(kind.stands_under) - set(kind.may_stand_under):
            yield _fault(f"records.{key}.stands_under", f"has {name}, which it may not stand under")
        for name in kind.may_stand_under:
            if name in categories and (categories[name].store == "log") != (kind.kept == "by month"):
                yield _fault(
                    f"records.{key}.kept", f"is {kind.kept!r}, but {name} is kept in {categories[name].store!r}"
                )


def _fields(policy: PrivacyPolicy, fields: dict[str, str]) -> Iterator[Fault]:
    """Each field that is stored is kept by a category; what only a request holds is not stored."""
    categories = policy.retention.categories
    anywhere = {field for category in categories.values() for field in category.keeps}
    for key, kind in policy.retention.records.items():
        kept = {field for name in kind.may_stand_under if name in categories for field in categories[name].keeps}
        for field in fields:
            if _message(field) == kind.message and field not in kept:
                yield _fault(f"records.{key}.may_stand_under", f"has no category that keeps {field}")
    for item, table in policy.collection.items.items():
        if table.fields and not anywhere.intersection(table.fields):
            yield Fault(FILES["collection"], f"items.{item}.fields", "has none that a category keeps")
    kinds = _by_message(policy)
    for field, item in fields.items():
        message = _message(field)
        if field not in anywhere and message not in kinds and not message.endswith("Request"):
            yield Fault(FILES["collection"], f"items.{item}.fields", f"has {field}, which no category keeps")


def _kept(policy: PrivacyPolicy, fields: dict[str, str]) -> Iterator[Fault]:
    """Each field that a category keeps is an item's, and one of a record that can stand under the category."""
    kinds = _by_message(policy)
    for name, category in policy.retention.categories.items():
        for field in category.keeps:
            if field not in fields:
                yield _fault(f"categories.{name}.keeps", f"has {field}, which no item of chapter 1 names")
            message = _message(field)
            if message in kinds and name not in kinds[message].may_stand_under:
                yield _fault(f"categories.{name}.keeps", f"has {field}, but no {message} may stand under {name}")
            if message.endswith("Record") and message not in kinds:
                yield _fault("records", f"has no kind with the message {message}, of which {name} keeps {field}")


def _by_message(policy: PrivacyPolicy) -> dict[str, RecordKind]:
    return {kind.message: kind for kind in policy.retention.records.values()}


def _message(field: str) -> str:
    return field.partition(".")[0]


def _fault(key: str, reason: str) -> Fault:
    return Fault(FILES["retention"], key, reason)

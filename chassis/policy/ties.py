"""The contract and the policy say the same: every personal field has its item, every kind its message, every RPC its rule.

The contract comes in as plain names, so that this knows no protobuf.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chassis.policy.faults import Fault
from chassis.policy.privacy_policy import FILES, PrivacyPolicy


@dataclass(frozen=True, slots=True)
class Contract:
    """What the contract says.

    ``fields``: every field, as ``Message.field``. ``items``: those that hold personal data -> their item. ``kinds``: kind
    of record -> its message. ``rpcs``: every RPC, as ``package.Service/Method``.
    """

    fields: frozenset[str]
    items: Mapping[str, str]
    kinds: Mapping[str, str]
    rpcs: frozenset[str]


def faults(policy: PrivacyPolicy, contract: Contract) -> Iterator[Fault]:
    """What either has and the other lacks."""
    yield from _items(policy, contract)
    yield from _kept(policy, contract)
    yield from _kinds(policy, contract)
    for rpc in contract.rpcs - policy.access.rules.keys():
        yield Fault(FILES["access"], rpc, "is missing: the contract has this RPC")
    for rpc in policy.access.rules.keys() - contract.rpcs:
        yield Fault(FILES["access"], rpc, "is no RPC of the contract")


def _items(policy: PrivacyPolicy, contract: Contract) -> Iterator[Fault]:
    file, items = FILES["collection"], policy.collection.items
    for field, name in sorted(contract.items.items()):
        if name not in items:
            yield Fault(file, f"items.{name}", f"is missing: {field} of the contract holds it")
        elif field not in items[name].fields:
            yield Fault(file, f"items.{name}.fields", f"lacks {field}, which the contract marks as this item")
    for name, item in items.items():
        for field in item.fields:
            if field not in contract.items:
                yield Fault(file, f"items.{name}.fields", f"has {field}, which is no personal field of the contract")


def _kept(policy: PrivacyPolicy, contract: Contract) -> Iterator[Fault]:
    for name, category in policy.retention.categories.items():
        for field in category.keeps:
            if field not in contract.fields:
                key = f"categories.{name}.keeps"
                yield Fault(FILES["retention"], key, f"has {field}, which is no field of the contract")


def _kinds(policy: PrivacyPolicy, contract: Contract) -> Iterator[Fault]:
    file, records = FILES["retention"], policy.retention.records
    for kind in contract.kinds.keys() - records.keys():
        yield Fault(file, f"records.{kind}", "is missing: the contract has this kind of record")
    for kind, record in records.items():
        if kind not in contract.kinds:
            yield Fault(file, f"records.{kind}", "is no kind of record of the contract")
        elif record.message != contract.kinds[kind]:
            yield Fault(file, f"records.{kind}.message", f"is not the contract's, {contract.kinds[kind]}")

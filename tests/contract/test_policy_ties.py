"""The contract is tied to the policy: what either says of personal data, records and RPCs, the other says too.

Each tie is shown to hold on the policy as it is, and to tell when it does not on a copy with one thing changed.
"""

from dataclasses import replace
from typing import Any

import pytest

from chassis.policy import ties
from chassis.policy.load import of_documents
from chassis.policy.privacy_policy import FILES, PrivacyPolicy
from chassis.policy.ties import Contract
from cli.policy_contract import contract
from tests.contract.test_policy_clauses import PAGE, listed
from tests.contract.walk import METHODS, fields, name_of, personal
from tests.unit.policy_documents import DOCUMENTS, faults, having, told

CONTRACT = contract()
POLICY = of_documents(DOCUMENTS)


def said(policy: PrivacyPolicy = POLICY, **changed: Any) -> list[str]:
    """What the ties say of a policy and the contract with something changed."""
    return [str(fault) for fault in ties.faults(policy, replace(CONTRACT, **changed))]


def test_policy_and_contract_say_the_same() -> None:
    """Items, fields, kinds of records and RPCs: neither has what the other lacks (LC-09, AC-01)."""
    assert said() == []


def test_the_contract_is_read_whole() -> None:
    """What `onggi policy check` compares with is every field, mark and RPC of the image that buf checks."""
    assert CONTRACT == Contract(
        fields=frozenset(name_of(field) for field in fields()),
        items={name_of(field): personal(field).item for field in fields() if personal(field).item},
        kinds=CONTRACT.kinds,
        rpcs=frozenset(METHODS),
    )
    assert len(CONTRACT.kinds) == 16


def test_a_personal_field_without_an_item_is_told() -> None:
    """A field that is marked with an item that chapter 1 does not have."""
    marked = {**CONTRACT.items, "MemberProfile.birthday": "birthday"}

    assert said(items=marked) == [
        "chapters/1-collection.toml: items.birthday: is missing: MemberProfile.birthday of the contract holds it"
    ]


def test_a_personal_field_that_its_item_does_not_list_is_told() -> None:
    """A field more that holds an item is a field more that somebody must decide how long to keep."""
    marked = {**CONTRACT.items, "ContactProfile.second_email": "contact_email"}

    [line] = said(items=marked)
    assert line.startswith("chapters/1-collection.toml: items.contact_email.fields: lacks ContactProfile.second_email")


def test_an_item_without_a_field_is_told() -> None:
    """An item whose field is gone from the contract, or has lost its mark, is collected nowhere."""
    marked = {name: item for name, item in CONTRACT.items.items() if name != "MemberProfile.address"}

    [line] = said(items=marked)
    assert line.startswith("chapters/1-collection.toml: items.address.fields: has MemberProfile.address, which is no")


def test_an_item_without_a_field_is_a_gap_or_refused() -> None:
    """What the policy collects is held by a field, or a gap says why not (제1조)."""
    without = [key for key, item in POLICY.collection.items.items() if not item.fields]

    assert without == ["business_certificate_copy"]
    assert {POLICY.collection.items[key].gap for key in without} <= set(listed(PAGE))
    assert told("collection", ("items", "business_certificate_copy", "gap"), "") != []


def test_a_kept_column_that_is_no_field_is_told() -> None:
    """Nothing is kept that the contract does not have."""
    gone = CONTRACT.fields - {"PaymentRecord.amount"}

    assert {line.partition(": has")[0] for line in said(fields=gone)} == {
        f"chapters/4-retention.toml: categories.{category}.keeps" for category in ("R-09b", "R-10", "R-11")
    }


def test_a_category_without_a_holder_is_a_gap_or_refused() -> None:
    """Each category is held by a service, or a line of the gaps says why by none (LC-07)."""
    without = {category.gap for category in POLICY.retention.categories.values() if not category.holders}

    assert "" not in without
    assert without <= set(listed(PAGE))
    assert told("retention", ("categories", "R-05", "holders"), []) != []


def test_every_kind_of_record_is_the_contracts() -> None:
    """One message each for the categories of 제7조, 제8조 and 제1조 ②③."""
    kinds = {**CONTRACT.kinds, "parcel": "ParcelRecord", "payment": "PayRecord"}
    del kinds["login"]

    assert {line.partition(": is")[0] for line in said(kinds=kinds)} == {
        "chapters/4-retention.toml: records.parcel",
        "chapters/4-retention.toml: records.payment.message",
        "chapters/4-retention.toml: records.login",
    }


@pytest.mark.parametrize("kind", POLICY.retention.records)
def test_every_field_of_a_record_is_kept_by_a_basis_of_its_kind(kind: str) -> None:
    """And by no basis that the kind cannot stand under (LC-06, LC-10)."""
    record, categories = POLICY.retention.records[kind], POLICY.retention.categories
    own = {name for name in CONTRACT.items if name.startswith(f"{record.message}.")}
    kept = {field for name in record.may_stand_under for field in categories[name].keeps}
    others = {field for name in categories.keys() - set(record.may_stand_under) for field in categories[name].keeps}

    assert own
    assert own <= kept
    assert not own & others


@pytest.mark.parametrize("kind", [name for name, kind in POLICY.retention.records.items() if kind.kept == "by field"])
def test_a_record_that_loses_a_basis_is_told(kind: str) -> None:
    """A kind whose bases keep nothing of it any more is refused by the loader: the check can fail."""
    lines = told("retention", ("records", kind, "may_stand_under"), ["R-02"])

    assert any(
        line.startswith(f"{FILES['retention']}: records.{kind}.may_stand_under: has no category") for line in lines
    )


def test_an_rpc_without_a_rule_and_a_rule_without_an_rpc_are_told() -> None:
    """Every RPC has its rule, every rule its RPC (AC-01)."""
    [less] = said(rpcs=CONTRACT.rpcs - {"onggi.identity.v1.MemberService/GetMember"})
    [more] = said(rpcs=CONTRACT.rpcs | {"onggi.identity.v1.MemberService/Dump"})

    assert less == "access.toml: onggi.identity.v1.MemberService/GetMember: is no RPC of the contract"
    assert more == "access.toml: onggi.identity.v1.MemberService/Dump: is missing: the contract has this RPC"


@pytest.mark.parametrize("purpose", POLICY.purposes.purposes)
def test_every_purpose_is_used_by_a_rule(purpose: str) -> None:
    """A purpose that no caller may state is a promise without a program."""
    assert any(purpose in names for accounts in POLICY.access.rules.values() for names in accounts.values())


def test_a_purpose_that_no_rule_uses_is_told() -> None:
    """A purpose of the archive, taken out of every rule."""
    documents = DOCUMENTS
    for rpc, accounts in POLICY.access.rules.items():
        for account, names in accounts.items():
            kept = [name for name in names if name != "credit_information"]
            documents = having("access", (rpc, account), kept, documents)
    lines = [str(fault) for fault in faults(documents)]

    assert (
        "chapters/2-purposes.toml: purposes.credit_information: is a purpose that no rule of access.toml uses" in lines
    )

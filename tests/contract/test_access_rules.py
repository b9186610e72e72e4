"""Every RPC has its rule, every rule its RPC, and the rules are those that were meant."""

import re

import pytest

from chassis.access import of
from chassis.policy.load import load
from dev.identities import CALLERS, SERVICES, account
from tests.contract.access_matrix import MATRIX, NAMESPACES, PURPOSES
from tests.contract.test_personal_data import FIELDS_OF_ITEM
from tests.contract.walk import METHODS, ROOT

POLICY = load(ROOT / "policy")
RULES = POLICY.access.rules


def test_every_rpc_has_one_rule_and_every_rule_an_rpc() -> None:
    """The rules of the policy and the RPCs of the contract are the same set; TOML refuses a rule twice (AC-01)."""
    assert set(RULES) == set(METHODS)


def test_accounts_and_purposes_are_well_formed() -> None:
    """An account is `<namespace>/<service account>` in Kubernetes' form, and a rule names only purposes that exist."""
    name = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?/[a-z]([-a-z0-9]*[a-z0-9])?")
    for rpc, accounts in RULES.items():
        assert accounts, f"{rpc}: a rule that lets nobody in"
        for caller, purposes in accounts.items():
            assert name.fullmatch(caller), f"{rpc}: {caller}"
            assert purposes, f"{rpc}: {caller} has no purpose"
            assert len(set(purposes)) == len(purposes), f"{rpc}: {caller} has a purpose twice"
            assert set(purposes) <= set(POLICY.purposes.purposes), f"{rpc}: {caller}: {purposes}"


def test_the_policy_is_the_matrix_that_was_written_by_hand() -> None:
    """Caller x RPC x purpose as reviewed: neither the policy nor this table changes alone (AC-01)."""
    by_hand = {
        rpc: {f"{NAMESPACES[caller]}/{caller}": purposes for caller, purposes in callers.items()}
        for rpc, callers in MATRIX.items()
    }
    assert by_hand == of(POLICY).rules


def test_the_matrix_knows_every_caller_and_every_purpose() -> None:
    """No caller of the laptop stack, no service and no purpose of the policy is missing from the table."""
    callers = dict(CALLERS) | {account(service): "onggi" for service in SERVICES}
    assert callers == NAMESPACES
    assert set(POLICY.purposes.purposes) == set(PURPOSES)


def test_destruction_is_commanded_by_the_retention_service_alone() -> None:
    """Nobody but onggi/retention may call a purge RPC, and it may call nothing else (R-01, X12)."""
    purge = {rpc for rpc in METHODS if rpc.startswith("onggi.purge.v1.")}
    assert len(purge) == 6
    assert {rpc: set(RULES[rpc]) for rpc in purge} == {rpc: {"onggi/retention"} for rpc in purge}
    assert {rpc for rpc, accounts in RULES.items() if "onggi/retention" in accounts} == purge


def test_no_service_reads_another() -> None:
    """But for destruction, no service account of Onggi stands in any rule."""
    inside = {(rpc, caller) for rpc, accounts in RULES.items() for caller in accounts if caller.startswith("onggi/")}
    assert {caller for _, caller in inside} == {"onggi/retention"}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_purpose_shows_only_items_of_the_contract(purpose: str) -> None:
    """`full_view` names items that a field of the contract holds; a misspelt one would hide what should be seen."""
    assert set(POLICY.purposes.purposes[purpose].full_view) <= set(FIELDS_OF_ITEM) - {"password"}

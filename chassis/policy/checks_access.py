"""Access rules: every purpose is used, every rule lets somebody in, nobody sees or reveals more than is allowed."""

from collections import defaultdict
from collections.abc import Iterator

from chassis.policy.access_rules import APPROVALS, REVEALS
from chassis.policy.faults import Fault
from chassis.policy.privacy_policy import FILES, PrivacyPolicy


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """Purposes without a rule, rules without a caller, full views beyond their purpose, reveals without a budget."""
    purposes_of: dict[str, set[str]] = defaultdict(set)
    for rpc, accounts in policy.access.rules.items():
        if not accounts:
            yield _fault(rpc, "lets nobody in")
        for account, names in accounts.items():
            purposes_of[account] |= set(names)
            if not names:
                yield _fault(f"{rpc}.{account}", "has no purpose")
            if len(set(names)) != len(names):
                yield _fault(f"{rpc}.{account}", "has a purpose twice")
    used = {name for names in purposes_of.values() for name in names}
    for name in policy.purposes.purposes.keys() - used:
        yield Fault(FILES["purposes"], f"purposes.{name}", "is a purpose that no rule of access.toml uses")
    yield from _full_views(policy, purposes_of)
    yield from _budgets(policy)
    yield from _approvers(policy)


def _full_views(policy: PrivacyPolicy, purposes_of: dict[str, set[str]]) -> Iterator[Fault]:
    purposes = policy.purposes.purposes
    for account, views in policy.access.full_view.items():
        if account not in purposes_of:
            yield _fault(f"full_view.{account}", "is of a caller whom no rule lets in")
            continue
        for name, items in views.items():
            key = f"full_view.{account}.{name}"
            if name not in purposes_of[account]:
                yield _fault(key, "is of a purpose that no rule gives this caller")
            for item in set(items) - set(purposes[name].full_view if name in purposes else ()):
                yield _fault(key, f"has {item!r}, which the purpose does not show in full")


def _budgets(policy: PrivacyPolicy) -> Iterator[Fault]:
    rules, budgets = policy.access.rules, policy.access.reveal_budgets
    revealing = {account: rpc for rpc in reversed(REVEALS) for account in rules.get(rpc, {})}
    for account, rpc in revealing.items():
        if account not in budgets:
            yield _fault(f"reveal_budgets.{account}", f"is missing: {rpc} lets this caller reveal")
    for account, budget in budgets.items():
        key = f"reveal_budgets.{account}"
        if account not in revealing:
            yield _fault(key, "is of a caller whom no rule lets reveal")
        if budget.hour > budget.day:
            yield _fault(f"{key}.hour", "is more than the day has")
        if budget.alone > budget.hour:
            yield _fault(f"{key}.alone", "is more than the hour has")


def _approvers(policy: PrivacyPolicy) -> Iterator[Fault]:
    for rpc in APPROVALS:
        for account in policy.access.rules.get(rpc, {}):
            if account.partition("/")[0] not in policy.access.human_namespaces:
                yield _fault(f"{rpc}.{account}", "is no person's account, and only a person can approve")


def _fault(key: str, reason: str) -> Fault:
    return Fault(FILES["access"], key, reason)

"""Who may call what for which purpose, and what it shows: the policy as the chain asks it. All else is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chassis import errors, kst
from chassis.caller import UNIDENTIFIED, Caller
from chassis.policy import load as policy_files
from chassis.policy.access_rules import RevealBudget
from chassis.policy.privacy_policy import PrivacyPolicy


@dataclass(frozen=True, slots=True)
class Policy:
    """The access policy.

    ``rules``: RPC (``package.Service/Method``) -> account -> purposes. ``full_view``: account -> purpose -> items that it
    may see in full. ``reveal_budgets``: account -> of how many members it may reveal numbers. ``consents``: purpose -> the
    consent that it stands on, or "". ``version_on``: the version of the policy that is in force on a Korean day.
    """

    version_on: Callable[[date], str]
    trust_domain: str
    human_namespaces: frozenset[str]
    consents: Mapping[str, str]
    full_view: Mapping[str, Mapping[str, frozenset[str]]]
    reveal_budgets: Mapping[str, RevealBudget]
    rules: Mapping[str, Mapping[str, frozenset[str]]]

    def version(self) -> str:
        """Return the version that is in force now in Korea: it goes into every entry of the processing log."""
        return self.version_on(kst.today())

    def check_purpose(self, purpose: str) -> None:
        """Raise PurposeRequired or PurposeUnknown when the policy has no such purpose."""
        if not purpose:
            raise errors.PurposeRequired
        if purpose not in self.consents:
            raise errors.PurposeUnknown

    def enforce(self, caller: Caller, rpc: str, purpose: str) -> None:
        """Raise CallerUnidentified, AccessDenied or PurposeNotAllowed unless a rule allows the call (AC-01)."""
        if caller is UNIDENTIFIED:
            raise errors.CallerUnidentified
        purposes = self.rules.get(rpc, {}).get(caller.account)
        if purposes is None:
            raise errors.AccessDenied
        if purpose not in purposes:
            raise errors.PurposeNotAllowed

    def actor_type(self, caller: Caller) -> str:
        """Return HUMAN for an account that belongs to one person (AC-04), else SERVICE."""
        return "HUMAN" if caller.namespace in self.human_namespaces else "SERVICE"

    def full_view_for(self, caller: Caller, purpose: str) -> frozenset[str]:
        """Return the items that a caller may see in full under a purpose; all others stay masked (AC-11)."""
        return self.full_view.get(caller.account, {}).get(purpose, frozenset())

    def consent_for(self, purpose: str) -> str:
        """Return the consent without which nobody is seen under a purpose, "" where it needs none."""
        return self.consents.get(purpose, "")


def of(policy: PrivacyPolicy) -> Policy:
    """Return the access policy of the whole policy."""
    purposes, access = policy.purposes.purposes, policy.access
    return Policy(
        version_on=policy.version_on,
        trust_domain=access.trust_domain,
        human_namespaces=frozenset(access.human_namespaces),
        consents={name: purpose.consent for name, purpose in purposes.items()},
        full_view=_sets(access.full_view),
        reveal_budgets=access.reveal_budgets,
        rules=_sets(access.rules),
    )


def load(directory: Path) -> Policy:
    """Return the access policy of a policy folder. Raises PolicyRefused (ValueError)."""
    return of(policy_files.load(directory))


def _sets(tables: Mapping[str, Mapping[str, tuple[str, ...]]]) -> dict[str, dict[str, frozenset[str]]]:
    return {name: {key: frozenset(names) for key, names in table.items()} for name, table in tables.items()}

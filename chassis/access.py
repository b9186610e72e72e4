"""Who may call what for which purpose: ``policy/access.toml`` as a table. What it does not say is refused."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis import errors
from chassis.caller import UNIDENTIFIED, Caller


@dataclass(frozen=True, slots=True)
class Policy:
    """The access policy.

    ``rules``: RPC (``package.Service/Method``) -> account -> purposes. ``full_view``: purpose -> items that an answer
    may show in full. ``version`` goes into every entry of the processing log.
    """

    version: str
    trust_domain: str
    human_namespaces: frozenset[str]
    full_view: Mapping[str, frozenset[str]]
    rules: Mapping[str, Mapping[str, frozenset[str]]]

    def check_purpose(self, purpose: str) -> None:
        """Raise PurposeRequired or PurposeUnknown when the policy has no such purpose."""
        if not purpose:
            raise errors.PurposeRequired
        if purpose not in self.full_view:
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


def load(directory: Path) -> Policy:
    """Read ``access.toml`` of the policy folder. Raises ValueError that names a rule's unknown purpose."""
    data = tomllib.loads((directory / "access.toml").read_text())
    purposes = data.pop("purposes")
    full_view = {name: frozenset(purpose["full_view"]) for name, purpose in purposes.items()}
    version, domain, human = data.pop("policy_version"), data.pop("trust_domain"), data.pop("human_namespaces")
    rules = {}
    for rpc, accounts in data.items():
        for account, allowed in accounts.items():
            if unknown := set(allowed) - set(full_view):
                raise ValueError(f"access.toml: {rpc}: {account}: unknown purposes {sorted(unknown)}")
        rules[rpc] = {account: frozenset(allowed) for account, allowed in accounts.items()}
    return Policy(version, domain, frozenset(human), full_view, rules)

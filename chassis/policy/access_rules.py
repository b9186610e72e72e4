"""``policy/access.toml`` as data: who may call what for which purpose, and what each caller sees in full."""

from collections.abc import Mapping

from pydantic import ConfigDict, Field, PositiveInt

from chassis.policy.model import Table

Purposes = tuple[str, ...]

REVEALS = (
    "onggi.payment_vault.v1.DetokenizationService/Detokenize",
    "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize",
)
"""The RPCs that reveal numbers: whoever may call one has a budget."""

APPROVALS = (
    "onggi.payment_vault.v1.RevealApprovalService/ApproveReveal",
    "onggi.payment_vault.v1.RevealApprovalService/LiftSuspension",
    "onggi.retention.v1.HoldService/ApproveHold",
    "onggi.retention.v1.HoldService/ReleaseHold",
)
"""The RPCs by which one person answers for what another account does: people alone may call them."""


class RevealBudget(Table):
    """Of how many distinct members a caller may reveal numbers (PV-08).

    ``hour``, ``day``: within one hour and one day of the Korean clock. ``alone``: in one call without a second person's
    approval (LG-05).
    """

    hour: PositiveInt
    day: PositiveInt
    alone: PositiveInt


class AccessRules(Table):
    """The file ``access.toml``.

    ``trust_domain``: SPIFFE ids of others name nobody. ``human_namespaces``: accounts there belong to one person each.
    ``full_view``: account -> purpose -> items that it sees in full under it; what is not there is masked.
    ``reveal_budgets``: account -> of how many members it may reveal numbers. Every other table is a rule, named by its RPC
    (``package.Service/Method``): account (``namespace/service account``) -> purposes.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Mapping[str, Purposes]] = Field(init=False)

    trust_domain: str
    human_namespaces: tuple[str, ...]
    full_view: Mapping[str, Mapping[str, tuple[str, ...]]]
    reveal_budgets: Mapping[str, RevealBudget]

    @property
    def rules(self) -> Mapping[str, Mapping[str, Purposes]]:
        """RPC -> account -> purposes."""
        return self.__pydantic_extra__

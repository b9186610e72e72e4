"""``policy/access.toml`` as data: who may call what for which purpose, and what each caller sees in full."""

from collections.abc import Mapping

from pydantic import ConfigDict, Field

from chassis.policy.model import Table

Purposes = tuple[str, ...]


class AccessRules(Table):
    """The file ``access.toml``.

    ``trust_domain``: SPIFFE ids of others name nobody. ``human_namespaces``: accounts there belong to one person each.
    ``full_view``: account -> purpose -> items that it sees in full under it; what is not there is masked. Every other
    table is a rule, named by its RPC (``package.Service/Method``): account (``namespace/service account``) -> purposes.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Mapping[str, Purposes]] = Field(init=False)

    trust_domain: str
    human_namespaces: tuple[str, ...]
    full_view: Mapping[str, Mapping[str, tuple[str, ...]]]

    @property
    def rules(self) -> Mapping[str, Mapping[str, Purposes]]:
        """RPC -> account -> purposes."""
        return self.__pydantic_extra__

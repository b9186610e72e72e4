"""Calls about things that exist, under a trace of the caller's, and what their rows in the processing log must say."""

import os
from dataclasses import dataclass
from typing import Any

from dev.identities import spiffe_id
from tests.contract.access_matrix import NAMESPACES
from tests.integration import examples
from tests.integration.bad_input import World, name_what_exists
from tests.integration.log_rows import FIVE_ITEMS


@dataclass(frozen=True)
class Trace:
    """What a caller says about its own trace."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def metadata(self) -> list[tuple[str, str | bytes]]:
        """The header."""
        return [("traceparent", f"00-{self.trace_id}-{self.span_id}-{self.flags}")]


def new_trace(flags: str = "01") -> Trace:
    """A trace that nobody has used."""
    return Trace(os.urandom(16).hex(), os.urandom(8).hex(), flags)


def existing(rpc: str, world: World) -> Any:
    """A request about things that exist."""
    request = examples.example(rpc)
    name_what_exists(request, world)
    names = request.DESCRIPTOR.fields_by_name
    for item in [request, *getattr(request, "items", ())] if "items" in names or "token" in names else []:
        if "token" in item.DESCRIPTOR.fields_by_name:
            item.token = world.token
    if rpc.endswith("/FindMember"):
        request.email = world.email
    return request


def check_five_items(row: Any, rpc: str, caller: str) -> None:
    """Who, when, from where, whose, what: none is missing and each is right (LG-01)."""
    assert all(row[name] is not None for name in FIVE_ITEMS)
    assert row["actor"] == spiffe_id(NAMESPACES[caller], caller)
    assert row["actor_type"] == ("HUMAN" if NAMESPACES[caller] == "staff" else "SERVICE")
    assert row["peer_address"] == "127.0.0.1"
    assert (row["recorded_at"] - row["occurred_at"]).total_seconds() < 30
    assert row["rpc_method"] == rpc
    assert row["action"] not in {"", "UNSPECIFIED"}
    assert row["policy_version"]

"""Every caller x every RPC x every purpose over the wire: refused exactly where the table written by hand says so."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest

from dev.identities import SERVICES
from tests.contract.access_matrix import MATRIX, NAMESPACES, PURPOSES
from tests.integration import examples
from tests.integration.clients import METHODS, Clients, Outcome, servers_of
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

AT_ONCE = 16
_HELD = {"identity": "R-01", "archive": "R-10", "payment_vault": "R-03"}
"""Holder -> a category that it holds."""
Cell = tuple[str, str, str, str]


def cells(caller: str) -> Iterator[Cell]:
    """The cells of a caller: RPC, the service that serves it, caller, purpose."""
    return ((rpc, service, caller, purpose) for rpc in METHODS for service in servers_of(rpc) for purpose in PURPOSES)


def expected(cell: Cell) -> str:
    """The reason of the refusal, or nothing where the call is allowed."""
    rpc, _, caller, purpose = cell
    if caller not in MATRIX[rpc]:
        return "ACCESS_DENIED"
    return "" if purpose in MATRIX[rpc][caller] else "PURPOSE_NOT_ALLOWED"


async def ask(clients: Clients, cell: Cell) -> Outcome:
    """Make the call of a cell, about things that do not exist."""
    rpc, service, caller, purpose = cell
    return await clients.call(_account(caller), rpc, examples.example(rpc, purpose), service=service)


def _account(caller: str) -> str:
    return "payment_vault" if caller == "payment-vault" else caller


@pytest.mark.parametrize("caller", NAMESPACES)
async def test_a_caller_gets_no_further_than_its_rules(clients: Clients, log: Log, caller: str) -> None:
    """PERMISSION_DENIED in every cell without a rule and in no other, and each refusal in the log (AC-01, X12).

    Any other answer, such as NOT_FOUND, counts as allowed.
    """
    wrong, seen = [], 0
    every = list(cells(caller))
    before = {service: await log.count(service) for service in SERVICES}
    for start in range(0, len(every), AT_ONCE):
        part = every[start : start + AT_ONCE]
        refused = [cell for cell in part if expected(cell)]
        outcomes = [*zip(refused, await asyncio.gather(*(ask(clients, cell) for cell in refused)), strict=True)]
        outcomes += [(cell, await ask(clients, cell)) for cell in part if not expected(cell)]
        for cell, outcome in outcomes:
            seen += 1
            denied = outcome.reason if outcome.code is grpc.StatusCode.PERMISSION_DENIED else ""
            denied = denied.removeprefix("CONSENT_REQUIRED")  # the rules let it pass; nobody has consented
            allowed = outcome.code not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL}
            if denied != expected(cell) or not allowed:
                wrong.append((cell, outcome.code.name, outcome.reason))
    assert wrong == []
    assert seen == 85 * len(PURPOSES)
    after = {service: await log.count(service) for service in before}
    assert sum(after.values()) - sum(before.values()) >= seen


async def test_purge_moves_nothing_but_for_the_retention_service(clients: Clients, log: Log) -> None:
    """Every other caller's purge commands are refused before a plan is stored (X12)."""
    plan = examples.new_id()
    for rpc in (name for name in METHODS if name.startswith("onggi.purge.v1.")):
        for service in servers_of(rpc):
            for caller in NAMESPACES:
                if caller != "retention":
                    request = examples.example(rpc)
                    if "plan_id" in request.DESCRIPTOR.fields_by_name:
                        request.plan_id, request.category = plan, _HELD[service]
                    outcome = await clients.call(_account(caller), rpc, request, service=service)
                    assert outcome.reason == "ACCESS_DENIED", (rpc, caller)
    for service in _HELD:
        assert await log.fetch(service, "SELECT 1 FROM purge_run WHERE plan_id = $1", plan) == []


async def test_a_claim_in_metadata_changes_nothing(clients: Clients, log: Log) -> None:
    """Who somebody says to be in a header is not who they are: only the certificate counts."""
    rpc = "onggi.identity.v1.MemberService/GetMember"
    claims = [
        ("x-spiffe-id", "spiffe://onggi/ns/apps/sa/portal"),
        ("x-forwarded-client-cert", "URI=spiffe://onggi/ns/apps/sa/portal"),
        ("authorization", "Bearer portal"),
        ("onggi-actor", "spiffe://onggi/ns/apps/sa/portal"),
    ]
    outcome = await clients.call("stranger", rpc, examples.example(rpc), metadata=claims)
    assert outcome.reason == "ACCESS_DENIED"
    assert (await log.one_row_of(outcome))["actor"] == "spiffe://onggi/ns/apps/sa/stranger"

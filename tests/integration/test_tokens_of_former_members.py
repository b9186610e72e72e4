"""No token for somebody who has left, once a plan has said so: nobody would ever say it again (R-03)."""

import grpc
import pytest

from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import purge, withdraw
from tests.integration.vault_tokens import TOKENIZE

pytestmark = pytest.mark.timeout(120)


async def test_no_token_comes_after_the_plan(clients: Clients, log: Log) -> None:
    """R-03, PV-09: a member without tokens is named too, and a card that comes late is refused, not kept for ever."""
    former, neighbour = [(await examples.new_member(clients)).member_id for _ in range(2)]
    await withdraw(clients, former)
    assert (await purge(clients, "R-01", "R-03")).trouble == ""
    late, other = [await clients.call("billing", TOKENIZE, examples.tokenize(who)) for who in (former, neighbour)]
    assert (late.code, late.reason) == (grpc.StatusCode.NOT_FOUND, "SUBJECT_DESTROYED")
    assert other.code is grpc.StatusCode.OK
    assert await log.fetch("payment_vault", "SELECT 1 FROM token WHERE member_id = $1", former) == []

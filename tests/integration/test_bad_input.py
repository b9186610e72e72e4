"""Bad input, field by field: each has its typed error, one row in the log, and leaves no trace of its value anywhere.

The cases are data (`bad_fields.py`). The last test of the module searches for every value that was sent.
"""

import pytest

from dev.stack import Stack
from tests.integration import examples
from tests.integration.bad_fields import CASES, FIND, REGISTER, wide
from tests.integration.bad_input import Case, Planted, World, assert_nowhere, parameters, refuse, world_of
from tests.integration.clients import Clients
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def planted() -> Planted:
    """The values that this module sends."""
    return Planted()


@pytest.fixture
async def world(stack: Stack, clients: Clients) -> World:
    """Things that exist."""
    return await world_of(stack, clients, __name__)


@pytest.mark.parametrize("case", parameters(CASES))
async def test_a_bad_field_is_refused_by_name(
    clients: Clients, log: Log, planted: Planted, world: World, case: Case
) -> None:
    """Code, reason, field and rule are the expected ones; no value comes back; the call has its one row (LG-10, F6)."""
    await refuse(clients, log, planted, case, world)


async def test_full_width_digits_are_the_same_digits(clients: Clients, log: Log) -> None:
    """Numbers typed full-width with dashes are taken, and found under their plain form (law: NFKC)."""
    request = examples.register()
    plain = request.profile.business_registration_number
    request.profile.business_registration_number = wide(plain)
    member = (await clients.call("portal", REGISTER, request)).message.member
    found = examples.example(FIND)
    found.business_registration_number = plain.replace("-", "")
    assert (await clients.call("portal", FIND, found)).message.member.member_id == member.member_id


async def test_nothing_of_it_is_anywhere(stack: Stack, clients: Clients, log: Log, planted: Planted) -> None:
    """No value of the cases above is in a service's log, PostgreSQL's, Vault's audit, a span or a table (L1, L2)."""
    await assert_nowhere(stack, clients, log, planted)

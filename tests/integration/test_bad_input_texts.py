"""A resident number and a card number in every text field of every request: refused, or of no effect, and never kept.

The fields come from the descriptors, so that a new one is tried without being asked for.
"""

import copy
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from onggi.options.v1 import options_pb2 as options

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.contract.walk import flag, is_text, rules
from tests.integration import examples, record_examples
from tests.integration.bad_fields import card, rrn
from tests.integration.bad_input import (
    Planted,
    World,
    assert_nowhere,
    assert_recorded,
    assert_silent,
    name_what_exists,
    put,
    world_of,
)
from tests.integration.clients import METHODS, Clients, Outcome
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

KINDS: dict[str, Callable[[], str]] = {"RESIDENT_NUMBER": rrn, "CARD_NUMBER": card}
# Where such a number may well stand: nobody looks into a password, and only its hash is kept, sealed; a card number is
# what the vault is for; account numbers and the numbers of transactions, documents and cookies may have thirteen digits or
# more by their own rules, and are sealed.
TAKEN = (
    "password", "card.number", "bank_account.number", "approval_number", "document_number", "transaction_number", "cookie",
)  # fmt: skip


@pytest.fixture(scope="module")
def planted() -> Planted:
    """The values that this module sends."""
    return Planted()


@pytest.fixture
async def world(stack: Stack, clients: Clients) -> World:
    """Things that exist."""
    return await world_of(stack, clients, __name__)


def text_paths(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """The text fields of a request with their paths as the errors write them: `items[0].instrument.card.number`."""
    for field in message.fields:
        path = f"{prefix}{field.name}" + ("[0]" if field.is_repeated else "")
        if is_text(field):
            yield path, field
        elif field.message_type is not None and field.message_type.full_name.startswith("onggi."):
            yield from text_paths(field.message_type, f"{path}.")


def is_free_text(field: FieldDescriptor) -> bool:
    """Whether people may write into the field what they like."""
    by_design = any(flag(field, option) for option in (options.number, options.subject, options.resource))
    rule = rules(field)
    return not by_design and not rule.string.uuid and not rule.repeated.items.string.pattern


def request_with(rpc: str, path: str, value: str, world: World) -> Any:
    """A right request with the value in one field, and all else so that it is looked at; of a stream, what it takes."""
    if METHODS[rpc].client_streaming and not path.startswith("access."):
        return [examples.example(rpc), _put_into(examples.batch_of_a_stream(), path, value, world)]
    return _put_into(examples.example(rpc), path, value, world)


def _put_into(request: Any, path: str, value: str, world: World) -> Any:
    name_what_exists(request, world)
    if ".bank_account." in path:
        put(request, path.partition(".bank_account.")[0], copy.copy(examples.bank_account()))
    kind = path.removeprefix("records[0].").partition(".")[0]
    if path.startswith("records[0].") and kind in record_examples.BODIES:
        request.records[0].CopyFrom(record_examples.record(kind, world.member_id))
    if hasattr(request, "update_mask") and path.startswith(("profile.", "password")):
        request.update_mask.paths[:] = [path.removeprefix("profile.")]
    put(request, path, value)
    return request


@pytest.mark.parametrize("tried", [*product(METHODS, KINDS)], ids="-".join)
async def test_a_number_in_a_text_field_is_refused(
    clients: Clients, log: Log, planted: Planted, world: World, tried: tuple[str, str]
) -> None:
    """Free text with such a number is FORBIDDEN_CONTENT; no other field lets it pass, keep or repeat (LG-10, 4.9)."""
    (rpc, kind), wrong = tried, []
    for path, field in text_paths(METHODS[rpc].input_type):
        value = KINDS[kind]()
        planted.add(value)
        outcome = await clients.call(allowed_caller(rpc), rpc, request_with(rpc, path, value, world))
        assert_silent(outcome, value)
        await assert_recorded(log, outcome)
        refused = _refusal(outcome)
        if is_free_text(field):
            of_an_item = "results" in METHODS[rpc].output_type.fields_by_name and "]." in path
            expected = ("FORBIDDEN_CONTENT", path.partition("].")[2] if of_an_item else path, kind)
            # A form is looked at before the text is, and 41 characters of record id are too many for it.
            if refused != expected and refused[:2] != ("INVALID_FIELD", expected[1]):
                wrong.append((path, refused))
        elif not refused[0] and not path.endswith(TAKEN):
            wrong.append((path, refused))
    assert wrong == []


def _refusal(outcome: Outcome) -> tuple[str, str, str]:
    """Reason, field and rule of the answer, or of the one item of a batch; empty where it succeeded."""
    if outcome.reason:
        return (outcome.reason, *(outcome.violations[0] if outcome.violations else ("", "")))
    for result in getattr(outcome.messages[0], "results", ()):
        error = result.error
        reason = type(error).DESCRIPTOR.fields_by_name["reason"].enum_type.values_by_number[error.reason].name
        return reason.removeprefix("ERROR_REASON_") if error.reason else "", error.field, error.rule
    return "", "", ""


async def test_nothing_of_it_is_anywhere(stack: Stack, clients: Clients, log: Log, planted: Planted) -> None:
    """None of these numbers is in a service's log, PostgreSQL's, Vault's audit, a span or a table (L1, L2)."""
    await assert_nowhere(stack, clients, log, planted, least=200)

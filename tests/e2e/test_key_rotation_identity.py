"""Identity and the archive bring all that they hold under new versions, and it opens (CR-08)."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message
from onggi.access.v1.access_context_pb2 import VIEW_FULL, AccessContext
from onggi.identity.v1 import archive_service_pb2 as archive
from onggi.identity.v1 import contact_service_pb2 as contacts
from onggi.keys.v1 import key_service_pb2 as api

from dev.stack import Stack
from tests.integration import examples
from tests.integration.archives import leave
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import append, before, get, payment
from tests.integration.record_examples import add, list_of, record

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

_WHY = AccessContext(purpose="key_custody", reason="monthly rotation")
_KEYS = (("identity", "pii"), ("identity", "epoch-identity"), ("archive", "archive"), ("archive", "epoch-archive"))
_KINDS = ("login", "usage", "contract")


@pytest.fixture
async def clients(keyed: Stack) -> AsyncIterator[Clients]:
    """Calls as any caller."""
    opened = Clients(keyed)
    yield opened
    await opened.close()


@pytest.fixture
async def log(keyed: Stack) -> AsyncIterator[Log]:
    """The databases, read as superuser."""
    opened = Log(keyed)
    yield opened
    await opened.close()


async def _custodian(clients: Clients, service: str, rpc: str, request: Message) -> list[Any]:
    outcome = await clients.call(
        "key-custodian", f"onggi.keys.v1.KeyService/{rpc}", request, service=service, timeout=60.0
    )  # fmt: skip
    assert outcome.message, outcome
    return outcome.messages


async def test_everything_of_a_member_is_rewrapped_and_opens(clients: Clients, log: Log) -> None:
    """Profile, password, contact, log-like records, fields of records, archived fields, salts: all under the new version."""
    request = examples.register()
    member = (await clients.call("portal", "onggi.identity.v1.MemberService/RegisterMember", request)).message.member
    contact = await examples.new_contact(clients, member.member_id)
    for kind in _KINDS:
        await add(clients, record(kind, member.member_id))
    former = await examples.new_member(clients)
    paid = payment(former.member_id, before(10))
    [record_id] = await append(clients, paid)
    await leave(clients, log, former.member_id, [record_id])

    for service, key in _KEYS:
        rotate = api.RotateKeyRequest(access=_WHY, request_id=str(uuid4()), key=key)
        [rotated] = await _custodian(clients, service, "RotateKey", rotate)
        steps = await _custodian(clients, service, "RewrapKey", api.RewrapKeyRequest(access=_WHY, key=key))
        assert (steps[-1].left, steps[-1].rewrapped) == (0, steps[0].left)
        assert steps[0].left > 0, key
        retire = api.RetireKeyRequest(access=_WHY, request_id=str(uuid4()), key=key)
        [retired] = await _custodian(clients, service, "RetireKey", retire)
        newest = rotated.key.newest
        assert [version.version for version in retired.key.versions] == [newest]
        assert retired.key.oldest_kept == newest

    shown = (await get(clients, member.member_id)).message.member.profile
    assert shown.organization_name == request.profile.organization_name
    found = await clients.call("portal", "onggi.identity.v1.ContactService/GetContact", contacts.GetContactRequest(
        access=examples.access(), contact_id=contact.contact_id, view=VIEW_FULL))  # fmt: skip
    assert found.message.contact.profile.name
    for kind in _KINDS:
        [one] = (await list_of(clients, member.member_id, kind)).message.records
        assert one.WhichOneof("body") == kind
    opened = await clients.call("privacy-officer", "onggi.identity.v1.ArchiveService/GetArchived", archive.GetArchivedRequest(
        access=examples.access("consumer_protection", reason="a test"), record_id=record_id, view=VIEW_FULL))  # fmt: skip
    assert opened.message.record.payment.amount == paid.payment.amount
    # And what comes afterwards is taken: the fences refuse what is old, and nothing else.
    for kind in _KINDS:
        await add(clients, record(kind, member.member_id))

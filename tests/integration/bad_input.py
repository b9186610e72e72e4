"""What the tests of bad input share: cases as data, one way to try one, and the search for what must be nowhere."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log, spans_of

CONTROL = "control phrase of the tests of bad input"
"""A reason that is allowed and must be found in the log: a search that finds nothing at all is no search."""


@dataclass(frozen=True)
class World:
    """Things that exist."""

    member_id: str
    etag: str
    email: str
    contact_id: str
    token: str
    other_member_id: str


_WORLDS: dict[str, World] = {}


async def world_of(stack: Stack, clients: Clients, module: str) -> World:
    """The things that exist on a stack for a module of tests, made when first asked for."""
    key = f"{stack.directory} {module}"
    if key not in _WORLDS:
        request = examples.register()
        rpc = "onggi.identity.v1.MemberService/RegisterMember"
        member = (await clients.call("portal", rpc, request)).message.member
        contact = await examples.new_contact(clients, member.member_id)
        token, _ = await examples.new_token(clients, member.member_id)
        other = await examples.new_member(clients)
        _WORLDS[key] = World(
            member.member_id, member.etag, request.profile.email, contact.contact_id, token, other.member_id
        )
    return _WORLDS[key]


FORBIDDEN_CONTENT = {"CONTROL_CHARACTER", "RESIDENT_NUMBER", "CARD_NUMBER", "CARD_SECURITY_CODE", "CARD_PIN"}
_CODES = {
    "MEMBER_NOT_FOUND": "NOT_FOUND", "TOKEN_NOT_FOUND": "NOT_FOUND", "PLAN_NOT_FOUND": "NOT_FOUND",
    "RECORD_NOT_FOUND": "NOT_FOUND", "APPROVAL_NOT_FOUND": "NOT_FOUND", "HOLD_NOT_FOUND": "NOT_FOUND",
    "CONSENT_NOT_FOUND": "NOT_FOUND",
    "ALREADY_REGISTERED": "ALREADY_EXISTS", "REQUEST_ID_REUSED": "ALREADY_EXISTS", "ETAG_STALE": "ABORTED",
    "ACCESS_DENIED": "PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED": "PERMISSION_DENIED",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One bad request: a right one of this RPC with one value in the place of another, and the answer it gets.

    `value` makes the offending value, from the world where it must; with `search` off it is too short or too common to
    be looked for. `path` may be "" where `change` does it all. `field` is the path unless another is given; `reason`
    follows from the rule unless given.
    """

    name: str
    rpc: str
    path: str
    value: Callable[[World], Any]
    rule: str = ""
    reason: str = ""
    field: str | None = None
    search: bool = True
    change: Callable[[Any, World], object] | None = None
    caller: str = ""

    @property
    def error(self) -> tuple[str, str]:
        """The status code and the reason of the answer."""
        reason = self.reason or ("FORBIDDEN_CONTENT" if self.rule in FORBIDDEN_CONTENT else "INVALID_FIELD")
        return _CODES.get(reason, "INVALID_ARGUMENT"), reason

    def request(self, world: World) -> tuple[Any, str]:
        """The request, and the offending value as text."""
        request = examples.example(self.rpc)
        name_what_exists(request, world)
        value = self.value(world)
        if self.change is not None:
            self.change(request, world)
        if self.path:
            put(request, self.path, value)
        if isinstance(value, FieldMask):
            value = value.paths[0]
        return request, value if isinstance(value, str) else ""

    @property
    def violations(self) -> list[tuple[str, str]]:
        """The field violations of the answer."""
        return [(self.path if self.field is None else self.field, self.rule)] if self.rule else []


def parameters(cases: Iterable[Case]) -> list[Any]:
    """The cases for pytest, by their names."""
    return [pytest.param(case, id=case.name) for case in cases]


def name_what_exists(request: Any, world: World) -> None:
    """Name the member, the contact and the version that exist, so that a request gets as far as it can."""
    names = request.DESCRIPTOR.fields_by_name
    for name, value in (("member_id", world.member_id), ("contact_id", world.contact_id), ("etag", world.etag)):
        if name in names:
            setattr(request, name, value)
    for items in ("items", "records"):
        for item in getattr(request, items, ()):
            item.member_id = world.member_id


def put(request: Any, path: str, value: Any) -> None:
    """Set the field of a path such as `items[0].instrument.card.number`; a list gets the value as its only item."""
    *way, last = path.split(".")
    for step in way:
        name, _, index = step.partition("[")
        request = getattr(request, name)
        if index and not request:
            request.add()
        request = request[int(index.rstrip("]"))] if index else request
    name = last.partition("[")[0]
    if isinstance(value, Message):
        getattr(request, name).CopyFrom(value)
    elif request.DESCRIPTOR.fields_by_name[name].is_repeated:
        getattr(request, name)[:] = [value]
    else:
        setattr(request, name, value)


@dataclass
class Planted:
    """The offending values of a module, looked for at its end."""

    values: set[str] = dataclass_field(default_factory=set)

    def add(self, value: str) -> None:
        """Look for this value, as it is and without its separators."""
        if len(value) >= 6:
            self.values.add(value)
            if len(digits := re.sub(r"\D", "", value)) >= 10:
                self.values.add(digits)


async def refuse(clients: Clients, log: Log, planted: Planted, case: Case, world: World) -> Outcome:
    """Try a case: the answer is the expected one, it repeats no value, and it has its one row."""
    request, value = case.request(world)
    if case.search:
        planted.add(value)
    outcome = await clients.call(case.caller or allowed_caller(case.rpc), case.rpc, request)
    assert (outcome.code.name, outcome.reason) == case.error, outcome.violations
    assert outcome.violations == case.violations
    assert_silent(outcome, value)
    await assert_recorded(log, outcome)
    return outcome


def assert_silent(outcome: Outcome, value: str) -> None:
    """The value stands in no status text, detail or metadata of the answer (LG-10)."""
    if len(value) >= 4:
        assert value.encode() not in outcome.everything
    assert outcome.messages == [] or outcome.code is grpc.StatusCode.OK


async def assert_recorded(log: Log, outcome: Outcome) -> Any:
    """The call has one row of its access, and the last word on it is the answer that the caller got (LG-01)."""
    rows = await log.rows_of(outcome)
    assert [row["phase"] for row in rows].count("ACCESS") == 1, f"{outcome.rpc}: {len(rows)} rows"
    told = next((row for row in rows if row["phase"] == "OUTCOME"), rows[0])
    assert (told["status"], told["error_reason"]) == (outcome.code.name, outcome.reason)
    return told


async def plant_control(clients: Clients, service: str) -> None:
    """Make a call whose reason is the control phrase."""
    rpc = "onggi.processing_log.v1.ProcessingLogService/SearchEntries"
    outcome = await clients.call("security-reviewer", rpc, examples.example(rpc, reason=CONTROL), service=service)
    assert outcome.code is grpc.StatusCode.OK


async def assert_nowhere(stack: Stack, clients: Clients, log: Log, planted: Planted, least: int = 50) -> None:
    """No planted value is in a log, in the trace receiver's file, in Vault's audit log or in any column of any table.

    Waits for the spans of what was recorded. Looks for controls in each kind of place first.
    """
    assert len(planted.values) >= least, "too little was planted for the search to mean anything"
    databases = list(stack.services)
    for service in databases:
        await plant_control(clients, service)
    await wait_for_spans(stack, log)
    places = dict(_files(stack))
    for database in databases:
        places[f"tables of {database}"] = await log.everything(database)
        assert CONTROL in places[f"tables of {database}"], database
    assert "onggi.processing_log.v1.ProcessingLogService/SearchEntries" in places["spans.jsonl"]
    assert '"event": "serving"' in places["identity.log"]
    assert "ready to accept connections" in places["postgresql.log"]
    assert "transit/hmac/" in places["audit.log"]
    hits = [(place, value) for place, text in places.items() for value in sorted(planted.values) if value in text]
    assert hits == []


def _files(stack: Stack) -> Iterator[tuple[str, str]]:
    paths = [*stack.log_dir.iterdir(), stack.otlp_file, stack.directory / "openbao" / "audit.log"]
    for path in paths:
        yield path.name, path.read_bytes().decode("utf-8", "replace")


async def wait_for_spans(stack: Stack, log: Log, seconds: float = 10.0) -> tuple[set[Any], set[Any]]:
    """Wait until every row of every processing log has its span; return what is in the logs and what was received."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        received = {found[1] for line in spans_of(stack) if (found := _RECORD_ID.search(line))}
        written = {
            str(row["record_id"])
            for service in stack.services
            for row in await log.fetch(service, "SELECT record_id FROM processing_log")
        }
        if written <= received or asyncio.get_running_loop().time() > deadline:
            return written, received
        await asyncio.sleep(0.2)


_RECORD_ID = re.compile(r'"onggi\.record_id": "([0-9a-f-]{36})"')

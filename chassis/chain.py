"""The way of a request. Reading ``CHAIN`` is reading the security model: each link is a plain function.

A link takes the call and the rest of the chain and returns the response. Nothing but the chain stands between the bytes
of a request and its handler.
"""

import asyncio
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from onggi.access.v1.access_context_pb2 import VIEW_FULL

from chassis import caller, contract, errors
from chassis.access import Policy
from chassis.call import Call
from chassis.contents import conceal, contents, items_held
from chassis.detached import detached
from chassis.entry import Entry
from chassis.ledger import Ledger

log = structlog.get_logger()

_LONGEST_FLUSH = 30.0

Response = Any  # bytes, or an asynchronous iterator of messages where the RPC streams
Proceed = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the links stand on."""

    policy: Policy
    ledger: Ledger


Link = Callable[[Grounds, Call, Proceed], Awaitable[Response]]


async def translate_errors(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """Outermost: nothing leaves untranslated. Exception text reaches neither the caller nor a log."""
    try:
        return await proceed(call)
    except errors.DomainError as error:
        failure = error
    except Exception as error:  # noqa: BLE001  # a defect of ours; its text may hold data, so only its place is told
        log.error("unexpected error", error=type(error).__name__, at=place_of(error), trace_id=call.entry.trace_id)
        failure = errors.Internal()
    await abort(call, errors.to_status(failure, call.entry.trace_id))
    return None


async def trace(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """A span for every call: its ids stand in the entry, and the exporter renders it from the committed row."""
    call.context.set_trailing_metadata(trailing_metadata(call))
    return await proceed(call)


async def identify_caller(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """The SPIFFE id from the client certificate, never from metadata."""
    peer = call.context
    call.caller = caller.from_identities(peer.peer_identities(), peer.peer_identity_key(), grounds.policy.trust_domain)
    call.entry.actor = call.caller.spiffe_id
    call.entry.actor_type = grounds.policy.actor_type(call.caller)
    return await proceed(call)


async def record_access(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """The processing log: no record, no answer. Refusals are recorded too; what a flush has written stays as it is."""
    entry = call.entry
    try:
        response = await proceed(call)
    except asyncio.CancelledError:
        asyncio.ensure_future(detached(_record_gone(grounds.ledger, entry)))  # noqa: RUF006  # detached keeps it
        raise
    except Exception as error:
        await detached(_record_failure(grounds.ledger, call, error))
        raise
    if not entry.written:
        await grounds.ledger.append(entry, call.deadline)
    return response


async def _record_failure(ledger: Ledger, call: Call, error: Exception) -> None:
    entry = call.entry
    failure = error if isinstance(error, errors.DomainError) else errors.Internal()
    status, reason = failure.code.name, errors.reason_name(failure.reason)
    if entry.written and entry.lookup is not None and reason == entry.missing_reason:
        return  # the row says so already: the very statement that looked has decided it
    await _append(ledger, entry, status, reason, call.deadline)


async def _record_gone(ledger: Ledger, entry: Entry) -> None:
    """Record a caller that went away: when what it has under way has ended, for only then is known what was done."""
    deadline = asyncio.get_running_loop().time() + _LONGEST_FLUSH
    while entry.sent and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # rare, and it costs no call
        await asyncio.sleep(0.02)
    failure = errors.Cancelled()
    await _append(ledger, entry, failure.code.name, errors.reason_name(failure.reason))


async def _append(ledger: Ledger, entry: Entry, status: str, reason: str, deadline: float | None = None) -> None:
    # What is still under way when the time is up may yet be written: then too the failure is a row of its own.
    if entry.written or entry.sent:
        await ledger.append(entry.outcome(status, reason), deadline)
        return
    entry.status, entry.error_reason = status, reason
    entry.items = []  # nothing was shown and nothing was written
    await ledger.append(entry, deadline)


async def parse_and_validate(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """Bytes to message; unknown fields refused; then the rules of the fields, and a purpose that the policy knows."""
    message = _parse(call)
    contract.check(message, call.contents.texts)
    access: Any = getattr(message, "access")  # noqa: B009  # every request has one; a contract test sees to it
    call.entry.reason, call.entry.ticket = access.reason, access.ticket
    if call.method.has_request_id:
        call.entry.request_id = getattr(message, "request_id")  # noqa: B009
    grounds.policy.check_purpose(access.purpose)
    call.entry.purpose = access.purpose
    if call.method.reason_required and not access.reason.strip():
        raise errors.ReasonRequired
    return await proceed(call)


def _parse(call: Call) -> Message:
    message = contract.parse(call.raw, call.method.request)
    call.message, call.contents = message, contents(message)
    call.entry.about(call.contents.subjects)
    call.entry.resource_ids += call.contents.resources
    return message


async def read_opening(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """The first message of a stream of requests; a caller who sends none is recorded too."""
    assert call.requests is not None
    call.raw = await call.requests.read() or b""
    return await proceed(call)


async def parse_following(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """A later message of a stream, under the why of the first: to the last link like any other request."""
    message = _parse(call)
    contract.check(message, call.contents.texts)
    contract.check_following(message, wants_id=call.method.has_request_id)
    if call.method.has_request_id:
        call.entry.request_id = getattr(message, "request_id")  # noqa: B009
    return await proceed(call)


async def enforce_access(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """access.toml: caller x RPC x purpose. Last, so that only allowed calls reach a handler."""
    entry, message = call.entry, call.message
    assert message is not None
    grounds.policy.enforce(call.caller, call.method.name, entry.purpose)
    call.full_view = allowed_in_full(grounds.policy, call, message)
    shown = items_held(call.method.response.DESCRIPTOR) & call.full_view if call.full_view else call.full_view
    entry.items = sorted(shown | call.contents.items)
    return await proceed(call)


async def admit(grounds: Grounds, call: Call, proceed: Proceed) -> Response:
    """Note that a message of a stream is right and allowed: the next may be read."""
    call.admitted = True
    return await proceed(call)


def allowed_in_full(policy: Policy, call: Call, message: Message) -> frozenset[str]:
    """Return the items that the answer may show in full: none, unless a full view or a reveal was asked for."""
    full = call.method.reveals or getattr(message, "view", 0) == VIEW_FULL
    return policy.full_view_for(call.caller, call.entry.purpose) if full else frozenset()


CHAIN: tuple[Link, ...] = (
    translate_errors,  # outermost: nothing leaves untranslated; exception text never reaches caller, log or span
    trace,  # ids for every call, even refused, malformed or unknown ones; never sampled
    identify_caller,  # SPIFFE id from the client certificate, never from metadata
    record_access,  # the processing log: no record, no answer - refusals are recorded too
    parse_and_validate,  # bytes -> message; protovalidate; unknown fields refused
    enforce_access,  # access.toml: caller x RPC x purpose
)
# An RPC that this server does not have: there is nothing to parse and nobody to allow, but the attempt is recorded.
UNKNOWN_CHAIN: tuple[Link, ...] = CHAIN[:4]
# A stream of requests: its first message goes the whole way and says why for all of them.
OPENING_CHAIN: tuple[Link, ...] = (*CHAIN[:4], read_opening, *CHAIN[4:])
# Each later message is an access of its own; what fails ends the stream, in its turn, and is translated there.
FOLLOWING_CHAIN: tuple[Link, ...] = (record_access, parse_following, enforce_access, admit)


def wrap(links: tuple[Link, ...], grounds: Grounds, handler: Proceed) -> Proceed:
    """Return the handler behind the links, the first outermost."""
    proceed = handler
    for link in reversed(links):
        proceed = _bound(link, grounds, proceed)
    return proceed


def _bound(link: Link, grounds: Grounds, proceed: Proceed) -> Proceed:
    return lambda call: link(grounds, call, proceed)


def present(call: Call, response: Message) -> bytes:
    """Mask what the purpose does not cover and return the bytes."""
    conceal(response, call.full_view)
    return response.SerializeToString()


async def present_stream(grounds: Grounds, call: Call, messages: AsyncIterator[Message]) -> AsyncIterator[bytes]:
    """The same for each message of a stream; a failure on the way is recorded and translated like any other."""
    try:
        async for message in messages:
            yield present(call, message)
    except Exception as error:  # noqa: BLE001
        await end_stream(grounds, call, error)


async def end_stream(grounds: Grounds, call: Call, error: Exception) -> None:
    """Record and translate what ends a stream on its way; what cannot be recorded is answered so."""
    try:
        await detached(_record_failure(grounds.ledger, call, error))
    except errors.DomainError as unrecorded:
        error = unrecorded
    await refuse(call, error)


async def refuse(call: Call, error: Exception) -> None:
    """End the call with the error, which is recorded already. Raises, always."""
    if not isinstance(error, errors.DomainError):
        log.error("unexpected error", error=type(error).__name__, at=place_of(error), trace_id=call.entry.trace_id)
        error = errors.Internal()
    await abort(call, errors.to_status(error, call.entry.trace_id))


def trailing_metadata(call: Call) -> tuple[tuple[str, str], ...]:
    """Return what every answer carries: the receipt and the trace."""
    return (("onggi-record-id", call.entry.record_id), ("onggi-trace-id", call.entry.trace_id))


async def abort(call: Call, status: Status) -> None:
    """End the call with the status. Raises, always: gRPC unwinds the handler so."""
    code = _CODES[status.code]
    details: tuple[str, bytes] = (errors.STATUS_DETAILS, status.SerializeToString())
    await call.context.abort(code, status.message, (details, *trailing_metadata(call)))


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def place_of(error: BaseException) -> str:
    """Return file and line where the error was raised, the innermost of ours; never its text."""
    frames = traceback.extract_tb(error.__traceback__ or sys.exc_info()[2])
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return (
        f"{ours[-1].filename.rsplit('/', 2)[-2]}/{ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].lineno}"
        if ours
        else "?"
    )

"""Every call has its row in the processing log, whatever became of it, and every row its span."""

import grpc
import pytest

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.accesses import check_five_items, existing, new_trace
from tests.integration.bad_input import World, assert_recorded, wait_for_spans, world_of
from tests.integration.clients import METHODS, Clients, servers_of
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

SAMPLE = [
    "onggi.identity.v1.MemberService/GetMember",
    "onggi.identity.v1.MemberService/FindMember",
    "onggi.identity.v1.MemberService/RegisterMember",
    "onggi.identity.v1.MemberService/UpdateMember",
    "onggi.identity.v1.ContactService/AddContact",
    "onggi.identity.v1.ContactService/GetContact",
    "onggi.identity.v1.ContactService/ListContacts",
    "onggi.identity.v1.RecordService/AppendRecords",
    "onggi.identity.v1.RecordService/ListRecords",
    "onggi.payment_vault.v1.TokenizationService/Tokenize",
    "onggi.payment_vault.v1.TokenizationService/BatchTokenize",
    "onggi.payment_vault.v1.TokenizationService/GetToken",
    "onggi.payment_vault.v1.TokenizationService/ListTokens",
    "onggi.payment_vault.v1.DetokenizationService/Detokenize",
    "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize",
    "onggi.processing_log.v1.ProcessingLogService/SearchEntries",
    "onggi.retention.v1.RetentionService/ListPlans",
    "onggi.retention.v1.HoldService/ListHolds",
]
MISSES = [
    "onggi.identity.v1.MemberService/GetMember",
    "onggi.identity.v1.MemberService/FindMember",
    "onggi.identity.v1.MemberService/UpdateMember",
    "onggi.identity.v1.ContactService/AddContact",
    "onggi.identity.v1.ContactService/GetContact",
    "onggi.identity.v1.ContactService/ListContacts",
    "onggi.identity.v1.RecordService/ListRecords",
    "onggi.payment_vault.v1.TokenizationService/GetToken",
    "onggi.payment_vault.v1.DetokenizationService/Detokenize",
]


@pytest.fixture
async def world(stack: Stack, clients: Clients) -> World:
    """Things that exist."""
    return await world_of(stack, clients, __name__)


@pytest.mark.parametrize("rpc", SAMPLE)
async def test_an_answer_is_recorded(clients: Clients, log: Log, world: World, rpc: str) -> None:
    """A call that succeeds has one row, with the subjects it touched, its purpose and its reason (LG-01, LG-02)."""
    request, caller = existing(rpc, world), allowed_caller(rpc)
    outcome = await clients.call(caller, rpc, request)
    assert outcome.code is grpc.StatusCode.OK, (outcome.reason, outcome.violations)
    row = await log.one_row_of(outcome)
    check_five_items(row, rpc, caller)
    assert (row["status"], row["error_reason"], row["phase"]) == ("OK", "", "ACCESS")
    assert (row["purpose"], row["reason"]) == (request.access.purpose, "a test")
    assert row["trace_id"] == outcome.trace_id
    assert row["request_id"] == getattr(request, "request_id", "")
    if "onggi.retention" not in rpc and "ProcessingLog" not in rpc:
        assert row["subject_count"] == len(row["subject_ids"]) >= 1
        if not rpc.endswith("RegisterMember"):
            assert world.member_id in {str(found) for found in row["subject_ids"]}


@pytest.mark.parametrize("rpc", SAMPLE)
async def test_an_invalid_request_is_recorded(clients: Clients, log: Log, world: World, rpc: str) -> None:
    """A request that is refused for a field has its row, with the subjects that it names (A5)."""
    request, caller = existing(rpc, world), allowed_caller(rpc)
    request.access.reason = "x" * 201
    outcome = await clients.call(caller, rpc, request)
    assert outcome.code is grpc.StatusCode.INVALID_ARGUMENT
    row = await log.one_row_of(outcome)
    check_five_items(row, rpc, caller)
    assert (row["status"], row["error_reason"]) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert row["reason"] == ""
    if hasattr(request, "member_id"):
        assert world.member_id in {str(found) for found in row["subject_ids"]}


@pytest.mark.parametrize("rpc", SAMPLE)
async def test_a_refused_caller_is_recorded(clients: Clients, log: Log, world: World, rpc: str) -> None:
    """Who may not has a row too: who, whose data, under which purpose, and that nothing was shown (A5)."""
    outcome = await clients.call("stranger", rpc, existing(rpc, world))
    assert outcome.reason == "ACCESS_DENIED"
    row = await log.one_row_of(outcome)
    check_five_items(row, rpc, "stranger")
    assert (row["status"], row["error_reason"]) == ("PERMISSION_DENIED", "ACCESS_DENIED")
    assert list(row["items"]) == []


@pytest.mark.parametrize("rpc", MISSES)
async def test_a_miss_is_recorded(clients: Clients, log: Log, rpc: str) -> None:
    """NOT_FOUND stands in the row, with no item shown, and the id that was asked for where it was one (A5)."""
    request, caller = examples.example(rpc), allowed_caller(rpc)
    outcome = await clients.call(caller, rpc, request)
    assert outcome.code is grpc.StatusCode.NOT_FOUND
    row = await log.one_row_of(outcome)
    check_five_items(row, rpc, caller)
    assert (row["status"], row["error_reason"]) == ("NOT_FOUND", outcome.reason)
    if rpc.rpartition("/")[2].startswith(("Get", "Find", "List", "Detokenize")):
        assert list(row["items"]) == []
    if hasattr(request, "member_id"):
        assert request.member_id in {str(found) for found in row["subject_ids"]}


TRACEPARENTS = {
    "not sampled": ("00-{trace}-{span}-00", True),
    "sampled": ("00-{trace}-{span}-01", True),
    "a later version": ("cc-{trace}-{span}-01-what-the-future-will-be-like", True),
    "zeros": ("00-00000000000000000000000000000000-{span}-01", False),
    "zero span": ("00-{trace}-0000000000000000-01", False),
    "version ff": ("ff-{trace}-{span}-01", False),
    "a number of a person": ("00-900101-1234567-01", False),
    "empty": ("", False),
}


@pytest.mark.parametrize("name", TRACEPARENTS)
async def test_no_header_switches_the_log_off(clients: Clients, log: Log, name: str) -> None:
    """A flag of 00 is recorded under the caller's ids; a header that is none gives a new trace; never no row (A2)."""
    rpc = "onggi.identity.v1.MemberService/GetMember"
    form, valid = TRACEPARENTS[name]
    trace = new_trace()
    header = form.format(trace=trace.trace_id, span=trace.span_id)
    extra = [("tracestate", "vendor=" + "a" * 6_000), ("baggage", "sampled=false"), ("x-b3-sampled", "0")]
    outcome = await clients.call("portal", rpc, examples.example(rpc), metadata=[("traceparent", header), *extra])
    row = await assert_recorded(log, outcome)
    assert outcome.trace_id == row["trace_id"]
    assert (row["trace_id"] == trace.trace_id) == valid
    assert row["parent_span_id"] == (trace.span_id if valid else "")
    assert len(row["trace_id"]) == 32 and len(row["span_id"]) == 16  # noqa: PT018
    assert row["span_id"] != trace.span_id


async def test_two_headers_lose_no_row(clients: Clients, log: Log) -> None:
    """Two traceparents are as good as none (W3C Trace Context, 2.): the call is recorded under a trace of its own (A2)."""
    rpc = "onggi.identity.v1.MemberService/GetMember"
    headers = [*new_trace("00").metadata, *new_trace("00").metadata]
    await assert_recorded(log, await clients.call("portal", rpc, examples.example(rpc), metadata=headers))


async def test_every_rpc_has_its_link_in_the_chain(clients: Clients, log: Log) -> None:
    """Every RPC that a service serves makes a row, streams too: none is without the chain (LG-02)."""
    for rpc in METHODS:
        for service in servers_of(rpc):
            outcome = await clients.call("stranger", rpc, examples.example(rpc), service=service)
            assert (await log.one_row_of(outcome))["rpc_method"] == rpc


async def test_every_row_has_its_span(stack: Stack, log: Log) -> None:
    """What the receiver has got is what the logs have, refusals and misses too, once all is sent (A3, LG-07)."""
    written, received = await wait_for_spans(stack, log)
    assert len(written) > 100
    assert written == received

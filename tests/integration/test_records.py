"""Records of every kind over the real wire: taken in under the policy's bases, listed, and their start events noted."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
from onggi.identity.v1.record_service_pb2 import Record, Standing

from tests.integration import examples
from tests.integration.bad_input import assert_recorded
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import before, end, give, withdraw
from tests.integration.record_examples import (
    BODIES,
    CONSENTS,
    RECORDS,
    add,
    append,
    errors_of,
    list_of,
    note,
    record,
    today,
)

pytestmark = pytest.mark.timeout(120)

BASES = {
    "login": {"R-12": True}, "usage": {"R-22": True}, "inquiry": {"R-05": False}, "partnership_inquiry": {"R-06": True},
    "misuse": {"R-04": False}, "abuse_incident": {"R-08": True}, "contract": {"R-09a": False},
    "payment": {"R-01": False, "R-09b": True, "R-10": True, "R-11": True}, "dispute": {"R-09c": False},
    "advertising": {"R-09d": False}, "tax_document": {"R-10": True}, "electronic_transaction": {"R-11": True},
    "malicious_attachment": {"R-07": True}, "cash_receipt_request": {"R-10": True, "R-19": False},
    "notification_target": {"R-20": False}, "vpn_second_factor": {"R-21": False},
}  # fmt: skip
"""Kind -> its usual bases, and whether the record's own date starts the period; written by hand from the policy."""


async def member(clients: Clients, *consents: str) -> str:
    """A member that has given these consents."""
    found = (await examples.new_member(clients)).member_id
    for consent in consents:
        assert (await give(clients, found, consent)).code is grpc.StatusCode.OK
    return found


async def test_every_kind_is_taken_in_and_listed(clients: Clients, log: Log) -> None:
    """All sixteen kinds in one batch, each under the bases of the policy for it, start events where they have come."""
    assert BASES.keys() == BODIES.keys()
    member_id = await member(clients, *CONSENTS.values())
    outcome = await append(clients, [record(kind, member_id) for kind in BODIES])
    assert errors_of(outcome) == [("", "", "")] * len(BODIES)
    await assert_recorded(log, outcome)
    for kind, result in zip(BODIES, outcome.message.results, strict=True):
        [found] = (await list_of(clients, member_id, kind)).message.records
        assert (found.record_id, found.member_id, found.WhichOneof("body")) == (result.record_id, member_id, kind)
        assert found.policy_version == "1"
        shown = {item.category: item.event_date for item in found.standings}
        assert shown == {name: today().isoformat() if own else "" for name, own in BASES[kind].items()}
        assert not any(item.ended_on for item in found.standings)


async def test_every_field_is_sealed_under_a_salt_of_its_own(clients: Clients, log: Log) -> None:
    """What a payment holds stands in SQL as ciphertext alone, each field with its own salt (LC-04, CR-02)."""
    member_id = await member(clients)
    given = record("payment", member_id)
    record_id = await add(clients, given)
    fields = {field.name: str(value) for field, value in given.payment.ListFields()}
    rows = await log.fetch("identity", "SELECT * FROM record_field WHERE record_id = $1", UUID(record_id))
    assert {row["field"] for row in rows} == fields.keys()
    units = [f"record:{record_id}:{field}" for field in fields]
    salts = await log.fetch("identity", "SELECT wrapped_salt FROM erasure_key WHERE unit = ANY($1)", units)
    assert len({row["wrapped_salt"] for row in salts}) == len(fields)
    everything = await log.everything("identity")
    assert record_id in everything
    assert not [field for field, value in fields.items() if len(value) > 5 and value in everything]


async def test_the_answer_is_masked(clients: Clients) -> None:
    """A list shows what its caller's purpose does not cover in masks; the instrument was stored masked (AC-11, AC-12)."""
    member_id = await member(clients)
    given = record("payment", member_id, payer_phone="010-1234-5678", business_registration_number="123-45-67891")
    await add(clients, given)
    [found] = (await list_of(clients, member_id, "payment")).message.records
    body = found.payment
    assert (body.payer_phone, body.masked_instrument) == ("010-****-5678", "400000******0002")
    assert (body.business_registration_number, body.amount, body.supplied) == ("123-45-*****", "***", "***")


async def test_a_cash_receipt_identifier_is_masked_by_the_service(clients: Clients) -> None:
    """Of a mobile number or an 18-digit card, exactly one, the proof keeps the masked form alone (R-10, R-19)."""
    member_id = await member(clients)
    card = "999912345678901234"
    outcome = await append(clients, [
        record("cash_receipt_request", member_id, mobile_phone="010-1234-5678"),
        record("cash_receipt_request", member_id, mobile_phone="", card_number="9999-1234-5678-9012-34"),
        record("cash_receipt_request", member_id, card_number=card),
        record("cash_receipt_request", member_id, mobile_phone=""),
        record("cash_receipt_request", member_id, mobile_phone="", card_number=card[:-1]),
        record("cash_receipt_request", member_id, masked_identifier="010-****-5678"),
    ])  # fmt: skip
    kind = "cash_receipt_request"
    assert errors_of(outcome) == [
        ("", "", ""),
        ("", "", ""),
        ("INVALID_FIELD", kind, "EXACTLY_ONE"),
        ("INVALID_FIELD", kind, "EXACTLY_ONE"),
        ("INVALID_FIELD", f"{kind}.card_number", "LENGTH"),
        ("INVALID_FIELD", f"{kind}.masked_identifier", "NOT_GIVEN"),
    ]
    found = (await list_of(clients, member_id, kind)).message.records
    assert {item.cash_receipt_request.masked_identifier for item in found} == {"010-****-5678", "999912********1234"}


async def test_bad_records_leave_their_neighbours_alone(clients: Clients, log: Log) -> None:
    """Each item has its own answer: what the policy does not allow is refused by field and rule, the others are added."""
    member_id = await member(clients)
    tomorrow = (today() + timedelta(days=1)).isoformat()
    cases: list[tuple[Record, tuple[str, str, str]]] = [
        (record("contract", member_id), ("", "", "")),
        (record("contract", member_id, Standing(category="R-10")), ("INVALID_FIELD", "standings[0].category", "NOT_A_BASIS")),
        (record("contract", member_id, Standing(category="R-99")), ("INVALID_FIELD", "standings[0].category", "NOT_A_BASIS")),
        (record("contract", member_id, *[Standing(category="R-09a")] * 2),
         ("INVALID_FIELD", "standings[1].category", "REPEATED")),
        (record("contract", member_id, Standing(category="R-09a", event_date=tomorrow)),
         ("INVALID_FIELD", "standings[0].event_date", "in_the_future")),
        (record("contract", member_id, Standing(category="R-09a", event_date="2026-02-30")),
         ("INVALID_FIELD", "standings[0].event_date", "date")),
        (record("contract", member_id, Standing(category="R-09a", ended_on="2026-02-01")),
         ("INVALID_FIELD", "standings[0].ended_on", "NOT_GIVEN")),
        (record("payment", member_id, Standing(category="R-09b", event_date="2026-02-01")),
         ("INVALID_FIELD", "standings[0].event_date", "NOT_GIVEN")),
        (record("payment", member_id, Standing(category="R-01", event_date="2026-02-01")),
         ("INVALID_FIELD", "standings[0].event_date", "NOT_GIVEN")),
        (record("partnership_inquiry", member_id, Standing(category="R-06", event_date="2026-11-01")),
         ("INVALID_FIELD", "standings[0].event_date", "NOT_GIVEN")),
        (record("inquiry", member_id), ("CONSENT_REQUIRED", "", "")),
        (record("inquiry", member_id, resolution="처리"), ("INVALID_FIELD", "inquiry.resolution", "NO_BASIS")),
        (record("dispute", member_id, claim="주민번호 900101-1234567"),
         ("FORBIDDEN_CONTENT", "dispute.claim", "RESIDENT_NUMBER")),
        (record("payment", member_id, masked_instrument="4000000000000002"),
         ("INVALID_FIELD", "payment.masked_instrument", "NOT_MASKED")),
        (record("payment", member_id, payer_phone="02-123-4567"), ("INVALID_FIELD", "payment.payer_phone", "NOT_MOBILE")),
        (record("tax_document", member_id, business_registration_number="123-45-67890"),
         ("INVALID_FIELD", "tax_document.business_registration_number", "CHECK_DIGIT")),
        (record("advertising", examples.new_id()), ("MEMBER_NOT_FOUND", "", "")),
        (record("advertising", member_id), ("", "", "")),
    ]  # fmt: skip
    request_id = examples.new_id()
    outcome = await append(clients, [given for given, _ in cases], request_id)
    assert errors_of(outcome) == [error for _, error in cases]
    await assert_recorded(log, outcome)
    again = await append(clients, [given for given, _ in cases], request_id)
    assert again.message == outcome.message


async def test_a_record_that_would_outlive_its_period_is_refused(clients: Clients, log: Log) -> None:
    """Where every basis is over nothing is taken in; where one lives, its fields alone are (LC-01, LC-10)."""
    member_id = await member(clients)
    long_ago, years_ago = date(2009, 5, 10), before(5 * 366)
    by_law = [Standing(category=name) for name in ("R-09b", "R-10", "R-11")]
    outcome = await append(clients, [
        record("electronic_transaction", member_id, day=long_ago),
        record("contract", member_id, Standing(category="R-09a", event_date="2015-01-01"), day=long_ago),
        record("payment", member_id, *by_law, day=years_ago, payer_phone=""),
    ])  # fmt: skip
    ended = ("INVALID_FIELD", "occurred_at", "PERIOD_ENDED")
    assert errors_of(outcome) == [ended, ended, ("", "", "")]
    record_id = UUID(outcome.message.results[2].record_id)
    bases = await log.fetch("identity", "SELECT category FROM record_basis WHERE record_id = $1", record_id)
    fields = await log.fetch("identity", "SELECT field FROM record_field WHERE record_id = $1", record_id)
    assert [row["category"] for row in bases] == ["R-10"]
    assert {row["field"] for row in fields} == {"amount", "approval_number", "business_registration_number"}


async def test_a_consent_is_needed_while_it_lives(clients: Clients) -> None:
    """A record that stands on a consent is taken in while the member's own consent lives, and no longer (LC-12)."""
    member_id, neighbour = await member(clients, "inquiry_retention"), await member(clients)
    refused = ("CONSENT_REQUIRED", "", "")
    outcome = await append(clients, [record("inquiry", member_id), record("inquiry", neighbour)])
    assert errors_of(outcome) == [("", "", ""), refused]
    complaint = record("inquiry", neighbour, Standing(category="R-09c"), resolution="처리 완료")
    for field in ("email", "mobile_phone", "body"):
        complaint.inquiry.ClearField(field)
    [result] = (await append(clients, [complaint])).message.results
    assert result.error.field == "inquiry.email", "the contract wants an inquiry whole"
    await end(clients, member_id, "inquiry_retention")
    assert errors_of(await append(clients, [record("inquiry", member_id)])) == [refused]


async def test_records_are_listed_page_by_page(clients: Clients) -> None:
    """Newest day first, no record twice and none left out; the days are Korean midnights."""
    member_id = await member(clients)
    days = [today() - timedelta(days=number // 2) for number in range(7)]
    answer = await append(clients, [record("payment", member_id, day=day) for day in days])
    seen: list[Any] = []
    token = ""
    while token or not seen:
        page = (await list_of(clients, member_id, "payment", page_size=3, page_token=token)).message
        seen += page.records
        token = page.next_page_token
    assert len(seen) == 7
    assert {item.record_id for item in seen} == {result.record_id for result in answer.message.results}
    starts = [item.occurred_at.ToDatetime() for item in seen]
    assert starts == sorted(starts, reverse=True)
    assert {(moment.hour, moment.minute) for moment in starts} == {(15, 0)}, "00:00 KST is 15:00 UTC of the day before"


async def test_lists_refuse_what_they_do_not_have(clients: Clients, log: Log) -> None:
    """An unknown kind is a bad field, an unknown member and one that has left are one answer."""
    member_id = await member(clients)
    unknown = await list_of(clients, member_id, "nothing")
    assert (unknown.reason, unknown.violations) == ("INVALID_FIELD", [("kind", "unknown")])
    missing = await list_of(clients, examples.new_id(), "payment")
    assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")
    await assert_recorded(log, missing)
    await withdraw(clients, member_id)
    gone = await list_of(clients, member_id, "payment")
    assert (gone.code, gone.reason) == (grpc.StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")


async def test_a_full_batch_is_taken_at_once(clients: Clients) -> None:
    """A thousand payments, six sealed fields each, in one call: every one has its answer, in the order of the request."""
    member_id = await member(clients)
    days = [today() - timedelta(days=number % 300) for number in range(1000)]
    given = [record("payment", member_id, day=day) for day in days]
    given[500].payment.amount = "much"
    outcome = await append(clients, given)
    errors = errors_of(outcome)
    assert errors[500] == ("INVALID_FIELD", "payment.amount", "string.pattern")
    assert errors[:500] + errors[501:] == [("", "", "")] * 999
    first = (await list_of(clients, member_id, "payment", page_size=200)).message.records
    assert len(first) == 200


async def test_the_date_of_an_event_is_noted_and_corrected(clients: Clients, log: Log) -> None:
    """The closing of a dispute starts its three years (R-09c); a later call corrects the date."""
    member_id = await member(clients)
    record_id = await add(clients, record("dispute", member_id, day=today() - timedelta(days=20)))
    for back in (3, 5):
        day = today() - timedelta(days=back)
        outcome = await note(clients, member_id, record_id, "R-09c", day)
        assert [(item.category, item.event_date) for item in outcome.message.standings] == [("R-09c", day.isoformat())]
        row = await assert_recorded(log, outcome)
        assert (row["action"], row["resource_ids"], row["subject_ids"]) == ("UPDATE", [record_id], [UUID(member_id)])
    [found] = (await list_of(clients, member_id, "dispute")).message.records
    assert found.standings[0].event_date == (today() - timedelta(days=5)).isoformat()


async def test_an_event_is_noted_once_for_a_request(clients: Clients) -> None:
    """The same request gives the same answer, even when the date was corrected since; other content is refused."""
    member_id = await member(clients)
    record_id = await add(clients, record("dispute", member_id, day=today() - timedelta(days=9)))
    request = examples.example(f"{RECORDS}/NoteEvent")
    request.member_id, request.record_id = member_id, record_id
    request.event_date = (today() - timedelta(days=4)).isoformat()
    first = await clients.call("portal", f"{RECORDS}/NoteEvent", request)
    await note(clients, member_id, record_id, "R-09c", today())
    again = await clients.call("portal", f"{RECORDS}/NoteEvent", request)
    assert again.message == first.message
    [found] = (await list_of(clients, member_id, "dispute")).message.records
    assert found.standings[0].event_date == today().isoformat()
    request.event_date = today().isoformat()
    other = await clients.call("portal", f"{RECORDS}/NoteEvent", request)
    assert (other.code, other.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_a_partnership_counts_from_its_receipt_until_its_review_has_ended(clients: Clients) -> None:
    """R-06: its month runs from the receipt, and from the end of the review as soon as somebody notes it."""
    member_id = await member(clients, "partnership_retention")
    received = today() - timedelta(days=10)
    record_id = await add(clients, record("partnership_inquiry", member_id, day=received))
    [found] = (await list_of(clients, member_id, "partnership_inquiry")).message.records
    assert found.standings[0].event_date == received.isoformat()
    outcome = await note(clients, member_id, record_id, "R-06", today())
    assert outcome.message.standings[0].event_date == today().isoformat()


async def test_an_event_is_noted_of_a_living_members_own_record_alone(clients: Clients) -> None:
    """A record that is not there, of another member or of one that has left, is one answer: RECORD_NOT_FOUND."""
    member_id, neighbour = await member(clients), await member(clients)
    record_id = await add(clients, record("dispute", member_id))
    login_id = await add(clients, record("login", member_id))
    missing = [
        await note(clients, member_id, examples.new_id(), "R-09c", today()),
        await note(clients, neighbour, record_id, "R-09c", today()),
        await note(clients, member_id, login_id, "R-09c", today()),
    ]
    await withdraw(clients, member_id)
    missing.append(await note(clients, member_id, record_id, "R-09c", today()))
    assert {(outcome.code, outcome.reason) for outcome in missing} == {(grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND")}


async def test_only_events_that_somebody_has_to_note_are_noted(clients: Clients) -> None:
    """Neither the record's own date nor the end of the membership, nor a basis that the record does not stand under."""
    member_id = await member(clients)
    dispute, payment = (
        await add(clients, record("dispute", member_id)),
        await add(clients, record("payment", member_id)),
    )
    yesterday, tomorrow = today() - timedelta(days=1), today() + timedelta(days=1)
    cases: list[tuple[str, str, date | str, tuple[str, str]]] = [
        (payment, "R-09b", today(), ("category", "NOT_NOTED")),
        (payment, "R-01", today(), ("category", "NOT_NOTED")),
        (dispute, "R-09a", today(), ("category", "NOT_A_BASIS")),
        (dispute, "R-99", today(), ("category", "NOT_A_BASIS")),
        (dispute, "R-09c", tomorrow, ("event_date", "in_the_future")),
        (dispute, "R-09c", yesterday, ("event_date", "BEFORE_THE_RECORD")),
        (dispute, "R-09c", "2026-02-30", ("event_date", "date")),
    ]
    for record_id, category, day, violation in cases:
        outcome = await note(clients, member_id, record_id, category, day)
        assert (outcome.reason, outcome.violations) == ("INVALID_FIELD", [violation])


async def test_support_may_note_but_marketing_may_not(clients: Clients, log: Log) -> None:
    """Who is in no rule notes nothing, and the attempt is on record (AC-01)."""
    request = examples.example(f"{RECORDS}/NoteEvent")
    refused = await clients.call("marketing", f"{RECORDS}/NoteEvent", request)
    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ACCESS_DENIED")
    await assert_recorded(log, refused)

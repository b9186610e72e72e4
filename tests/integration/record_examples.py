"""A record of every kind, about people and numbers that nobody else has used; and the calls that tests make of records."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from google.protobuf.message import Message
from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.identity.v1 import record_kinds_pb2 as kinds
from onggi.identity.v1 import record_service_pb2 as records

from chassis import kst
from chassis.instants import timestamp
from chassis.kst import KST
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.examples import NUMBERS, PAYERS, RANDOM, WORDS

RECORDS = "onggi.identity.v1.RecordService"


def _email() -> str:
    return f"{WORDS.letters(10)}@{WORDS.letters(8)}.example"


def _number(digits: int) -> str:
    return str(RANDOM.randrange(10 ** (digits - 1), 10**digits))


def _payment() -> kinds.PaymentRecord:
    return kinds.PaymentRecord(
        amount=_number(6), supplied=WORDS.letters(14), masked_instrument="400000******0002", approval_number=_number(8),
        business_registration_number=NUMBERS.business_number(PAYERS), payer_phone=NUMBERS.phone("010"),
    )  # fmt: skip


def _tax_document() -> kinds.TaxDocumentRecord:
    return kinds.TaxDocumentRecord(
        document_number=_number(16), business_registration_number=NUMBERS.business_number(PAYERS), amount=_number(6)
    )


BODIES: Mapping[str, Callable[[], Message]] = {
    "login": lambda: kinds.LoginRecord(ip_address=f"203.0.113.{RANDOM.randint(1, 254)}", user_agent=WORDS.letters(14)),
    "usage": lambda: kinds.UsageRecord(
        visited_at="2026-11-24T01:02:03Z", cookie=WORDS.letters(24), page=f"/{WORDS.letters(12)}"),
    "inquiry": lambda: kinds.InquiryRecord(
        email=_email(), mobile_phone=NUMBERS.phone("010"), body=f"문의 {WORDS.letters(14)}"),
    "partnership_inquiry": lambda: kinds.PartnershipInquiryRecord(email=_email(), body=f"제휴 {WORDS.letters(14)}"),
    "misuse": lambda: kinds.MisuseRecord(description=f"부정 이용 {WORDS.letters(14)}", ip_address="203.0.113.7"),
    "abuse_incident": lambda: kinds.AbuseIncidentRecord(description=WORDS.letters(14), measure=WORDS.letters(14)),
    "contract": lambda: kinds.ContractRecord(subject_matter=WORDS.letters(14), withdrawal=WORDS.letters(14)),
    "payment": _payment,
    "dispute": lambda: kinds.DisputeRecord(claim=WORDS.letters(14), resolution=WORDS.letters(14)),
    "advertising": lambda: kinds.AdvertisingRecord(content=WORDS.letters(14)),
    "tax_document": _tax_document,
    "electronic_transaction": lambda: kinds.ElectronicTransactionRecord(
        transaction_number=_number(12), amount=_number(6), access_device=WORDS.letters(10)),
    "malicious_attachment": lambda: kinds.MaliciousAttachmentRecord(
        file_name=f"{WORDS.letters(8)}.exe", finding=WORDS.letters(14)),
    "cash_receipt_request": lambda: kinds.CashReceiptRequestRecord(mobile_phone=NUMBERS.phone("010")),
    "notification_target": lambda: kinds.NotificationTargetRecord(
        name=WORDS.person(), email=_email(), mobile_phone=NUMBERS.phone("010")),
    "vpn_second_factor": lambda: kinds.VpnSecondFactorRecord(email=_email(), mobile_phone=NUMBERS.phone("010")),
}  # fmt: skip

CONSENTS = {
    "inquiry": "inquiry_retention", "partnership_inquiry": "partnership_retention", "misuse": "misuse_retention",
    "abuse_incident": "abuse_retention", "malicious_attachment": "attachment_retention",
    "notification_target": "notification_target", "vpn_second_factor": "vpn_second_factor",
}  # fmt: skip
"""Kind -> the consent without which a record of it is not taken in under its usual bases."""


def noon(day: date) -> datetime:
    """Noon in Korea of a day, or now where that is earlier."""
    return min(datetime(day.year, day.month, day.day, 12, tzinfo=KST), datetime.now(KST)).astimezone(UTC)


def today() -> date:
    """The Korean day that it is."""
    return kst.today()


def record(
    kind: str, member_id: str, *standings: records.Standing, day: date | None = None, **changes: str
) -> records.Record:
    """A record of a kind, of today unless told otherwise, with fields of its body changed."""
    body = BODIES[kind]()
    for field, value in changes.items():
        setattr(body, field, value)
    made: Any = {kind: body}
    occurred_at = timestamp(noon(day or today()))
    return records.Record(member_id=member_id, occurred_at=occurred_at, standings=standings, **made)


async def append(clients: Clients, given: Iterable[records.Record], request_id: str = "") -> Outcome:
    """AppendRecords as the portal."""
    return await clients.call("portal", f"{RECORDS}/AppendRecords", records.AppendRecordsRequest(
        access=examples.access(), request_id=request_id or examples.new_id(), records=given))  # fmt: skip


async def add(clients: Clients, given: records.Record) -> str:
    """The id of a record that was added. Fails where it was refused."""
    [result] = (await append(clients, [given])).message.results
    assert result.record_id, result.error
    found: str = result.record_id
    return found


async def list_of(
    clients: Clients, member_id: str, kind: str, *, page_size: int = 0, page_token: str = ""
) -> Outcome:  # fmt: skip
    """ListRecords as the portal."""
    return await clients.call("portal", f"{RECORDS}/ListRecords", records.ListRecordsRequest(
        access=examples.access(), member_id=member_id, kind=kind, page_size=page_size, page_token=page_token))  # fmt: skip


async def note(clients: Clients, member_id: str, record_id: str, category: str, day: date | str) -> Outcome:
    """NoteEvent as the portal."""
    return await clients.call("portal", f"{RECORDS}/NoteEvent", records.NoteEventRequest(
        access=examples.access(), request_id=examples.new_id(), member_id=member_id, record_id=record_id,
        category=category, event_date=str(day)))  # fmt: skip


def errors_of(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Reason, field and rule of each item; empty where it was added."""
    return [
        (reasons.ErrorReason.Name(error.reason).removeprefix("ERROR_REASON_") if error.code else "", error.field, error.rule)
        for error in (result.error for result in outcome.message.results)
    ]  # fmt: skip

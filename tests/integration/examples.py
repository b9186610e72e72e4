"""Requests that are right, with data that belongs to nobody and that no other test has used."""

import os
import random
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.access.v1.access_context_pb2 import VIEW_FULL, AccessContext
from onggi.identity.v1 import archive_service_pb2 as archive
from onggi.identity.v1 import consent_service_pb2 as consents
from onggi.identity.v1 import contact_service_pb2 as contacts
from onggi.identity.v1 import member_service_pb2 as members
from onggi.identity.v1 import record_kinds_pb2 as kinds
from onggi.identity.v1 import record_service_pb2 as records
from onggi.keys.v1 import key_service_pb2 as key_life
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import reveal_approval_service_pb2 as approvals
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens
from onggi.processing_log.v1 import processing_log_service_pb2 as logs
from onggi.purge.v1 import purge_service_pb2 as purge
from onggi.retention.v1 import hold_service_pb2 as holds
from onggi.retention.v1 import retention_service_pb2 as retention

from chassis import kst
from dev.synthetic_numbers import NumberSource
from dev.synthetic_words import WordSource
from tests.integration.clients import Clients

SEED = int(os.environ.get("ONGGI_TEST_SEED", random.SystemRandom().randrange(2**32)))
"""Everything random in these tests comes from it; set ONGGI_TEST_SEED to have a run again."""

RANDOM = random.Random(SEED)
NUMBERS, WORDS = NumberSource(RANDOM), WordSource(RANDOM)

JUNK_TOKEN = "tok_card_" + "a" * 30
"""Has the form of a token and a wrong checksum."""


def new_id() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def access(purpose: str = "membership", *, reason: str = "", ticket: str = "") -> AccessContext:
    """Why."""
    return AccessContext(purpose=purpose, reason=reason, ticket=ticket)


def member_profile(**changes: str) -> members.MemberProfile:
    """What an invented institution tells about itself."""
    values = {
        "email": f"{WORDS.letters(10)}@{WORDS.letters(8)}.example",
        "organization_name": WORDS.organisation(),
        "organization_number": NUMBERS.business_number(("80", "82", "89")),
        "business_registration_number": NUMBERS.business_number(("81", "86", "87", "88")),
        "representative_name": WORDS.person(),
        "address": WORDS.address(),
        "representative_phone": NUMBERS.phone("070"),
    }
    return members.MemberProfile(**{**values, **changes})


def contact_profile(**changes: str) -> contacts.ContactProfile:
    """What is told about an invented contact."""
    values = {
        "name": WORDS.person(),
        "mobile_phone": NUMBERS.phone("010"),
        "email": f"{WORDS.letters(10)}@{WORDS.letters(8)}.example",
    }
    return contacts.ContactProfile(**{**values, **changes})


# Of sole proprietors too: cards and accounts are drawn by the thousand, and a class has ten thousand numbers.
PAYERS = tuple(f"{number:02}" for number in (*range(1, 80), 81, 86, 87, 88))


def card(**changes: str) -> instruments.Instrument:
    """A card of a test range that is good for years."""
    values = {
        "business_registration_number": NUMBERS.business_number(PAYERS),
        "number": NUMBERS.card(),
        "expiry": f"12/{(datetime.now(UTC).year + 4) % 100:02}",
    }
    return instruments.Instrument(card=instruments.Card(**{**values, **changes}))


def bank_account(**changes: str) -> instruments.Instrument:
    """An account at a bank that is open."""
    code, number = NUMBERS.account()
    values = {
        "bank_code": code,
        "number": number,
        "business_registration_number": NUMBERS.business_number(PAYERS),
    }
    return instruments.Instrument(bank_account=instruments.BankAccount(**{**values, **changes}))


def login(member_id: str, **changes: Any) -> records.Record:
    """A log-in of today."""
    now = Timestamp()
    now.FromDatetime(datetime.now(UTC))
    body = kinds.LoginRecord(ip_address=f"203.0.113.{RANDOM.randint(1, 254)}", user_agent=f"Test {WORDS.letters(14)}")
    return records.Record(**{"member_id": member_id, "occurred_at": now, "login": body, **changes})


def register() -> members.RegisterMemberRequest:
    """A registration."""
    return members.RegisterMemberRequest(
        access=access(), request_id=new_id(), profile=member_profile(), password=WORDS.letters(16) + "!"
    )


def tokenize(member_id: str, instrument: instruments.Instrument | None = None) -> tokens.TokenizeRequest:
    """A card to be stored."""
    return tokens.TokenizeRequest(
        access=access("billing"), request_id=new_id(), member_id=member_id, instrument=instrument or card()
    )


def hold(**of: str) -> holds.PlaceHoldRequest:
    """A hold that a court's order asks for, on nobody unless told otherwise."""
    return holds.PlaceHoldRequest(
        access=access("legal_hold", reason="a test"), request_id=new_id(), authority="서울중앙지방법원",
        document_number=f"2026카기{RANDOM.randrange(10**5)}", article="민사소송법 제375조",
        review_on=kst.today().isoformat(), **of or {"record_id": new_id()},
    )  # fmt: skip


def _bodies() -> Mapping[str, Callable[[], Message]]:
    one = new_id
    return {
        "onggi.identity.v1.MemberService/RegisterMember": register,
        "onggi.identity.v1.MemberService/GetMember": lambda: members.GetMemberRequest(member_id=one(), view=VIEW_FULL),
        "onggi.identity.v1.MemberService/FindMember": lambda: members.FindMemberRequest(
            email=f"{WORDS.letters(10)}@nobody.example"),
        "onggi.identity.v1.MemberService/UpdateMember": lambda: members.UpdateMemberRequest(
            request_id=one(), member_id=one(), etag="v1", profile=member_profile(),
            update_mask=FieldMask(paths=["address"])),
        "onggi.identity.v1.MemberService/WithdrawMember": lambda: members.WithdrawMemberRequest(
            request_id=one(), member_id=one()),
        "onggi.identity.v1.ContactService/AddContact": lambda: contacts.AddContactRequest(
            request_id=one(), member_id=one(), profile=contact_profile()),
        "onggi.identity.v1.ContactService/GetContact": lambda: contacts.GetContactRequest(contact_id=one()),
        "onggi.identity.v1.ContactService/ListContacts": lambda: contacts.ListContactsRequest(member_id=one()),
        "onggi.identity.v1.ContactService/UpdateContact": lambda: contacts.UpdateContactRequest(
            request_id=one(), contact_id=one(), etag="v1", profile=contact_profile(),
            update_mask=FieldMask(paths=["name"])),
        "onggi.identity.v1.ContactService/RemoveContact": lambda: contacts.RemoveContactRequest(
            request_id=one(), contact_id=one()),
        "onggi.identity.v1.ConsentService/GiveConsent": lambda: consents.GiveConsentRequest(
            request_id=one(), member_id=one(), consent="marketing", channel=consents.CONSENT_CHANNEL_WEB),
        "onggi.identity.v1.ConsentService/WithdrawConsent": lambda: consents.WithdrawConsentRequest(
            request_id=one(), member_id=one(), consent="marketing"),
        "onggi.identity.v1.ConsentService/ListConsents": lambda: consents.ListConsentsRequest(member_id=one()),
        "onggi.identity.v1.ConsentService/ListOutdatedConsents": lambda: consents.ListOutdatedConsentsRequest(
            consent="marketing", policy_versions=["0"]),
        "onggi.identity.v1.RecordService/AppendRecords": lambda: records.AppendRecordsRequest(
            request_id=one(), records=[login(one())]),
        "onggi.identity.v1.RecordService/ListRecords": lambda: records.ListRecordsRequest(member_id=one()),
        "onggi.identity.v1.RecordService/NoteEvent": lambda: records.NoteEventRequest(
            request_id=one(), member_id=one(), record_id=one(), category="R-09c", event_date="2026-01-02"),
        "onggi.identity.v1.ArchiveService/GetArchived": lambda: archive.GetArchivedRequest(record_id=one()),
        "onggi.identity.v1.ArchiveService/ListArchived": lambda: archive.ListArchivedRequest(member_id=one()),
        "onggi.payment_vault.v1.TokenizationService/Tokenize": lambda: tokenize(one()),
        "onggi.payment_vault.v1.TokenizationService/BatchTokenize": lambda: tokens.BatchTokenizeRequest(
            request_id=one(), items=[tokens.TokenizeItem(member_id=one(), instrument=card())]),
        "onggi.payment_vault.v1.TokenizationService/StreamTokenize": tokens.StreamTokenizeRequest,
        "onggi.payment_vault.v1.TokenizationService/GetToken": lambda: tokens.GetTokenRequest(
            member_id=one(), token=JUNK_TOKEN),
        "onggi.payment_vault.v1.TokenizationService/ListTokens": lambda: tokens.ListTokensRequest(member_id=one()),
        "onggi.payment_vault.v1.TokenizationService/DeleteToken": lambda: tokens.DeleteTokenRequest(
            request_id=one(), member_id=one(), token=JUNK_TOKEN),
        "onggi.payment_vault.v1.DetokenizationService/Detokenize": lambda: reveals.DetokenizeRequest(
            member_id=one(), token=JUNK_TOKEN),
        "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize": lambda: reveals.BatchDetokenizeRequest(
            items=[reveals.DetokenizeItem(member_id=one(), token=JUNK_TOKEN)]),
        "onggi.payment_vault.v1.DetokenizationService/ReissueToken": lambda: reveals.ReissueTokenRequest(
            request_id=one(), member_id=one(), token=JUNK_TOKEN),
        "onggi.payment_vault.v1.RevealApprovalService/RequestReveal": lambda: approvals.RequestRevealRequest(
            request_id=one(), items=[reveals.DetokenizeItem(member_id=one(), token=JUNK_TOKEN)]),
        "onggi.payment_vault.v1.RevealApprovalService/ApproveReveal": lambda: approvals.ApproveRevealRequest(
            request_id=one(), approval_id=one(), digest="0" * 64),
        "onggi.payment_vault.v1.RevealApprovalService/ListRevealRequests": approvals.ListRevealRequestsRequest,
        "onggi.payment_vault.v1.RevealApprovalService/MarkHoneyToken": lambda: approvals.MarkHoneyTokenRequest(
            request_id=one(), member_id=one(), token=JUNK_TOKEN),
        "onggi.payment_vault.v1.RevealApprovalService/LiftSuspension": lambda: approvals.LiftSuspensionRequest(
            request_id=one(), caller="spiffe://onggi/ns/apps/sa/stranger"),
        "onggi.keys.v1.KeyService/ListKeys": key_life.ListKeysRequest,
        "onggi.keys.v1.KeyService/RotateKey": lambda: key_life.RotateKeyRequest(request_id=one(), key="none"),
        "onggi.keys.v1.KeyService/RewrapKey": lambda: key_life.RewrapKeyRequest(key="none"),
        "onggi.keys.v1.KeyService/RetireKey": lambda: key_life.RetireKeyRequest(request_id=one(), key="none"),
        "onggi.purge.v1.PurgeService/PreparePurge": lambda: purge.PreparePurgeRequest(
            plan_id=one(), epoch=1, category="R-99", through="2000-01-01",
            cutoffs=[purge.Cutoff(policy_version="0", through="2000-01-01")]),
        "onggi.purge.v1.PurgeService/ExecutePurge": lambda: purge.ExecutePurgeRequest(
            plan_id=one(), epoch=1, category="R-99", limit=1, digest="0" * 64),
        "onggi.purge.v1.PurgeService/VerifyPurge": lambda: purge.VerifyPurgeRequest(
            plan_id=one(), epoch=1, category="R-99"),
        "onggi.purge.v1.PurgeService/ListKept": lambda: purge.ListKeptRequest(member_id=one()),
        "onggi.purge.v1.PurgeService/SetHold": lambda: purge.SetHoldRequest(
            hold_id=one(), record_id=one(), article="민사소송법 제375조", placed_on="2026-01-02"),
        "onggi.purge.v1.PurgeService/ConfirmHolds": lambda: purge.ConfirmHoldsRequest(
            released=[purge.ReleasedHold(hold_id=one())],
            standing=[purge.StandingHold(
                hold_id=one(), record_id=one(), article="민사소송법 제375조", placed_on="2026-01-02")]),
        "onggi.retention.v1.RetentionService/PlanPurge": lambda: retention.PlanPurgeRequest(
            request_id=one(), categories=["R-99"]),
        "onggi.retention.v1.RetentionService/GetPlan": lambda: retention.GetPlanRequest(plan_id=one()),
        "onggi.retention.v1.RetentionService/ListPlans": retention.ListPlansRequest,
        "onggi.retention.v1.RetentionService/ApprovePlan": lambda: retention.ApprovePlanRequest(
            request_id=one(), plan_id=one(), digest="0" * 64),
        "onggi.retention.v1.RetentionService/ExecutePlan": lambda: retention.ExecutePlanRequest(
            request_id=one(), plan_id=one()),
        "onggi.retention.v1.RetentionService/WatchPlan": lambda: retention.WatchPlanRequest(plan_id=one()),
        "onggi.retention.v1.RetentionService/GetCertificate": lambda: retention.GetCertificateRequest(plan_id=one()),
        "onggi.retention.v1.RetentionService/ExplainRetention": lambda: retention.ExplainRetentionRequest(
            member_id=one()),
        "onggi.retention.v1.HoldService/PlaceHold": hold,
        "onggi.retention.v1.HoldService/ApproveHold": lambda: holds.ApproveHoldRequest(request_id=one(), hold_id=one()),
        "onggi.retention.v1.HoldService/ReviewHold": lambda: holds.ReviewHoldRequest(
            request_id=one(), hold_id=one(), review_on=kst.today().isoformat()),
        "onggi.retention.v1.HoldService/ReleaseHold": lambda: holds.ReleaseHoldRequest(request_id=one(), hold_id=one()),
        "onggi.retention.v1.HoldService/GetHold": lambda: holds.GetHoldRequest(hold_id=one()),
        "onggi.retention.v1.HoldService/ListHolds": holds.ListHoldsRequest,
        "onggi.processing_log.v1.ProcessingLogService/SearchEntries": lambda: logs.SearchEntriesRequest(page_size=1),
        "onggi.processing_log.v1.ProcessingLogService/GetEntry": lambda: logs.GetEntryRequest(record_id=one()),
    }  # fmt: skip


_MAKERS = _bodies()
PURPOSES = {
    "onggi.identity.v1": "membership", "onggi.payment_vault.v1": "billing", "onggi.keys.v1": "key_custody",
    "onggi.purge.v1": "destruction",
    "onggi.retention.v1": "destruction", "onggi.processing_log.v1": "security_review",
    "onggi.identity.v1.ArchiveService": "tax", "onggi.payment_vault.v1.RevealApprovalService": "security_review",
    "onggi.payment_vault.v1.RevealApprovalService/RequestReveal": "billing",
    "onggi.retention.v1.HoldService": "legal_hold", "onggi.purge.v1.PurgeService/SetHold": "legal_hold",
    "onggi.purge.v1.PurgeService/ConfirmHolds": "legal_hold",
}  # fmt: skip


def purpose_of(rpc: str) -> str:
    """The purpose under which an RPC is called first of all."""
    service = rpc.partition("/")[0]
    return PURPOSES.get(rpc) or PURPOSES.get(service) or PURPOSES[service.rpartition(".")[0]]


def example(rpc: str, purpose: str = "", *, reason: str = "a test") -> Any:
    """A valid request of any RPC, about things that do not exist where it names any."""
    request: Any = _MAKERS[rpc]()
    request.access.CopyFrom(access(purpose or purpose_of(rpc), reason=reason))
    return request


def batch_of_a_stream() -> tokens.StreamTokenizeRequest:
    """What may follow the opening of a StreamTokenize: one card."""
    return tokens.StreamTokenizeRequest(
        request_id=new_id(), items=[tokens.TokenizeItem(member_id=new_id(), instrument=card())]
    )


async def new_member(clients: Clients) -> members.Member:
    """Register a member and return it as the answer shows it."""
    outcome = await clients.call("portal", "onggi.identity.v1.MemberService/RegisterMember", register())
    member: members.Member = outcome.message.member
    return member


async def new_contact(clients: Clients, member_id: str) -> contacts.Contact:
    """Add a contact to a member."""
    rpc = "onggi.identity.v1.ContactService/AddContact"
    request = example(rpc)
    request.member_id = member_id
    contact: contacts.Contact = (await clients.call("portal", rpc, request)).message.contact
    return contact


async def new_token(clients: Clients, member_id: str) -> tuple[str, instruments.Instrument]:
    """Store a card of a member; its token, and the card."""
    request = tokenize(member_id)
    outcome = await clients.call("billing", "onggi.payment_vault.v1.TokenizationService/Tokenize", request)
    return outcome.message.token.token, request.instrument

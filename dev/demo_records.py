"""The records of one institution as the portal appends them: one of each kind that the demo tells of."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.message import Message
from onggi.identity.v1.record_kinds_pb2 import (
    ContractRecord,
    DisputeRecord,
    InquiryRecord,
    MisuseRecord,
    NotificationTargetRecord,
    PaymentRecord,
    TaxDocumentRecord,
    UsageRecord,
)
from onggi.identity.v1.record_service_pb2 import Record, Standing

from dev.synthetic import Institution

CONSENTS: Final = ("inquiry_retention", "misuse_retention", "notification_target")
"""The consents that these records stand on."""

_STANDINGS: Final = {"inquiry": ("R-05", "R-09c")}
"""Where a record stands under more than the policy has for its kind: the inquiry is a complaint as well."""
_DAYS_AGO: Final = {"payment": 30, "tax_document": 30, "inquiry": 10, "dispute": 20, "misuse": 15, "usage": 1}


def records(member_id: str, institution: Institution, now: datetime) -> dict[str, Record]:
    """Kind -> the record of that kind. `now` is aware."""
    return {kind: _record(member_id, kind, body, now) for kind, body in _bodies(institution, now).items()}


def _record(member_id: str, kind: str, body: Message, now: datetime) -> Record:
    record = Record(member_id=member_id)
    getattr(record, kind).CopyFrom(body)
    record.standings.extend(Standing(category=category) for category in _STANDINGS.get(kind, ()))
    record.occurred_at.FromDatetime(now.astimezone(UTC) - timedelta(days=_DAYS_AGO.get(kind, 5)))
    return record


def _bodies(institution: Institution, now: datetime) -> dict[str, Message]:
    told, payer = institution.dealings, institution.business_registration_number
    return {
        "inquiry": InquiryRecord(
            email=told.inquirer.email,
            mobile_phone=told.inquirer.mobile_phone,
            body=told.inquiry,
            resolution=told.inquiry_resolution,
        ),
        "misuse": MisuseRecord(description=told.misuse),
        "contract": ContractRecord(subject_matter=told.contract),
        "payment": PaymentRecord(
            amount=told.payment.amount,
            supplied=told.payment.supplied,
            masked_instrument=_masked(institution.cards[0].number),
            approval_number=told.payment.approval_number,
            business_registration_number=payer,
            payer_phone=told.payment.payer_phone,
        ),
        "dispute": DisputeRecord(claim=told.dispute),
        "tax_document": TaxDocumentRecord(
            document_number=told.tax_document_number, business_registration_number=payer, amount=told.payment.amount
        ),
        "notification_target": NotificationTargetRecord(
            name=told.notified.name, email=told.notified.email, mobile_phone=told.notified.mobile_phone
        ),
        "usage": UsageRecord(
            visited_at=(now.astimezone(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            cookie=told.cookie,
            page=told.page,
        ),
    }


def _masked(card: str) -> str:
    """A card's number as a receipt shows it: first six and last four digits."""
    number = card.replace("-", "")
    return f"{number[:6]}******{number[-4:]}"

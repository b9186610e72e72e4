"""What is personal is marked, and the list of it is written down twice: in the contract and here, by hand."""

from itertools import pairwise

import pytest
from onggi.options.v1 import options_pb2 as options

from tests.contract.walk import fields, is_text, name_of, personal

FIELDS_OF_ITEM = {
    "email": {"MemberProfile.email", "FindMemberRequest.email"},
    "password": {"RegisterMemberRequest.password", "UpdateMemberRequest.password"},
    "organization_name": {"MemberProfile.organization_name"},
    "organization_number": {"MemberProfile.organization_number", "FindMemberRequest.organization_number"},
    "business_registration_number": {
        "MemberProfile.business_registration_number", "FindMemberRequest.business_registration_number",
        "Card.business_registration_number", "BankAccount.business_registration_number",
        "CashReceiptIdentifier.business_registration_number",
        "PaymentRecord.business_registration_number", "TaxDocumentRecord.business_registration_number",
    },
    "representative_name": {"MemberProfile.representative_name"},
    "address": {"MemberProfile.address"},
    "representative_phone": {"MemberProfile.representative_phone"},
    "contact_name": {"ContactProfile.name"},
    "contact_mobile_phone": {"ContactProfile.mobile_phone", "PaymentRecord.payer_phone"},
    "contact_email": {"ContactProfile.email"},
    "card_number": {"Card.number"},
    "card_expiry": {"Card.expiry"},
    "bank_code": {"BankAccount.bank_code"},
    "account_number": {"BankAccount.number"},
    # 제1조 ②
    "ip_address": {"LoginRecord.ip_address", "MisuseRecord.ip_address"},
    "access_log": {"LoginRecord.user_agent"},
    "cookie": {"UsageRecord.cookie"},
    "visit_time": {"UsageRecord.visited_at"},
    "service_usage": {"UsageRecord.page"},
    "misuse_record": {"MisuseRecord.description"},
    "payment_record": {"PaymentRecord.amount", "PaymentRecord.supplied"},
    # 제1조 ③
    "inquiry_email": {"InquiryRecord.email", "PartnershipInquiryRecord.email"},
    "inquiry_mobile_phone": {"InquiryRecord.mobile_phone"},
    "cash_receipt_mobile_phone": {"CashReceiptRequestRecord.mobile_phone", "CashReceiptIdentifier.mobile_phone"},
    "cash_receipt_card_number": {"CashReceiptRequestRecord.card_number", "CashReceiptIdentifier.card_number"},
    "notification_target_name": {"NotificationTargetRecord.name"},
    "notification_target_email": {"NotificationTargetRecord.email"},
    "notification_target_mobile_phone": {"NotificationTargetRecord.mobile_phone"},
    "vpn_email": {"VpnSecondFactorRecord.email"},
    "vpn_mobile_phone": {"VpnSecondFactorRecord.mobile_phone"},
    # 제7조, 제8조
    "inquiry_content": {"InquiryRecord.body"},
    "partnership_content": {"PartnershipInquiryRecord.body"},
    "attachment": {"MaliciousAttachmentRecord.file_name", "MaliciousAttachmentRecord.finding"},
    "abuse_record": {"AbuseIncidentRecord.description", "AbuseIncidentRecord.measure"},
    "contract_record": {"ContractRecord.subject_matter", "ContractRecord.withdrawal"},
    "masked_instrument": {"PaymentRecord.masked_instrument", "CashReceiptRequestRecord.masked_identifier"},
    "dispute_record": {"InquiryRecord.resolution", "DisputeRecord.claim", "DisputeRecord.resolution"},
    "advertising_record": {"AdvertisingRecord.content"},
    "tax_document": {"TaxDocumentRecord.document_number", "TaxDocumentRecord.amount"},
    "transaction_record": {
        "PaymentRecord.approval_number", "ElectronicTransactionRecord.transaction_number",
        "ElectronicTransactionRecord.amount", "ElectronicTransactionRecord.access_device",
    },
}  # fmt: skip

REDACTED = {
    "password", "card_expiry", "access_log", "cookie", "service_usage", "misuse_record", "payment_record",
    "cash_receipt_card_number", "inquiry_content", "partnership_content", "attachment", "abuse_record", "contract_record",
    "dispute_record", "advertising_record", "tax_document", "transaction_record",
}  # fmt: skip
MASK_OF_ITEM = {
    "email": "EMAIL", "organization_name": "NONE", "organization_number": "BUSINESS_NUMBER",
    "business_registration_number": "BUSINESS_NUMBER", "representative_name": "NAME", "address": "ADDRESS",
    "representative_phone": "PHONE", "contact_name": "NAME", "contact_mobile_phone": "PHONE", "contact_email": "EMAIL",
    "ip_address": "IP_ADDRESS", "card_number": "CARD_NUMBER", "bank_code": "NONE", "account_number": "ACCOUNT_NUMBER",
    "visit_time": "NONE", "inquiry_email": "EMAIL", "inquiry_mobile_phone": "PHONE", "cash_receipt_mobile_phone": "PHONE",
    "notification_target_name": "NAME", "notification_target_email": "EMAIL", "notification_target_mobile_phone": "PHONE",
    "vpn_email": "EMAIL", "vpn_mobile_phone": "PHONE", "masked_instrument": "NONE",
} | dict.fromkeys(REDACTED, "REDACT")  # fmt: skip

SOUNDS_PERSONAL = {"email", "phone", "name", "number", "address", "password", "expiry"}
NOT_PERSONAL = {
    "PurgeCheck.name": "what a check has looked at, such as 'rows left in token'",
    "Key.name": "the name of a transit key, such as 'card'",
    "Entry.peer_address": "where an access came from (접속지): the log's own, never a member's",
    "Hold.document_number": "the number of an authority's document (문서번호), scanned like all free text",
    "PlaceHoldRequest.document_number": "the same, as it is stated",
}
# Words of a field's name that no field may have: what must not be kept after an authorisation, even encrypted.
FORBIDDEN = {"cvc", "cvv", "cvn", "cid", "csc", "cav", "pin", "pinblock", "track", "track1", "track2", "magstripe"}
FORBIDDEN_PAIRS = {("security", "code"), ("card", "verification"), ("resident", "number"), ("registration", "rrn")}


def test_every_personal_field_has_an_item_and_a_mask() -> None:
    """A mark without an item or a mask would leave a value out of the log's items, or unmasked (AC-12)."""
    for field in fields():
        if field.GetOptions().HasExtension(options.personal):
            mark = personal(field)
            assert mark.item, name_of(field)
            assert mark.mask != options.MASK_UNSPECIFIED, name_of(field)
            assert is_text(field), f"{name_of(field)}: masks are made for text"
            assert not field.is_repeated, f"{name_of(field)}: conceal masks single values"


def test_the_items_and_their_fields_are_those_written_by_hand() -> None:
    """Item -> fields as reviewed: a new personal field is noticed here, and a lost mark too."""
    found: dict[str, set[str]] = {}
    for field in fields():
        if item := personal(field).item:
            found.setdefault(item, set()).add(name_of(field))
    assert found == FIELDS_OF_ITEM


def test_an_item_looks_the_same_everywhere() -> None:
    """Every field of an item has the mask that the item has, the same in every message (AC-12, ISMS-P 2.6.3)."""
    found = {
        (personal(field).item, options.Mask.Name(personal(field).mask).removeprefix("MASK_"))
        for field in fields()
        if personal(field).item
    }
    assert found == set(MASK_OF_ITEM.items())


def test_no_field_that_sounds_personal_is_without_a_mark() -> None:
    """A text field called after an item of the policy is marked, or stands in the table of reasons."""
    unmarked = {
        name_of(field)
        for field in fields()
        if is_text(field) and SOUNDS_PERSONAL & set(field.name.split("_")) and not personal(field).item
    }
    assert unmarked == set(NOT_PERSONAL)


@pytest.mark.parametrize("kind", ["words", "pairs"])
def test_nothing_has_a_place_for_a_security_code(kind: str) -> None:
    """No field is called after a security code, a PIN, a magnetic track or a resident number (PV-01, 법 제24조의2)."""
    for field in fields():
        words = field.name.lower().split("_")
        if kind == "words":
            assert not FORBIDDEN & set(words), name_of(field)
        else:
            assert not FORBIDDEN_PAIRS & set(pairwise(words)), name_of(field)

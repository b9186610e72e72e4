"""Bad fields as data: what is sent in place of a right value, and the answer that it gets.

Every value is made when it is sent and used once, so that finding it anywhere afterwards tells where it came from.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from services.payment_vault.tokens import new_token
from tests.integration import examples
from tests.integration.bad_input import Case, World
from tests.integration.examples import NUMBERS, RANDOM, WORDS

REGISTER = "onggi.identity.v1.MemberService/RegisterMember"
GET_MEMBER = "onggi.identity.v1.MemberService/GetMember"
FIND = "onggi.identity.v1.MemberService/FindMember"
UPDATE = "onggi.identity.v1.MemberService/UpdateMember"
GIVE = "onggi.identity.v1.ConsentService/GiveConsent"
END = "onggi.identity.v1.ConsentService/WithdrawConsent"
CONSENTS = "onggi.identity.v1.ConsentService/ListConsents"
OUTDATED = "onggi.identity.v1.ConsentService/ListOutdatedConsents"
ADD_CONTACT = "onggi.identity.v1.ContactService/AddContact"
NOTE = "onggi.identity.v1.RecordService/NoteEvent"
LIST_RECORDS = "onggi.identity.v1.RecordService/ListRecords"
TOKENIZE = "onggi.payment_vault.v1.TokenizationService/Tokenize"
GET_TOKEN = "onggi.payment_vault.v1.TokenizationService/GetToken"
_APPROVALS = "onggi.payment_vault.v1.RevealApprovalService"
REQUEST_REVEAL, APPROVE_REVEAL = f"{_APPROVALS}/RequestReveal", f"{_APPROVALS}/ApproveReveal"
MARK_HONEY, LIFT = f"{_APPROVALS}/MarkHoneyToken", f"{_APPROVALS}/LiftSuspension"
DETOKENIZE = "onggi.payment_vault.v1.DetokenizationService/Detokenize"
REISSUE = "onggi.payment_vault.v1.DetokenizationService/ReissueToken"
SEARCH = "onggi.processing_log.v1.ProcessingLogService/SearchEntries"
PREPARE = "onggi.purge.v1.PurgeService/PreparePurge"
ROTATE = "onggi.keys.v1.KeyService/RotateKey"
REWRAP = "onggi.keys.v1.KeyService/RewrapKey"
RETIRE = "onggi.keys.v1.KeyService/RetireKey"
PLAN = "onggi.retention.v1.RetentionService/PlanPurge"
APPROVE = "onggi.retention.v1.RetentionService/ApprovePlan"
HOLD, REVIEW_HOLD = "onggi.retention.v1.HoldService/PlaceHold", "onggi.retention.v1.HoldService/ReviewHold"
APPROVE_HOLD, RELEASE_HOLD = "onggi.retention.v1.HoldService/ApproveHold", "onggi.retention.v1.HoldService/ReleaseHold"
LIST_HOLDS, SET_HOLD = "onggi.retention.v1.HoldService/ListHolds", "onggi.purge.v1.PurgeService/SetHold"
CONFIRM_HOLDS = "onggi.purge.v1.PurgeService/ConfirmHolds"


def rrn(_: World | None = None) -> str:
    """A number that looks like a resident number: a day of birth, a century, six digits; of nobody."""
    born = f"{RANDOM.randint(50, 99)}{RANDOM.randint(1, 12):02}{RANDOM.randint(1, 28):02}"
    return f"{born}-{RANDOM.choice('1256')}{RANDOM.randrange(10**6):06}"


def card(_: World | None = None) -> str:
    """A card number of a test range, dashed."""
    return NUMBERS.card()


def foreign_card(_: World | None = None) -> str:
    """A card number that is not domestic (prefix 9): of those a Luhn digit is not asked."""
    while (number := NUMBERS.card()).startswith("9"):
        pass
    return number


def wide(text: str) -> str:
    """The same in full-width digits."""
    return text.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})


def spoiled(number: str) -> str:
    """The number with another last digit."""
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def business(_: World | None = None) -> str:
    """A 사업자등록번호 with a wrong check digit."""
    return spoiled(NUMBERS.business_number(("81", "86")))


def words(count: int) -> str:
    """So many letters that nobody else has used."""
    return WORDS.letters(count)


def name_another(request: Any, world: World) -> None:
    """Ask for a token that is there, as another member's."""
    request.token, request.member_id = world.token, world.other_member_id


def change_the_email_of_another(request: Any, world: World) -> None:
    """Change the e-mail of another member than the one who has it."""
    request.member_id = world.other_member_id
    request.update_mask.paths[:] = ["email"]


def name_versions(*versions: str) -> Callable[[Any, World], None]:
    """Ask for consents given under these versions."""

    def change(request: Any, _: World) -> None:
        request.policy_versions[:] = versions

    return change


def of_members(request: Any, _: World) -> None:
    """Ask for a category that identity keeps."""
    request.category = "R-01"


def twice_of_one_version(request: Any, world: World) -> None:
    """Say two things of one version."""
    of_members(request, world)
    request.cutoffs.add(policy_version="0", through="2020-01-01")


MEMBERS = [
    Case("e-mail too long", REGISTER, "profile.email", lambda _: words(250) + "@a.example", "string.max_len"),
    Case("e-mail without @", REGISTER, "profile.email", lambda _: words(20), "LOCAL_PART"),
    Case("e-mail without a domain", REGISTER, "profile.email", lambda _: words(20) + "@localhost", "DOMAIN"),
    Case("name of 101 characters", REGISTER, "profile.organization_name", lambda _: words(101), "string.max_len"),
    Case("unset name", REGISTER, "profile.representative_name", lambda _: "", "string.min_len"),
    Case("NUL in a name", REGISTER, "profile.representative_name", lambda _: words(9) + "\0" + words(9),
         "CONTROL_CHARACTER"),
    Case("text turned around", REGISTER, "profile.organization_name", lambda _: words(9) + "\u202e" + words(9),
         "CONTROL_CHARACTER"),
    Case("check digit of 단체고유번호", REGISTER, "profile.organization_number", business, "CHECK_DIGIT"),
    Case("check digit of 사업자등록번호", REGISTER, "profile.business_registration_number", business, "CHECK_DIGIT"),
    Case("check digit, full width", REGISTER, "profile.business_registration_number",
         lambda _: wide(business()), "CHECK_DIGIT"),
    Case("one digit repeated", REGISTER, "profile.business_registration_number", lambda _: "777-77-77777",
         "ALL_SAME", search=False),
    Case("eleven digits", REGISTER, "profile.business_registration_number", lambda _: business() + "4", "LENGTH"),
    Case("superscript digits", REGISTER, "profile.organization_number", lambda _: "¹²³-⁴⁵-⁶⁷⁸⁹¹", "NOT_DIGITS"),
    Case("resident number as 사업자등록번호", REGISTER, "profile.business_registration_number", rrn, "LENGTH"),
    Case("resident number as telephone", REGISTER, "profile.representative_phone", rrn, "PHONE_NUMBER"),
    Case("resident number in an address", REGISTER, "profile.address", lambda _: "서울 " + rrn(), "RESIDENT_NUMBER"),
    Case("card number in a name", REGISTER, "profile.representative_name", card, "CARD_NUMBER"),
    Case("card number, full width", REGISTER, "profile.representative_name", lambda _: wide(card()), "CARD_NUMBER"),
    Case("security code in an address", REGISTER, "profile.address", lambda _: f"{words(12)} cvc 739",
         "CARD_SECURITY_CODE"),
    Case("short password", REGISTER, "password", lambda _: words(11), "string.min_len"),
    Case("long password", REGISTER, "password", lambda _: words(129), "string.max_len"),
    Case("card number as request_id", REGISTER, "request_id", card, "string.uuid"),
    Case("no profile", REGISTER, "", lambda _: "", "required", field="profile",
         change=lambda request, _: request.ClearField("profile")),
    Case("e-mail that is taken", REGISTER, "profile.email", lambda world: world.email, "",
         reason="ALREADY_REGISTERED"),
    Case("mobile number that is none", ADD_CONTACT, "profile.mobile_phone", lambda _: NUMBERS.phone("070"),
         "NOT_MOBILE"),
    Case("resident number as mobile number", ADD_CONTACT, "profile.mobile_phone", rrn, "PHONE_NUMBER"),
    Case("contact of nobody", ADD_CONTACT, "member_id", lambda _: examples.new_id(), reason="MEMBER_NOT_FOUND",
         search=False),
    Case("card number as member_id", GET_MEMBER, "member_id", card, "string.uuid"),
    Case("resident number as member_id", GET_MEMBER, "member_id", rrn, "string.uuid"),
    Case("a view that is none", GET_MEMBER, "view", lambda _: 99, "enum.defined_only"),
    Case("unknown member", GET_MEMBER, "member_id", lambda _: examples.new_id(), reason="MEMBER_NOT_FOUND",
         search=False),
    Case("pattern for a search", FIND, "email", lambda _: f"%{words(12)}%@{words(8)}.example",
         reason="MEMBER_NOT_FOUND"),
    Case("resident number to search for", FIND, "email", lambda _: f"{rrn()}@{words(8)}.example", "RESIDENT_NUMBER"),
    Case("check digit to search for", FIND, "business_registration_number", business, "CHECK_DIGIT"),
    Case("nothing to search for", FIND, "", lambda _: "", "required", field="key",
         change=lambda request, _: request.ClearField("key")),
    Case("stale etag", UPDATE, "etag", lambda _: "v" + words(20), "", reason="ETAG_STALE"),
    Case("no mask", UPDATE, "", lambda _: "", "required", field="update_mask",
         change=lambda request, _: request.ClearField("update_mask")),
    Case("unknown path in the mask", UPDATE, "update_mask", lambda _: FieldMask(paths=[rrn()]), "unknown_path"),
    Case("path of another message", UPDATE, "update_mask", lambda _: FieldMask(paths=["profile.email"]),
         "unknown_path"),
    Case("resident number in a changed address", UPDATE, "profile.address", lambda _: "부산 " + rrn(),
         "RESIDENT_NUMBER"),
    Case("short new password", UPDATE, "password", lambda _: words(11), "string.min_len",
         change=lambda request, _: request.update_mask.paths.append("password")),
    Case("e-mail of another in a change", UPDATE, "profile.email", lambda world: world.email, "",
         reason="ALREADY_REGISTERED",
         change=change_the_email_of_another),
]  # fmt: skip

CONSENTED = [
    Case("unknown consent", GIVE, "consent", lambda _: words(20), "unknown", reason="CONSENT_UNKNOWN"),
    Case("resident number as consent", GIVE, "consent", rrn, "string.pattern"),
    Case("consent of 41 letters", GIVE, "consent", lambda _: words(41), "string.pattern"),
    Case("no channel", GIVE, "channel", lambda _: 0, "enum.not_in"),
    Case("a channel that is none", GIVE, "channel", lambda _: 99, "enum.defined_only"),
    Case("consent of nobody", GIVE, "member_id", lambda _: examples.new_id(), reason="MEMBER_NOT_FOUND", search=False),
    Case("card number as request_id of a consent", GIVE, "request_id", card, "string.uuid"),
    Case("e-mail as consent to end", END, "consent", lambda _: words(10) + "@a.example", "string.pattern"),
    Case("consent that was never given", END, "consent", lambda _: words(20), reason="CONSENT_NOT_FOUND"),
    Case("card number as member with consents", CONSENTS, "member_id", card, "string.uuid"),
    Case("consents of nobody", CONSENTS, "member_id", lambda _: examples.new_id(), reason="MEMBER_NOT_FOUND",
         search=False),
    Case("outdated consents of no such name", OUTDATED, "consent", lambda _: words(20), "unknown",
         reason="CONSENT_UNKNOWN"),
    Case("resident number as outdated consent", OUTDATED, "consent", rrn, "string.pattern"),
    Case("card number as version", OUTDATED, "policy_versions[0]", card, "string.pattern"),
    Case("version of 17 characters", OUTDATED, "policy_versions[0]", lambda _: words(17), "string.pattern"),
    Case("no version", OUTDATED, "", lambda _: "", "repeated.min_items", field="policy_versions",
         change=name_versions()),
    Case("51 versions", OUTDATED, "", lambda _: "", "repeated.max_items", field="policy_versions",
         change=name_versions(*map(str, range(51)))),
    Case("a version twice", OUTDATED, "", lambda _: "", "repeated.unique", field="policy_versions",
         change=name_versions("0", "0")),
    Case("page of 1,001 consents", OUTDATED, "page_size", lambda _: 1001, "uint32.lte"),
    Case("members to be asked, without a reason", OUTDATED, "access.reason", lambda _: " ", "required",
         reason="REASON_REQUIRED", search=False),
    Case("card number as reason to ask again", OUTDATED, "access.reason", lambda _: f"card {card()}", "CARD_NUMBER"),
]  # fmt: skip

RECORDS = [
    Case("event on a day that is none", NOTE, "event_date", lambda _: "2026-02-30", "date", search=False),
    Case("event that has not come", NOTE, "event_date", lambda _: "2999-01-01", "in_the_future", search=False),
    Case("resident number as the day of an event", NOTE, "event_date", rrn, "string.pattern"),
    Case("card number as record_id", NOTE, "record_id", card, "string.uuid"),
    Case("resident number as a basis", NOTE, "category", rrn, "string.pattern"),
    Case("a basis that the policy does not have", NOTE, "category", lambda _: "R-98", "NOT_A_BASIS", search=False),
    Case("an event that the service knows itself", NOTE, "category", lambda _: "R-01", "NOT_NOTED", search=False),
    Case("unknown record", NOTE, "record_id", lambda _: examples.new_id(), reason="RECORD_NOT_FOUND", search=False),
    Case("event of nobody", NOTE, "member_id", lambda _: examples.new_id(), reason="RECORD_NOT_FOUND", search=False),
    Case("kind that is none", LIST_RECORDS, "kind", lambda _: words(20), "unknown"),
    Case("resident number as kind", LIST_RECORDS, "kind", rrn, "string.pattern"),
    Case("page of 201 records", LIST_RECORDS, "page_size", lambda _: 201, "uint32.lte"),
    Case("records of nobody", LIST_RECORDS, "member_id", lambda _: examples.new_id(), reason="MEMBER_NOT_FOUND",
         search=False),
]  # fmt: skip

INSTRUMENTS = [
    Case("Luhn", TOKENIZE, "instrument.card.number", lambda _: spoiled(foreign_card()), "CHECK_DIGIT"),
    Case("Luhn, full width", TOKENIZE, "instrument.card.number", lambda _: wide(spoiled(foreign_card())), "CHECK_DIGIT"),
    Case("one digit repeated on a card", TOKENIZE, "instrument.card.number", lambda _: "7777-7777-7777-7777", "ALL_SAME",
         search=False),
    Case("no issuer", TOKENIZE, "instrument.card.number", lambda _: "1" + foreign_card()[1:], "ISSUER"),
    Case("twenty digits", TOKENIZE, "instrument.card.number", lambda _: foreign_card() + "1234", "LENGTH"),
    Case("twelve digits", TOKENIZE, "instrument.card.number", lambda _: card().replace("-", "")[:12],
         "string.min_len"),
    Case("letters in a card number", TOKENIZE, "instrument.card.number", lambda _: card() + "x", "NOT_DIGITS"),
    Case("card number of 41 characters", TOKENIZE, "instrument.card.number", lambda _: card() + "-" * 22,
         "string.max_len"),
    Case("expired card", TOKENIZE, "instrument.card.expiry", lambda _: "01/20", "EXPIRED", search=False),
    Case("card for ever", TOKENIZE, "instrument.card.expiry", lambda _: "12/99", "YEAR", search=False),
    Case("month 13", TOKENIZE, "instrument.card.expiry", lambda _: "13/30", "string.pattern", search=False),
    Case("payer's check digit", TOKENIZE, "instrument.card.business_registration_number", business, "CHECK_DIGIT"),
    Case("unknown bank", TOKENIZE, "instrument.bank_account.bank_code", lambda _: "999", "BANK_CODE", search=False,
         change=lambda request, _: request.instrument.CopyFrom(examples.bank_account())),
    Case("bank of two digits", TOKENIZE, "instrument.bank_account.bank_code", lambda _: "04", "string.pattern",
         search=False, change=lambda request, _: request.instrument.CopyFrom(examples.bank_account())),
    Case("short account", TOKENIZE, "instrument.bank_account.number", lambda _: "473829106", "LENGTH",
         change=lambda request, _: request.instrument.CopyFrom(examples.bank_account())),
    Case("no instrument", TOKENIZE, "", lambda _: "", "required", field="instrument",
         change=lambda request, _: request.ClearField("instrument")),
    Case("instrument of no kind", TOKENIZE, "", lambda _: "", "required", field="instrument.kind",
         change=lambda request, _: request.instrument.Clear()),
    Case("identifier of no type", TOKENIZE, "", lambda _: "", "required", field="instrument.cash_receipt.identifier",
         change=lambda request, _: request.instrument.cash_receipt.SetInParent()),
    Case("cash receipt card of 17 digits", TOKENIZE, "instrument.cash_receipt.card_number",
         lambda _: "6" + card().replace("-", "") + "-", "LENGTH"),
    Case("cash receipt card of 19 digits", TOKENIZE, "instrument.cash_receipt.card_number",
         lambda _: "600" + card().replace("-", ""), "LENGTH"),
    Case("resident number as mobile number", TOKENIZE, "instrument.cash_receipt.mobile_phone", rrn, "NOT_MOBILE"),
    Case("an end that is none", TOKENIZE, "expires_at", lambda _: Timestamp(seconds=1 << 60), "timestamp"),
    Case("an end in the past", TOKENIZE, "expires_at", lambda _: Timestamp(seconds=1), "in_the_past"),
    Case("an end in a hundred years", TOKENIZE, "expires_at", lambda _: Timestamp(seconds=4_900_000_000), "too_far"),
    Case("card number as token to replace", REISSUE, "token", card, reason="TOKEN_NOT_FOUND"),
    Case("another member's token to replace", REISSUE, "", lambda _: "", reason="TOKEN_NOT_FOUND", change=name_another),
    Case("token replaced without a reason", REISSUE, "access.reason", lambda _: " ", "required", reason="REASON_REQUIRED",
         search=False),
    Case("card's PIN in a reason", REISSUE, "access.reason", lambda _: f"카드 비밀번호 {RANDOM.randrange(10**4):04}",
         "CARD_PIN", search=False),
    Case("unknown token", GET_TOKEN, "token", lambda _: new_token("card"), reason="TOKEN_NOT_FOUND", search=False),
    Case("junk token", GET_TOKEN, "token", lambda _: "tok_" + words(20), reason="TOKEN_NOT_FOUND"),
    Case("card number as token", GET_TOKEN, "token", card, reason="TOKEN_NOT_FOUND"),
    Case("card number dressed as token", GET_TOKEN, "token", lambda _: "tok_card_" + card().replace("-", "") + "abcdef",
         reason="TOKEN_NOT_FOUND"),
    Case("token too long", GET_TOKEN, "token", lambda _: words(65), "string.max_len"),
    Case("token of another member", GET_TOKEN, "", lambda _: "", reason="TOKEN_NOT_FOUND",
         change=name_another),
    Case("reveal of another member's token", DETOKENIZE, "", lambda _: "", reason="TOKEN_NOT_FOUND",
         change=name_another),
    Case("card number to reveal", DETOKENIZE, "token", card, reason="TOKEN_NOT_FOUND"),
    Case("a card number for an approval", REQUEST_REVEAL, "items[0].member_id", card, "string.uuid"),
    Case("an approval without a reason", APPROVE_REVEAL, "access.reason", lambda _: "", "required", reason="REASON_REQUIRED"),
    Case("a digest of seven characters", APPROVE_REVEAL, "digest", lambda _: words(7), "string.min_len"),
    Case("a card number as digest", APPROVE_REVEAL, "digest", card, reason="APPROVAL_NOT_FOUND"),
    Case("an approval that is not there", APPROVE_REVEAL, "approval_id", lambda _: examples.new_id(),
         reason="APPROVAL_NOT_FOUND", search=False),
    Case("a card number as honey token", MARK_HONEY, "token", card, reason="TOKEN_NOT_FOUND"),
    Case("a card number as suspended caller", LIFT, "caller", card, "string.pattern"),
    Case("a caller who is not suspended", LIFT, "caller", lambda _: f"spiffe://onggi/ns/apps/sa/{words(12)}",
         reason="APPROVAL_NOT_FOUND"),
    Case("reveal without a reason", DETOKENIZE, "access.reason", lambda _: "", "required", reason="REASON_REQUIRED"),
    Case("reveal with a blank reason", DETOKENIZE, "access.reason", lambda _: " \t ", "required",
         reason="REASON_REQUIRED", search=False),
]  # fmt: skip

ACCESS = [
    Case("no access", GET_MEMBER, "", lambda _: "", "required", field="access",
         change=lambda request, _: request.ClearField("access")),
    Case("no purpose", GET_MEMBER, "access.purpose", lambda _: "", "required", reason="PURPOSE_REQUIRED"),
    Case("unknown purpose that names a person", GET_MEMBER, "access.purpose",
         lambda _: f"{WORDS.person()} {words(8)}@{words(6)}.example", "unknown", reason="PURPOSE_UNKNOWN"),
    Case("resident number as purpose", GET_MEMBER, "access.purpose", rrn, "RESIDENT_NUMBER"),
    Case("purpose of 65 characters", GET_MEMBER, "access.purpose", lambda _: words(65), "string.max_len"),
    Case("purpose of somebody else", GET_MEMBER, "access.purpose", lambda _: "billing", "",
         reason="PURPOSE_NOT_ALLOWED", search=False),
    Case("caller in no rule", GET_MEMBER, "member_id", lambda _: examples.new_id(), "", reason="ACCESS_DENIED",
         search=False, caller="stranger"),
    Case("reason of 201 characters", GET_MEMBER, "access.reason", lambda _: words(201), "string.max_len"),
    Case("resident number in a reason", GET_MEMBER, "access.reason", lambda _: f"문의 {rrn()} 확인", "RESIDENT_NUMBER"),
    Case("card number in a reason", DETOKENIZE, "access.reason", lambda _: f"card {card()}", "CARD_NUMBER"),
    Case("card number in a ticket", GET_MEMBER, "access.ticket", lambda _: card(), "CARD_NUMBER"),
    Case("blank in a ticket", GET_MEMBER, "access.ticket", lambda _: f"{words(8)} {words(8)}", "string.pattern"),
    Case("page of 1,001", SEARCH, "page_size", lambda _: 1001, "uint32.lte"),
    Case("trace id that is none", SEARCH, "trace_id", card, "string.pattern"),
    Case("subject that is none", SEARCH, "subject_id", card, "string.uuid"),
    Case("resident number as actor", SEARCH, "actor", rrn, "RESIDENT_NUMBER"),
    Case("category that is none", PLAN, "categories[0]", rrn, "string.pattern"),
    Case("unknown category", PLAN, "categories[0]", lambda _: "R-98", "unknown", reason="CATEGORY_UNKNOWN",
         field="categories", search=False),
    Case("digest that is none", APPROVE, "digest", card, "string.pattern"),
    Case("unknown plan", APPROVE, "plan_id", lambda _: examples.new_id(), reason="PLAN_NOT_FOUND", search=False,
         caller="privacy-officer"),
    Case("a day that is none", PREPARE, "through", lambda _: "2026-99-99", "date", search=False,
         change=of_members),
    Case("a day of a version that is none", PREPARE, "cutoffs[0].through", lambda _: "2026-99-99", "date", search=False,
         change=of_members),
    Case("two days of one version", PREPARE, "", lambda _: "", "REPEATED", field="cutoffs[1].policy_version",
         change=twice_of_one_version),
    Case("card number as the version of a cut-off", PREPARE, "cutoffs[0].policy_version", card, "string.pattern"),
    Case("epoch 0", PREPARE, "epoch", lambda _: 0, "uint64.gte_lte"),
    Case("key of nobody", ROTATE, "key", lambda _: words(20), "unknown", reason="KEY_UNKNOWN"),
    Case("key of nobody, to rewrap", REWRAP, "key", lambda _: words(20), "unknown", reason="KEY_UNKNOWN"),
    Case("index key, to retire", RETIRE, "key", lambda _: "index-identity", "unknown", reason="KEY_UNKNOWN",
         search=False),
    Case("card number as key", RETIRE, "key", card, "string.pattern"),
    Case("key to retire without a reason", RETIRE, "access.reason", lambda _: " ", "required",
         reason="REASON_REQUIRED", search=False),
    Case("subject of a purge that is none", PREPARE, "subject_ids[0]", card, "string.uuid"),
]  # fmt: skip

HOLDS = [
    Case("hold without an article", HOLD, "article", lambda _: "", "string.min_len"),
    Case("hold on an article that grounds none", HOLD, "article", lambda _: f"법 제{RANDOM.randrange(10**6)}조", "unknown"),
    Case("resident number as article", HOLD, "article", rrn, "RESIDENT_NUMBER"),
    Case("resident number as authority", HOLD, "authority", lambda _: f"검찰청 {rrn()}", "RESIDENT_NUMBER"),
    Case("no authority", HOLD, "authority", lambda _: "", "string.min_len"),
    Case("authority of 101 characters", HOLD, "authority", lambda _: words(101), "string.max_len"),
    Case("card number as document", HOLD, "document_number", card, "CARD_NUMBER"),
    Case("document of 65 characters", HOLD, "document_number", lambda _: words(65), "string.max_len"),
    Case("no document", HOLD, "document_number", lambda _: "", "string.min_len"),
    Case("review on a day that is none", HOLD, "review_on", lambda _: "2026-02-30", "date", search=False),
    Case("review in the past", HOLD, "review_on", lambda _: "2020-01-01", "in_the_past", search=False),
    Case("review in seven months", HOLD, "review_on", lambda _: "2999-01-01", "too_far", search=False),
    Case("card number as day of review", HOLD, "review_on", card, "string.pattern"),
    Case("hold of nothing", HOLD, "", lambda _: "", "required", field="of",
         change=lambda request, _: request.ClearField("of")),
    Case("card number as member to hold", HOLD, "member_id", card, "string.uuid"),
    Case("hold without a reason", HOLD, "access.reason", lambda _: " ", "required", reason="REASON_REQUIRED", search=False),
    Case("hold for another purpose", HOLD, "access.purpose", lambda _: "destruction", reason="PURPOSE_NOT_ALLOWED",
         search=False),
    Case("approval of a hold that is not there", APPROVE_HOLD, "hold_id", lambda _: examples.new_id(),
         reason="HOLD_NOT_FOUND", search=False),
    Case("review of a hold that is not there", REVIEW_HOLD, "hold_id", lambda _: examples.new_id(),
         reason="HOLD_NOT_FOUND", search=False),
    Case("card number as hold to release", RELEASE_HOLD, "hold_id", card, "string.uuid"),
    Case("release without a reason", RELEASE_HOLD, "access.reason", lambda _: "", "required", reason="REASON_REQUIRED"),
    Case("page of 101 holds", LIST_HOLDS, "page_size", lambda _: 101, "uint32.lte"),
    Case("card number as page of holds", LIST_HOLDS, "page_token", card, "invalid", reason="PAGE_TOKEN_INVALID"),
    Case("hold of a holder without an article", SET_HOLD, "article", lambda _: "", "string.min_len"),
    Case("card number as hold to confirm", CONFIRM_HOLDS, "", lambda _: "", "string.uuid", field="released[0].hold_id",
         change=lambda request, _: setattr(request.released[0], "hold_id", card())),
]  # fmt: skip

CASES = [*MEMBERS, *CONSENTED, *RECORDS, *INSTRUMENTS, *ACCESS, *HOLDS]

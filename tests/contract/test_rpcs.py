"""What every RPC and every request owes: an action, a purpose, an id where it changes something, bounded fields."""

import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from onggi.options.v1 import options_pb2 as options

from tests.contract.walk import METHODS, access, action, flag, is_text, request_fields, rules

CHANGING = {"CREATE", "UPDATE", "DELETE", "TOKENIZE", "WITHDRAW", "APPROVE"}
# These change something under an action that others have too, which name a plan and an attempt instead, or go on with
# what is left (RewrapKey).
CHANGING_RPCS = {
    "onggi.retention.v1.RetentionService/PlanPurge",
    "onggi.retention.v1.RetentionService/ExecutePlan",
    "onggi.payment_vault.v1.RevealApprovalService/RequestReveal",
    "onggi.keys.v1.KeyService/RotateKey",
    "onggi.keys.v1.KeyService/RetireKey",
    "onggi.retention.v1.HoldService/PlaceHold",
    "onggi.retention.v1.HoldService/ReleaseHold",
}
WITH_A_REASON = {
    "onggi.payment_vault.v1.DetokenizationService/Detokenize",
    "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize",
    "onggi.payment_vault.v1.DetokenizationService/ReissueToken",
    "onggi.payment_vault.v1.RevealApprovalService/RequestReveal",
    "onggi.payment_vault.v1.RevealApprovalService/ApproveReveal",
    "onggi.payment_vault.v1.RevealApprovalService/MarkHoneyToken",
    "onggi.payment_vault.v1.RevealApprovalService/LiftSuspension",
    "onggi.retention.v1.RetentionService/ApprovePlan",
    "onggi.retention.v1.HoldService/PlaceHold",
    "onggi.retention.v1.HoldService/ApproveHold",
    "onggi.retention.v1.HoldService/ReviewHold",
    "onggi.retention.v1.HoldService/ReleaseHold",
    "onggi.identity.v1.ArchiveService/GetArchived",
    "onggi.identity.v1.ArchiveService/ListArchived",
    "onggi.identity.v1.ConsentService/ListOutdatedConsents",
    "onggi.keys.v1.KeyService/RotateKey",
    "onggi.keys.v1.KeyService/RewrapKey",
    "onggi.keys.v1.KeyService/RetireKey",
}
EACH_RPC = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


@EACH_RPC
def test_an_rpc_has_an_action(method: MethodDescriptor) -> None:
    """The processing log records a performed task (수행업무) for every RPC (LG-01, LG-02)."""
    assert action(method) != "UNSPECIFIED"


@EACH_RPC
def test_a_request_states_why(method: MethodDescriptor) -> None:
    """The first field of every request is the access context, and it is required (AC-11): of a stream, in the first."""
    field = method.input_type.fields_by_number[1]
    assert field.message_type is not None
    assert (field.name, field.message_type.full_name) == ("access", "onggi.access.v1.AccessContext")
    assert rules(field).required is not method.client_streaming


@EACH_RPC
def test_a_change_has_a_request_id_and_nothing_else_has(method: MethodDescriptor) -> None:
    """What changes something can be asked for again: its request has an id, a UUID (AIP-155)."""
    name = f"{method.containing_service.full_name}/{method.name}"
    field = method.input_type.fields_by_name.get("request_id")
    assert (field is not None) == (action(method) in CHANGING or name in CHANGING_RPCS)
    assert field is None or (is_text(field) and rules(field).string.uuid)


def test_streams_of_requests_have_an_answer_for_each() -> None:
    """Who streams is answered batch by batch (the chassis knows no other stream), each of at most 500 items (F5)."""
    streams = {name: method for name, method in METHODS.items() if method.client_streaming}
    assert [name.rpartition("/")[2] for name in streams] == ["StreamTokenize"]
    for method in streams.values():
        assert method.server_streaming
        assert rules(method.input_type.fields_by_name["items"]).repeated.max_items == 500
        assert {"access", "request_id", "items"} == set(method.input_type.fields_by_name)


def test_what_reaches_far_wants_a_reason() -> None:
    """A number revealed, a destruction approved, the archive or many members read: for a reason (LG-05, LC-06, PV-08)."""
    assert {name for name, method in METHODS.items() if access(method).reason_required} == WITH_A_REASON


def test_every_text_of_a_request_is_bounded() -> None:
    """Each text field of a request has a greatest length, a pattern or a form: nothing grows without a limit (F3)."""
    unbounded = [path for path, field in request_fields() if is_text(field) and not _bounded(field)]
    assert unbounded == []


def _bounded(field: FieldDescriptor) -> bool:
    rule = rules(field)
    string = rule.repeated.items.string if field.is_repeated else rule.string
    return bool(string.max_len or string.pattern or string.uuid or string.ip)


def test_every_list_of_a_request_is_bounded() -> None:
    """Each repeated field of a request has a greatest number of items (F5)."""
    lists = {path: rules(field).repeated.max_items for path, field in request_fields() if field.is_repeated}
    assert {path: most for path, most in lists.items() if not 0 < most <= 1000} == {}
    assert len(lists) >= 5


def test_every_page_is_bounded() -> None:
    """A page has a greatest size, and a page token a greatest length (AC-10)."""
    pages = {path: field for path, field in request_fields() if path.endswith(".page_size")}
    assert {path for path, field in pages.items() if not 0 < rules(field).uint32.lte <= 1000} == set()
    tokens = {path.removesuffix("token") for path, _ in request_fields() if path.endswith(".page_token")}
    assert {path.removesuffix("size") for path in pages} <= tokens


def test_enumerations_take_only_their_values() -> None:
    """No request takes a number that its enumeration does not have."""
    enums = [(path, field) for path, field in request_fields() if field.enum_type is not None]
    assert [path for path, field in enums if not rules(field).enum.defined_only] == []
    assert enums


def test_who_is_concerned_can_be_told_from_every_request() -> None:
    """Ids of data subjects are marked as such, tokens and plans as resources: the log names them (LG-01)."""
    subjects = {"member_id", "contact_id", "subject_id", "subject_ids"}
    resources = {"token", "plan_id"}
    for path, field in request_fields():
        assert flag(field, options.subject) == (field.name in subjects), path
        if field.name in resources:
            assert flag(field, options.resource), path


def test_ids_are_uuids() -> None:
    """A subject's id in a request is a UUID: nothing personal can stand where the log takes it from (LG-10)."""
    for path, field in request_fields():
        if flag(field, options.subject):
            rule = rules(field)
            string = rule.repeated.items.string if field.is_repeated else rule.string
            assert string.uuid, path

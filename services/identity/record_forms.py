"""What is told in a record: checked, and brought into the one form in which it is sealed."""

import re
from collections.abc import Callable, Mapping

from google.protobuf.message import Message
from onggi.identity.v1.record_kinds_pb2 import CashReceiptRequestRecord

from chassis.digits import NumberError, business_number, digits, refuse_all_same
from chassis.errors import InvalidField, Violation
from chassis.masking import mask
from services.identity.numbers import email_address, mobile_number

# 현금영수증 전용카드: the number has no check rule that is published.
_CASH_RECEIPT_CARD_DIGITS = 18
# Of a card the first six and the last four may be shown (PCI DSS 3.4.1), of anything else less.
_SHOWN_AT_MOST = 10


def normalise(kind: str, body: Message) -> None:
    """Bring the fields of a record's body into one form, in place. Raises InvalidField with field and reason.

    An empty field stays empty: whether one may be is the contract's affair.
    """
    wrong = []
    for field, form in _FORMS.items():
        if field in body.DESCRIPTOR.fields_by_name and (value := getattr(body, field)):
            try:
                setattr(body, field, form(value))
            except NumberError as error:
                wrong.append(Violation(f"{kind}.{field}", error.reason))
    if isinstance(body, CashReceiptRequestRecord):
        wrong += _of_cash_receipt(kind, body)
    if wrong:
        raise InvalidField(wrong)


def made(body: Message) -> Mapping[str, str]:
    """Return the fields that the service makes itself, by name: the masked identifier of a cash receipt."""
    if not isinstance(body, CashReceiptRequestRecord):
        return {}
    if body.mobile_phone:
        return {"masked_identifier": mask("MASK_PHONE", body.mobile_phone)}
    return {"masked_identifier": mask("MASK_CARD_NUMBER", body.card_number)}


def _of_cash_receipt(kind: str, body: CashReceiptRequestRecord) -> list[Violation]:
    wrong = []
    if body.masked_identifier:
        wrong.append(Violation(f"{kind}.masked_identifier", "NOT_GIVEN"))
    if bool(body.mobile_phone) == bool(body.card_number):
        wrong.append(Violation(kind, "EXACTLY_ONE"))
    return wrong


def _cash_receipt_card(value: str) -> str:
    number = digits(value)
    if len(number) != _CASH_RECEIPT_CARD_DIGITS:
        raise NumberError("LENGTH")
    return refuse_all_same(number)


def _masked(value: str) -> str:
    if "*" not in value or len(re.findall("[0-9]", value)) > _SHOWN_AT_MOST:
        raise NumberError("NOT_MASKED")
    return value


_FORMS: Mapping[str, Callable[[str], str]] = {
    "email": email_address,
    "mobile_phone": mobile_number,
    "payer_phone": mobile_number,
    "business_registration_number": business_number,
    "card_number": _cash_receipt_card,
    "masked_instrument": _masked,
}

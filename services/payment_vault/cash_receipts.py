"""Cash-receipt identifiers (현금영수증 식별값): whose the receipt is, by one of three numbers.

Which of the three it is the caller says; a number of eighteen digits could be a card of either sort.
"""

from onggi.payment_vault.v1 import instrument_pb2 as api

from services.payment_vault.instruments import CashReceiptKind, cash_receipt_number

_KINDS = {
    "mobile_phone": CashReceiptKind.MOBILE,
    "card_number": CashReceiptKind.CASH_RECEIPT_CARD,
    "business_registration_number": CashReceiptKind.BUSINESS_NUMBER,
}


def field_of(identifier: api.CashReceiptIdentifier) -> str:
    """The name of the field that identifies; ValueError where none is set."""
    field = identifier.WhichOneof("identifier")
    if field is None:
        raise ValueError("no identifier")
    return str(field)


def number_of(identifier: api.CashReceiptIdentifier) -> str:
    """The identifier as its digits. Raises NumberError, with the reasons of `cash_receipt_number`."""
    field = field_of(identifier)
    return cash_receipt_number(_KINDS[field], getattr(identifier, field))

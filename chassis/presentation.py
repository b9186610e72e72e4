"""What of a message a caller may see: every personal value is masked unless its item is allowed in full."""

from collections.abc import Collection

from google.protobuf.message import Message

from chassis import contract
from chassis.masking import mask


def conceal(message: Message, allowed: Collection[str]) -> None:
    """Mask, in place, every personal value of the message whose item is not in ``allowed`` (AC-11, AC-12)."""
    for field, item, kind in contract.personal_fields(message):
        if item not in allowed and (value := getattr(message, field)):
            setattr(message, field, mask(kind, value))
    for child in contract.children(message):
        conceal(child, allowed)

"""What a message holds, found in one walk over the fields that are set; and the masks, put on in another.

What is known of a message type is worked out once and kept, since this stands on the hot path.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from onggi.options.v1 import options_pb2 as options

from chassis.masking import mask

# As many items as any batch may have; whoever sends more is refused, and need not be read to the end for that.
MOST_ITEMS = 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"tok_[a-z]{2,8}_(?!.*\d{8})[a-z0-9]{20,48}")


@dataclass(slots=True)
class Contents:
    """What a message names and holds.

    ``subjects``: ids of data subjects, those that look like ids. ``resources``: ids and tokens, those that look like
    one: anything else may be personal. ``items``: names of the personal items that stand in it. ``texts``: (path, value)
    of free text, without what is checked apart, item by item.
    """

    subjects: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    items: set[str] = field(default_factory=set)
    texts: list[tuple[str, str]] = field(default_factory=list)


class _Field(NamedTuple):
    """What the walks need to know of one field."""

    name: str
    repeated: bool
    child: Descriptor | None = None
    text: bool = False
    id: bool = False
    subject: bool = False
    resource: bool = False
    item: str = ""
    mask: str = ""
    checked_apart: bool = False
    masked: bool = False


def contents(message: Message) -> Contents:
    """Return what the message holds, and bring its UUIDs into their one spelling, in place (RFC 9562: lower case)."""
    found = Contents()
    _look(message, _fields(message.DESCRIPTOR), found, "", scan=True)
    return found


def _look(message: Message, fields: Mapping[int, _Field], found: Contents, prefix: str, *, scan: bool) -> None:
    for descriptor, held in message.ListFields():
        known = fields.get(descriptor.number)
        if known is None:
            continue
        value = _lowered(message, known, held) if known.id else held
        if known.child is None:
            if known.text and scan:
                found.texts.append((prefix + known.name, value))
            if known.subject:
                found.subjects += filter(_UUID.fullmatch, value if known.repeated else (value,))
            if known.resource and (_UUID.fullmatch(value) or _TOKEN.fullmatch(value)):
                found.resources.append(value)
            if known.item:
                found.items.add(known.item)
            continue
        scanned = scan and not known.checked_apart
        if known.repeated:
            for number, one in enumerate(islice(value, MOST_ITEMS)):
                _look(one, _fields(known.child), found, f"{prefix}{known.name}[{number}].", scan=scanned)
        else:
            _look(value, _fields(known.child), found, f"{prefix}{known.name}.", scan=scanned)


def _lowered(message: Message, known: _Field, value: Any) -> Any:
    if known.repeated:
        value[:] = [item.lower() for item in value]
    elif (lower := value.lower()) != value:
        setattr(message, known.name, lower)
        return lower
    return value


def conceal(message: Message, allowed: Collection[str]) -> None:
    """Mask, in place, every personal value of the message whose item is not in ``allowed`` (AC-11, AC-12)."""
    if not items_held(message.DESCRIPTOR):
        return
    fields = _fields(message.DESCRIPTOR)
    for descriptor, value in message.ListFields():
        known = fields.get(descriptor.number)
        if known is None:
            continue
        if known.child is None:
            if known.item and known.item not in allowed:
                setattr(message, known.name, mask(known.mask, value))
        elif not known.masked:
            for child in islice(value, MOST_ITEMS) if known.repeated else (value,):
                conceal(child, allowed)


@cache
def items_held(descriptor: Descriptor) -> frozenset[str]:
    """Return the names of the personal items that messages of this type can hold in clear."""
    fields = _fields(descriptor).values()
    found = {known.item for known in fields if known.item}
    for known in fields:
        if known.child is not None and not known.masked and known.child is not descriptor:
            found |= items_held(known.child)
    return frozenset(found)


@cache
def _fields(descriptor: Descriptor) -> Mapping[int, _Field]:
    return {one.number: known for one in descriptor.fields if (known := _field(one)) is not None}


def _field(one: FieldDescriptor) -> _Field | None:
    if one.message_type is not None:
        if not one.message_type.full_name.startswith("onggi."):
            return None
        return _Field(
            one.name, one.is_repeated, one.message_type, checked_apart=_checked_apart(one),
            masked=bool(_option(one, options.masked)),
        )  # fmt: skip
    personal = _option(one, options.personal)
    known = _Field(
        one.name, one.is_repeated, text=_is_free_text(one), id=_is_id(one), subject=bool(_option(one, options.subject)),
        resource=bool(_option(one, options.resource)), item=personal.item, mask=options.Mask.Name(personal.mask),
    )  # fmt: skip
    return known if known.text or known.id or known.subject or known.resource or known.item else None


def _option(one: FieldDescriptor, extension: object) -> options.PersonalData:
    value: options.PersonalData = one.GetOptions().Extensions[extension]  # type: ignore[index]
    return value


def _is_free_text(one: FieldDescriptor) -> bool:
    rules = one.GetOptions().Extensions[validate_pb2.field]
    known = _option(one, options.number) or _option(one, options.subject) or _option(one, options.resource)
    text: bool = one.type == FieldDescriptor.TYPE_STRING and not one.is_repeated
    return text and not known and not rules.string.uuid


def _is_id(one: FieldDescriptor) -> bool:
    rules = one.GetOptions().Extensions[validate_pb2.field]
    return bool(rules.string.uuid or rules.repeated.items.string.uuid)


def _checked_apart(one: FieldDescriptor) -> bool:
    rules = one.GetOptions().Extensions[validate_pb2.field]
    always = validate_pb2.IGNORE_ALWAYS
    return bool(always in (rules.ignore, rules.repeated.items.ignore))

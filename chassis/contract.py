"""The contract at run time: methods and field options, read from the descriptors and from nowhere else.

What is known of a message type is worked out once and kept, since this stands on the hot path.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from onggi.options.v1 import options_pb2 as options

from chassis import errors
from chassis.errors import DomainError, Violation
from chassis.free_text import find_forbidden

# As many items as any batch may have; whoever sends more is refused, and need not be read to the end for that.
MOST_ITEMS = 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"tok_[a-z]{2,8}_(?!.*\d{8})[a-z0-9]{20,48}")


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. ``name``: ``package.Service/Method``; ``streams``: the server answers with a stream.

    ``request_streams``: the caller sends one too: the first message says why, each of the others has its own answer.
    """

    name: str
    handler: str
    request: type[Message]
    response: type[Message]
    streams: bool
    action: options.Action.ValueType
    reason_required: bool
    reveals: bool
    has_request_id: bool
    request_streams: bool = False


def methods(service: ServiceDescriptor) -> Iterator[Method]:
    """Yield the RPCs of a service."""
    return (_method(method) for method in service.methods)


def _method(method: MethodDescriptor) -> Method:
    if method.client_streaming and not method.server_streaming:
        raise ValueError(f"{method.full_name}: a stream of requests has an answer for each")
    access = method.GetOptions().Extensions[options.access]
    return Method(
        name=f"{method.containing_service.full_name}/{method.name}",
        handler=re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower(),
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        streams=method.server_streaming,
        action=access.action,
        reason_required=access.reason_required,
        reveals=access.action == options.ACTION_DETOKENIZE,
        has_request_id="request_id" in method.input_type.fields_by_name,
        request_streams=method.client_streaming,
    )


def parse(raw: bytes, kind: type[Message]) -> Message:
    """Return the message. Raises MalformedRequest, or UnknownField where a field is not of this version."""
    try:
        message = kind.FromString(raw)
    except DecodeError:
        raise errors.MalformedRequest from None
    size = message.ByteSize()
    message.DiscardUnknownFields()  # in C, and down to the last sub-message
    if message.ByteSize() != size:
        raise errors.UnknownField
    return message


def check(message: Message) -> None:
    """Check the message against the rules of its fields. Raises InvalidField or ForbiddenContent, never with a value."""
    if violations := protovalidate.collect_violations(message):
        raise errors.InvalidField([Violation(_path(item.proto.field), item.proto.rule_id) for item in violations])
    if found := list(_forbidden(message, "")):
        raise errors.ForbiddenContent(found)


def check_opening(message: Message) -> None:
    """Check that the first message of a stream says why and nothing else. Raises InvalidField."""
    if others := [field.name for field, _ in message.ListFields() if field.name != "access"]:
        raise errors.InvalidField([Violation(name, "not_in_the_first_message") for name in others])


def check_following(message: Message, *, wants_id: bool) -> None:
    """Check that a later message of a stream leaves why to the first, and has the id of its own. Raises InvalidField."""
    if message.HasField("access"):
        raise errors.InvalidField([Violation("access", "only_in_the_first_message")])
    if wants_id and not getattr(message, "request_id"):  # noqa: B009
        raise errors.InvalidField([Violation("request_id", "required")])


def check_item(message: Message) -> DomainError | None:
    """Check one item of a batch; return its error, or None."""
    try:
        check(message)
    except DomainError as error:
        return error
    return None


def _path(path: object) -> str:
    names = []
    for element in getattr(path, "elements", ()):
        subscript = getattr(element, "subscript", None)
        index = getattr(subscript, "value", None)
        names.append(f"{element.field_name}[{index}]" if isinstance(index, int) else element.field_name)
    return ".".join(names)


@dataclass(frozen=True, slots=True)
class _Fields:
    """What the walks need to know of a message type."""

    texts: tuple[str, ...]
    ids: tuple[tuple[str, bool], ...]
    personal: tuple[tuple[str, str, str], ...]
    subjects: tuple[tuple[str, bool], ...]
    resources: tuple[str, ...]
    scanned: tuple[tuple[str, bool], ...]
    children: tuple[tuple[str, bool, bool], ...]


@cache
def _fields(descriptor: Descriptor) -> _Fields:
    own = [field for field in descriptor.fields if field.message_type is None]
    nested = [field for field in descriptor.fields if field.message_type is not None]
    nested = [field for field in nested if _is_ours(field.message_type)]
    return _Fields(
        texts=tuple(field.name for field in own if _is_free_text(field)),
        ids=tuple((field.name, field.is_repeated) for field in own if _is_id(field)),
        personal=tuple(
            (field.name, option.item, options.Mask.Name(option.mask))
            for field in own
            if (option := _option(field, options.personal)).item
        ),
        subjects=tuple((field.name, field.is_repeated) for field in own if _option(field, options.subject)),
        resources=tuple(field.name for field in own if _option(field, options.resource)),
        scanned=tuple((field.name, field.is_repeated) for field in nested if not _checked_apart(field)),
        children=tuple((field.name, field.is_repeated, bool(_option(field, options.masked))) for field in nested),
    )


def _option(field: FieldDescriptor, extension: object) -> options.PersonalData:
    value: options.PersonalData = field.GetOptions().Extensions[extension]  # type: ignore[index]
    return value


def _is_ours(descriptor: Descriptor | None) -> bool:
    return descriptor is not None and bool(descriptor.full_name.startswith("onggi."))


def _is_free_text(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    known = _option(field, options.number) or _option(field, options.subject) or _option(field, options.resource)
    text: bool = field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated
    return text and not known and not rules.string.uuid


def _is_id(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return bool(rules.string.uuid or rules.repeated.items.string.uuid)


def _checked_apart(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    always = validate_pb2.IGNORE_ALWAYS
    return bool(always in (rules.ignore, rules.repeated.items.ignore))


def _each(message: Message, name: str, repeated: bool) -> Iterator[tuple[str, Message]]:
    value = getattr(message, name)
    if repeated:
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(islice(value, MOST_ITEMS)))
    elif message.HasField(name):
        yield name, value


def _forbidden(message: Message, prefix: str) -> Iterator[Violation]:
    fields = _fields(message.DESCRIPTOR)
    for name in fields.texts:
        if rule := find_forbidden(getattr(message, name)):
            yield Violation(prefix + name, rule)
    for name, repeated in fields.scanned:
        for path, child in _each(message, name, repeated):
            yield from _forbidden(child, f"{prefix}{path}.")


def lower_ids(message: Message) -> None:
    """Bring the UUIDs of the message into their one spelling, in place (RFC 9562: written in lower case)."""
    fields = _fields(message.DESCRIPTOR)
    for name, repeated in fields.ids:
        value = getattr(message, name)
        if repeated:
            value[:] = [item.lower() for item in value]
        elif value:
            setattr(message, name, value.lower())
    for name, repeated, _ in fields.children:
        for _, child in _each(message, name, repeated):
            lower_ids(child)


def subjects(message: Message) -> Iterator[str]:
    """Yield the ids of the data subjects that the message names, those that look like ids."""
    fields = _fields(message.DESCRIPTOR)
    for name, repeated in fields.subjects:
        value = getattr(message, name)
        yield from (item for item in (value if repeated else (value,)) if _UUID.fullmatch(item))
    for name, repeated, _ in fields.children:
        for _, child in _each(message, name, repeated):
            yield from subjects(child)


def resources(message: Message) -> Iterator[str]:
    """Yield the ids and tokens that the message names, those that look like one: anything else may be personal."""
    fields = _fields(message.DESCRIPTOR)
    for name in fields.resources:
        value = getattr(message, name)
        if _UUID.fullmatch(value) or _TOKEN.fullmatch(value):
            yield value
    for name, repeated, _ in fields.children:
        for _, child in _each(message, name, repeated):
            yield from resources(child)


def items_written(message: Message) -> set[str]:
    """Return the names of the personal items that the message holds."""
    fields = _fields(message.DESCRIPTOR)
    found = {item for name, item, _ in fields.personal if getattr(message, name)}
    for name, repeated, _ in fields.children:
        for _, child in _each(message, name, repeated):
            found |= items_written(child)
    return found


@cache
def items_held(descriptor: Descriptor) -> frozenset[str]:
    """Return the names of the personal items that messages of this type can hold in clear."""
    fields = _fields(descriptor)
    found = {item for _, item, _ in fields.personal}
    for name, _, masked in fields.children:
        child = descriptor.fields_by_name[name].message_type
        if not masked and child is not descriptor:
            found |= items_held(child)
    return frozenset(found)


def personal_fields(message: Message) -> tuple[tuple[str, str, str], ...]:
    """Return (field, item, mask) of the personal fields of the message's own type."""
    return _fields(message.DESCRIPTOR).personal


def children(message: Message) -> Iterator[Message]:
    """Yield the sub-messages that may hold personal values in clear."""
    for name, repeated, masked in _fields(message.DESCRIPTOR).children:
        if not masked:
            for _, child in _each(message, name, repeated):
                yield child

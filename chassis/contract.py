"""The contract at run time: methods and the rules of fields, read from the descriptors and from nowhere else."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import protovalidate
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from onggi.options.v1 import options_pb2 as options

from chassis import errors
from chassis.contents import contents
from chassis.errors import DomainError, Violation
from chassis.free_text import find_forbidden


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

    @property
    def action_name(self) -> str:
        """The action as the processing log writes it, such as ``TOKENIZE``."""
        return _action_name(self.action)


@cache
def _action_name(action: options.Action.ValueType) -> str:
    return options.Action.Name(action).removeprefix("ACTION_")


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


def check(message: Message, texts: Sequence[tuple[str, str]]) -> None:
    """Check the message against the rules of its fields, and its free texts (path, value), which its contents tell.

    Raises InvalidField or ForbiddenContent, never with a value.
    """
    if violations := protovalidate.collect_violations(message):
        raise errors.InvalidField([Violation(_path(item.proto.field), item.proto.rule_id) for item in violations])
    if found := [Violation(path, rule) for path, text in texts if (rule := find_forbidden(text))]:
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
        check(message, contents(message).texts)
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

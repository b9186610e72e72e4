"""The contract as its descriptors have it: every RPC, and every field that can be reached from a message."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from buf.validate import validate_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from onggi.options.v1 import options_pb2 as options

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "onggi."


def _files() -> list[FileDescriptorProto]:
    image = FileDescriptorSet.FromString((ROOT / "gen" / "onggi.binpb").read_bytes())
    ours = [file for file in image.file if file.package.startswith(PACKAGE)]
    for file in ours:  # so that the pool has them all
        import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
    return ours


FILES = _files()
"""Our files with the comments of their sources; from the image that buf checks, so that none can be forgotten."""

_POOL = descriptor_pool.Default()


def methods() -> dict[str, MethodDescriptor]:
    """Every RPC by its full name, `package.Service/Method`."""
    services = [_POOL.FindServiceByName(f"{file.package}.{each.name}") for file in FILES for each in file.service]
    return {f"{service.full_name}/{method.name}": method for service in services for method in service.methods}


METHODS = methods()


def fields() -> Iterator[FieldDescriptor]:
    """Every field of every message of ours."""
    for file in FILES:
        for message in file.message_type:
            yield from _POOL.FindMessageTypeByName(f"{file.package}.{message.name}").fields


def reachable(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """Every field of ours within a message, down to the last, with its path."""
    for field in message.fields:
        yield f"{prefix}{field.name}", field
        if field.message_type is not None and field.message_type.full_name.startswith(PACKAGE):
            yield from reachable(field.message_type, f"{prefix}{field.name}.")


def request_fields() -> Iterator[tuple[str, FieldDescriptor]]:
    """Every field within every request, with its path behind the request's name."""
    for method in METHODS.values():
        yield from reachable(method.input_type, f"{method.input_type.name}.")


def name_of(field: FieldDescriptor) -> str:
    """`Message.field`."""
    assert field.containing_type is not None
    return f"{field.containing_type.name}.{field.name}"


def is_text(field: FieldDescriptor) -> bool:
    """Whether the field holds text, one or many."""
    return bool(field.type == FieldDescriptor.TYPE_STRING)


def access(method: MethodDescriptor) -> Any:
    """What an RPC does and what its caller owes."""
    return method.GetOptions().Extensions[options.access]


def action(method: MethodDescriptor) -> str:
    """The performed task of an RPC, without its prefix."""
    return options.Action.Name(access(method).action).removeprefix("ACTION_")


def personal(field: FieldDescriptor) -> Any:
    """The personal data that a field holds; `item` is empty where it holds none."""
    return field.GetOptions().Extensions[options.personal]


def flag(field: FieldDescriptor, extension: Any) -> bool:
    """The value of one of our yes-or-no options of a field."""
    return bool(field.GetOptions().Extensions[extension])


def rules(field: FieldDescriptor) -> Any:
    """The rules of protovalidate on a field."""
    return field.GetOptions().Extensions[validate_pb2.field]

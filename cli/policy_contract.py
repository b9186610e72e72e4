"""The contract as the policy is compared with it: read from the descriptors of the stubs that the command itself uses."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import onggi
from google.protobuf.descriptor import Descriptor, FileDescriptor
from onggi.identity.v1.record_service_pb2 import Record
from onggi.options.v1 import options_pb2 as options

from chassis.policy.ties import Contract


def contract() -> Contract:
    """Every field, personal item, kind of record and RPC of the built stubs."""
    files = list(_files())
    messages = [message for file in files for message in _all(file.message_types_by_name.values())]
    fields = {f"{message.name}.{field.name}": field for message in messages for field in message.fields}
    marked = {name: field.GetOptions().Extensions[options.personal].item for name, field in fields.items()}
    return Contract(
        fields=frozenset(fields),
        items={name: item for name, item in marked.items() if item},
        kinds={
            field.name: field.message_type.name
            for field in Record.DESCRIPTOR.oneofs_by_name["body"].fields
            if field.message_type is not None
        },
        rpcs=frozenset(
            f"{service.full_name}/{method.name}"
            for file in files
            for service in file.services_by_name.values()
            for method in service.methods
        ),
    )


def _files() -> Iterable[FileDescriptor]:
    for folder in map(Path, onggi.__path__):
        for path in sorted(folder.rglob("*_pb2.py")):
            name = path.relative_to(folder.parent).with_suffix("")
            yield import_module(".".join(name.parts)).DESCRIPTOR


def _all(messages: Iterable[Descriptor]) -> Iterable[Descriptor]:
    for message in messages:
        yield message
        yield from _all(message.nested_types)

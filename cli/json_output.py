"""JSON for programs: protobuf's own JSON mapping, with the field names of the contract and every field present.

Fields are present even when empty, so a program need not know which defaults the mapping leaves out. Characters that a
terminal would act on are escaped; JSON reads them back as they were.
"""

import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def as_object(message: Message) -> dict[str, Any]:
    """The message as a JSON object."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def dumps(document: object, *, indent: int | None = 2) -> str:
    """The document as JSON text; `indent=None` gives one line."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return "".join(
        character if character.isprintable() or character == "\n" else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    return json.dumps(character, ensure_ascii=True)[1:-1]

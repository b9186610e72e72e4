"""Reads the policy's files and refuses what is incomplete, misspelt or contradictory, naming file, key and reason.

The only module of the policy that touches a disk.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json

from chassis.policy import checks
from chassis.policy.faults import Fault, PolicyRefused
from chassis.policy.privacy_policy import FILES, PrivacyPolicy

Documents = Mapping[str, Mapping[str, Any]]

_REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a key of this table",
    "string_type": "is not text",
    "string_too_short": "is empty",
    "tuple_type": "is not a list",
    "mapping_type": "is not a table",
    "dict_type": "is not a table",
    "model_type": "is not a table",
    "int_type": "is not a whole number",
    "bool_type": "is neither true nor false",
    "date_type": "is not a date",
    "date_parsing": "is not a date",
    "date_from_datetime_parsing": "is not a date",
}


def load(directory: Path) -> PrivacyPolicy:
    """Return the policy in a directory. Raises PolicyRefused."""
    return of_documents(read(directory))


def read(directory: Path) -> Documents:
    """Return what the files of a directory hold, by the part of the policy that each is. Raises PolicyRefused.

    Texts beside the TOML files are the renderer's.
    """
    faults, documents = [], {}
    for part, name in FILES.items():
        try:
            documents[part] = tomllib.loads((directory / name).read_text(encoding="utf-8-sig"))
        except OSError:
            faults.append(Fault(name, "", "is missing or cannot be read"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            faults.append(Fault(name, "", f"is not TOML: {error}"))
    others = {str(path.relative_to(directory)) for path in directory.rglob("*.toml")} - set(FILES.values())
    faults += [Fault(name, "", "is not a file of the policy") for name in sorted(others)]
    if faults:
        raise PolicyRefused(faults)
    return documents


def of_documents(documents: Documents) -> PrivacyPolicy:
    """Return the policy that the parsed files make up. Raises PolicyRefused."""
    try:
        # By way of JSON, since only there strictness takes a list for a tuple and a word for one of an enumeration.
        policy = PrivacyPolicy.model_validate_json(to_json(documents), strict=True)
    except ValidationError as error:
        raise PolicyRefused(list(_faults(error))) from None
    if faults := list(checks.faults(policy)):
        raise PolicyRefused(faults)
    return policy


def _faults(error: ValidationError) -> Iterator[Fault]:
    for detail in error.errors(include_url=False, include_context=True):
        part, *path = detail["loc"]
        key = ".".join(str(step) for step in path if step != "[key]")
        yield Fault(FILES[str(part)], key, _reason(detail))


def _reason(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    message = detail["msg"]
    return _REASONS.get(kind, message[0].lower() + message[1:])

"""Every reason of an error says what went wrong and what cures it, and the code has it as the contract says."""

import re
from importlib import import_module

import grpc
import pytest
from onggi.errors.v1 import error_reason_pb2 as reasons

from chassis.errors import DomainError, reason_name
from tests.contract.walk import FILES, ROOT

_ENUM_TYPE, _ENUM_VALUE = 5, 2  # field numbers in FileDescriptorProto and EnumDescriptorProto
CODES = {code.name for code in grpc.StatusCode}
# Nothing that a caller could do is missing: it went away, or the code is not there.
NOTHING_TO_CURE = {"CANCELLED", "METHOD_UNKNOWN"}


def _comments() -> dict[str, str]:
    """Reason -> its comment in the source, one line."""
    [file] = [file for file in FILES if file.name == "onggi/errors/v1/error_reason.proto"]
    [index] = [number for number, enum in enumerate(file.enum_type) if enum.name == "ErrorReason"]
    values = [value.name.removeprefix("ERROR_REASON_") for value in file.enum_type[index].value]
    return {
        values[place.path[3]]: " ".join(place.leading_comments.split())
        for place in file.source_code_info.location
        if list(place.path[:3]) == [_ENUM_TYPE, index, _ENUM_VALUE] and len(place.path) == 4
    }


COMMENTS = _comments()
SENT = sorted(set(COMMENTS) - {"UNSPECIFIED"})


def _sentences(reason: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.;:])\s+", COMMENTS[reason]) if part]


def _errors() -> list[type[DomainError]]:
    """Every error that the code can answer, of all modules of the chassis and the services."""
    for top in ("chassis", "services"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not any(part.endswith("migrations") for part in parts) and parts[-1] not in {"__main__", "__init__"}:
                import_module(".".join(parts))
    found: list[type[DomainError]] = [DomainError]
    for kind in found:
        found += kind.__subclasses__()
    return found


ERRORS = _errors()


def test_every_reason_has_a_comment() -> None:
    """No value of ErrorReason is without a word."""
    assert {f"ERROR_REASON_{reason}" for reason in COMMENTS} == set(reasons.ErrorReason.keys())
    assert [reason for reason in COMMENTS if not COMMENTS[reason]] == []


@pytest.mark.parametrize("reason", SENT)
def test_a_reason_begins_with_its_code(reason: str) -> None:
    """The comment's first word is the gRPC status code that comes with the reason."""
    assert COMMENTS[reason].partition(".")[0] in CODES


@pytest.mark.parametrize("reason", [reason for reason in SENT if reason not in NOTHING_TO_CURE])
def test_a_reason_says_what_cures_it(reason: str) -> None:
    """After code and cause stands what to do: a caller need not ask anybody."""
    assert len(_sentences(reason)) >= 3, COMMENTS[reason]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_the_code_answers_what_the_contract_says(error: type[DomainError]) -> None:
    """Each error of the code has the status code that the comment of its reason names."""
    assert COMMENTS[reason_name(error.reason)].partition(".")[0] == error.code.name


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_a_message_is_fixed_text(error: type[DomainError]) -> None:
    """The text of an error has no place for a value: no braces, no percent sign, no digits (LG-10)."""
    assert error.message
    assert not re.search(r"[{}%0-9]", error.message)


def test_unavailable_says_when_to_retry() -> None:
    """Whoever hears UNAVAILABLE or RESOURCE_EXHAUSTED learns after which time a retry makes sense."""
    passing = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert [error.__name__ for error in ERRORS if error.code in passing and error.retry_after is None] == []

"""Errors as the operator reads them: complete, with a cure, and never with a value."""

import re
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from onggi.errors.v1.error_reason_pb2 import ErrorReason

from cli import errors, exit_codes
from cli.app import main
from cli.error_view import as_object, lines, show_defect
from cli.exit_codes import MEANINGS, ExitCode
from cli.failures import CallError, UsageError, Violation

DESCRIPTORS = Path(__file__).parents[2] / "gen" / "onggi.binpb"
CARD = "4111111111111111"


def _comments() -> dict[str, str]:
    """Comment of each value of the contract's reason enum, by the name without its prefix."""
    files = FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    contract = next(file for file in files if file.name == "onggi/errors/v1/error_reason.proto")
    values = contract.enum_type[0].value
    comments = {
        location.path[3]: " ".join(location.leading_comments.split())
        for location in contract.source_code_info.location
        if list(location.path[:3]) == [5, 0, 2] and len(location.path) == 4
    }
    return {value.name.removeprefix("ERROR_REASON_"): comments[place] for place, value in enumerate(values)}


def test_every_reason_of_the_contract_has_its_cure() -> None:
    """The table and the enum hold the same names; a new reason cannot be forgotten."""
    assert set(errors.CURES) == errors.reasons()
    assert len(errors.CURES) == len(ErrorReason.items()) - 1


def test_the_cures_are_the_words_of_the_contract() -> None:
    """Each cure is the enum's comment without the status code before it."""
    comments = _comments()
    for reason, cure in errors.CURES.items():
        code, _, text = comments[reason].partition(". ")
        assert cure == text, reason
        assert code in grpc.StatusCode.__members__, reason


def test_every_status_code_has_an_exit_code_and_every_exit_code_a_meaning() -> None:
    """Nothing that grpc can answer is without a code, and all codes stand in the help."""
    assert {exit_codes.of_status(code) for code in grpc.StatusCode} <= set(ExitCode)
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("OK", 0),
        ("UNAVAILABLE", 3),
        ("DEADLINE_EXCEEDED", 3),
        ("PERMISSION_DENIED", 4),
        ("UNAUTHENTICATED", 4),
        ("NOT_FOUND", 5),
        ("INVALID_ARGUMENT", 6),
        ("ALREADY_EXISTS", 7),
        ("ABORTED", 7),
        ("FAILED_PRECONDITION", 7),
        ("RESOURCE_EXHAUSTED", 8),
        ("INTERNAL", 70),
        ("UNKNOWN", 70),
        ("UNIMPLEMENTED", 70),
    ],
)
def test_exit_codes_mean_something(code: str, expected: int) -> None:
    """The promise to scripts, written by hand."""
    assert exit_codes.of_status(grpc.StatusCode[code]) == expected


def test_the_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """`onggi --help` lists every code."""
    assert main(["--help"]) == 0

    told = capsys.readouterr().out
    for code in ExitCode:
        assert re.search(rf"\b{code:d}  \w", told), code


def test_a_failure_is_told_with_field_rule_cure_and_ids() -> None:
    """All that the operator needs for the next step, in words and as JSON."""
    failure = CallError(
        service="identity",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="INVALID_FIELD",
        violations=(Violation("profile.email", "EMAIL"),),
        retry_seconds=1.5,
        trace_id="ab" * 16,
        record_id="0199",
    )

    told = "\n".join(lines(failure))
    assert "identity: INVALID_ARGUMENT (INVALID_FIELD)" in told
    assert "profile.email: EMAIL" in told
    assert errors.CURES["INVALID_FIELD"] in told
    assert "retry after 1.5 s" in told
    assert f"trace {'ab' * 16}, record 0199" in told
    assert as_object(failure)["error"]["violations"] == [{"field": "profile.email", "rule": "EMAIL"}]
    assert as_object(failure)["error"]["exit_code"] == 6


def test_an_unknown_outcome_names_the_request_to_repeat() -> None:
    """After UNAVAILABLE a mutation may have happened; the same request_id finds out."""
    failure = CallError("identity", grpc.StatusCode.UNAVAILABLE, request_id="7c9e")

    assert "--request-id 7c9e" in "\n".join(lines(failure))


def test_a_defect_is_told_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    """The text of an exception may hold a value; its type and place may not."""
    with pytest.raises(KeyError) as caught:
        dict[str, str]()[CARD]
    show_defect(caught.value, as_json=False)

    told = capsys.readouterr().err
    assert "KeyError" in told
    assert CARD not in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "add-card", "m", CARD, "--purpose", "billing"],
        ["member", "contacts", "m", "--purpose", "support", "--limit", CARD + "x"],
        ["member", CARD],
        [CARD],
        ["--timeout", CARD, "member", "get", "m", "--purpose", "support"],
        ["log", "trace", CARD],
        ["log", "search", "--since", CARD],
    ],
)
def test_wrong_use_never_repeats_what_was_typed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and a number that stands in the wrong place is not written to standard error, which may be a log."""
    assert main(arguments) == 2

    seen = capsys.readouterr()
    assert CARD not in seen.err + seen.out
    assert "onggi: " in seen.err


def test_usage_errors_are_plain_sentences() -> None:
    """Failures without a call are one line."""
    assert lines(UsageError("no configuration")) == ["onggi: no configuration"]

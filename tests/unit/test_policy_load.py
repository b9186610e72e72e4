"""The loader: the policy as it stands is taken, and what is misspelt or of the wrong kind is told by file, key and reason."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from chassis.policy.faults import Fault, PolicyRefused
from chassis.policy.load import load
from chassis.policy.privacy_policy import FILES
from chassis.policy.retention import Basis
from tests.unit.policy_documents import ROOT, Step, having, refused


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the policy that can be changed."""
    return Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))


def refusal(directory: Path) -> tuple[Fault, ...]:
    """The faults for which a directory is refused."""
    with pytest.raises(PolicyRefused) as caught:
        load(directory)
    return caught.value.faults


def test_the_policy_of_the_repository_is_taken() -> None:
    """Nine chapters, versions, settings and access rules are one policy, and its first version is in force (부칙)."""
    policy = load(ROOT / "policy")

    assert policy.retention.categories["R-09b"].basis is Basis.LAW_MIN
    assert policy.retention.records["payment"].message == "PaymentRecord"
    assert policy.purposes.purposes["marketing"].consent == "marketing"
    assert policy.version_on(date(2023, 6, 9)) == "1"


def test_every_file_of_the_directory_is_of_the_policy() -> None:
    """The files that the loader knows are those that are there."""
    assert {str(path.relative_to(ROOT / "policy")) for path in (ROOT / "policy").rglob("*.toml")} == set(FILES.values())


def test_a_period_is_changed_in_one_file(directory: Path) -> None:
    """The period of inquiries in chapter 4 is what the loaded policy has; no code holds it (LC-09, R-05)."""
    chapter = directory / "chapters" / "4-retention.toml"
    before, _, row = chapter.read_text().partition("[categories.R-05]")
    chapter.write_text(f"{before}[categories.R-05]{row.replace('3 years', '2 years', 1)}")

    assert load(directory).period("R-05") == "2 years"


def test_what_an_editor_of_windows_writes_is_read(directory: Path) -> None:
    """The mark of UTF-8 and the ends of lines of Windows change nothing."""
    for name in FILES.values():
        text = (directory / name).read_text()
        (directory / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    assert load(directory) == load(ROOT / "policy")


@pytest.mark.parametrize("name", FILES.values())
def test_a_missing_file_is_told(directory: Path, name: str) -> None:
    """Without a file nothing is loaded, and its name is told."""
    (directory / name).unlink()

    assert refusal(directory) == (Fault(name, "", "is missing or cannot be read"),)


def test_a_file_that_is_not_toml_is_told_with_its_line(directory: Path) -> None:
    """A slip of the pen in TOML is told with its place."""
    (directory / "versions.toml").write_text("[[versions]]\nid = \n")

    [fault] = refusal(directory)
    assert (fault.file, fault.key) == ("versions.toml", "")
    assert "line 2" in fault.reason


def test_a_file_that_nobody_reads_is_refused(directory: Path) -> None:
    """A chapter saved under a wrong name would be forgotten; it is told instead."""
    (directory / "chapters" / "10-more.toml").write_text("")

    assert refusal(directory) == (Fault("chapters/10-more.toml", "", "is not a file of the policy"),)


def test_all_files_that_fail_are_told_at_once(directory: Path) -> None:
    """Who mends a policy sees every file that is wrong in one go."""
    (directory / "versions.toml").unlink()
    (directory / "settings.toml").write_text("=")

    assert {fault.file for fault in refusal(directory)} == {"versions.toml", "settings.toml"}


@pytest.mark.parametrize(
    ("part", "path", "value", "key", "reason"),
    [
        (
            "retention",
            ("categories", "R-05", "perod"),
            "3 years",
            "categories.R-05.perod",
            "is not a key of this table",
        ),
        ("retention", ("categories", "R-05", "period"), 3, "categories.R-05.period", "is not text"),
        ("retention", ("categories", "R-05", "period"), "3 yaers", "categories.R-05.period", "not a period: '3 yaers'"),
        ("retention", ("categories", "R-05", "korean"), "", "categories.R-05.korean", "is empty"),
        ("retention", ("categories", "R-05", "holders"), "identity", "categories.R-05.holders", "is not a list"),
        ("retention", ("categories", "R-05", "checked_on"), "soon", "categories.R-05.checked_on", "is not a date"),
        ("retention", ("categories", "R-05", "start"), "closing", "categories.R-05.start", "is not a table"),
        (
            "purposes",
            ("consents", "marketing", "required"),
            "no",
            "consents.marketing.required",
            "is neither true nor false",
        ),
        (
            "purposes",
            ("consents", "marketing", "required"),
            0,
            "consents.marketing.required",
            "is neither true nor false",
        ),
        ("destruction", ("within_days",), "5", "within_days", "is not a whole number"),
        ("settings", ("pci_scope", "value"), 1, "pci_scope.value", "is neither true nor false"),
        ("access", ("human_namespaces",), "staff", "human_namespaces", "is not a list"),
        ("access", ("policy_version",), "1", "policy_version", "is not a table"),
    ],
)
def test_a_wrong_value_is_told_by_file_key_and_reason(
    part: str, path: tuple[Step, ...], value: object, key: str, reason: str
) -> None:
    """A key that nobody knows and a value of the wrong kind are refused in plain words; nothing is guessed or coerced."""
    assert refused(having(part, path, value))[FILES[part], key] == reason


def test_a_value_that_is_no_option_is_told() -> None:
    """Where a value is one of a few, the reason lists them."""
    told = refused(having("retention", ("categories", "R-05", "basis"), "LAW"))

    assert "'LAW_MIN'" in told[FILES["retention"], "categories.R-05.basis"]


def test_a_refusal_reads_line_by_line() -> None:
    """The refusal's text has a line for each fault: file, key, reason."""
    fault = Fault("versions.toml", "versions.0.id", "is missing")

    assert str(PolicyRefused([fault, fault])) == "versions.toml: versions.0.id: is missing"
    assert str(Fault("versions.toml", "", "is missing")) == "versions.toml: is missing"

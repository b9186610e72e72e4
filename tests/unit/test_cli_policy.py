"""`onggi policy` without a network: what it prints, for people and for programs, and with which exit code it ends."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from cli.exit_codes import ExitCode
from tests.unit.policy_documents import ROOT


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the policy that can be changed."""
    return Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONGGI_POLICY_DIRECTORY", raising=False)


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `onggi policy …`."""
    code = main(["policy", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    """The document that `onggi policy … --json` prints."""
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, err) == (ExitCode.OK, "")
    return json.loads(out)


def replace(file: Path, old: str, new: str) -> None:
    """Change a file's first such text."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def change_inquiries(directory: Path, period: str) -> None:
    """Change the period of R-05."""
    file = directory / "chapters" / "4-retention.toml"
    before, row, after = file.read_text(encoding="utf-8").partition("[categories.R-05]")
    file.write_text(before + row + after.replace('period = "3 years"', f'period = "{period}"', 1), encoding="utf-8")


def test_the_policy_beside_the_program_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """`check` says so and ends with 0 (LC-09)."""
    assert run(capsys, "check") == (ExitCode.OK, "the policy is complete and fits the contract\n", "")
    assert as_json(capsys, "check") == {"faults": []}


def test_check_lists_every_fault(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """One line a fault, file: key: reason, and exit 1."""
    replace(directory / "versions.toml", "effective_on = 2023-06-09", "effective_on = 2023-06-08")
    replace(directory / "chapters" / "4-retention.toml", 'statute = "6 months"', 'statute = "1 year"')
    code, out, err = run(capsys, "check", "--directory", directory)

    assert (code, err) == (ExitCode.CHECK_FAILED, "")
    first, second = out.splitlines()
    assert first.startswith("chapters/4-retention.toml: categories.R-09d.period: is shorter than the statute's 1 year")
    assert second.startswith("versions.toml: versions.0.effective_on: is 6 days after the announcement")


def test_check_compares_with_the_contract(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """A rule that is gone makes the check fail, though the policy by itself is whole (AC-01)."""
    replace(directory / "access.toml", "MemberService/RegisterMember", "MemberService/EnrolMember")
    code, out, _ = run(capsys, "check", "--directory", directory, "--json")

    assert code == ExitCode.CHECK_FAILED
    assert {(fault["key"], fault["reason"]) for fault in json.loads(out)["faults"]} == {
        ("onggi.identity.v1.MemberService/RegisterMember", "is missing: the contract has this RPC"),
        ("onggi.identity.v1.MemberService/EnrolMember", "is no RPC of the contract"),
    }


def test_the_directory_comes_from_the_environment(
    capsys: pytest.CaptureFixture[str], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONGGI_POLICY_DIRECTORY, as for the services."""
    change_inquiries(directory, "1 year")
    monkeypatch.setenv("ONGGI_POLICY_DIRECTORY", str(directory))

    assert as_json(capsys, "due", "--on", "2031-05-11")["due"]["R-05"] == "2030-05-10"


def test_due_tells_the_cut_off_of_each_category(capsys: pytest.CaptureFixture[str]) -> None:
    """The latest event date that is due, by the ids of the schedule; null where the start is no date of its own."""
    told = as_json(capsys, "due", "--on", "2031-05-11")

    assert told["on"] == "2031-05-11"
    assert list(told["due"]) == sorted(told["due"])
    assert len(told["due"]) == 31
    assert {name: told["due"][name] for name in ("R-01", "R-04", "R-09b", "R-12", "R-27", "R-28")} == {
        "R-01": "2031-05-11", "R-04": "2030-05-10", "R-09b": "2026-05-10", "R-12": "2031-02-10", "R-27": None, "R-28": None,
    }  # fmt: skip


def test_due_reads_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A table with the category's name, its period and its cut-off."""
    code, out, _ = run(capsys, "due", "--on", "2031-05-11")

    assert code == ExitCode.OK
    [row] = [line for line in out.splitlines() if line.startswith("R-09b")]
    assert row.split() == [
        "R-09b",
        "대금결제",
        "및",
        "재화",
        "등의",
        "공급에",
        "대한",
        "기록",
        "5",
        "years",
        "2026-05-10",
    ]


@pytest.mark.parametrize("day", ["tomorrow", "2031-02-29", ""])
def test_a_day_that_is_none_is_wrong_use(capsys: pytest.CaptureFixture[str], day: str) -> None:
    """Exit 2, without repeating what was typed."""
    code, out, err = run(capsys, "due", "--on", day)

    assert (code, out) == (ExitCode.USAGE, "")
    assert "--on wants a day as YYYY-MM-DD" in err


@pytest.mark.parametrize(
    "command",
    [
        ["due", "--on", "2031-05-11"],
        ["ropa"],
        ["reconsent"],
        ["reconsent", "--offline"],
        ["render"],
        ["diff", "1", "1"],
    ],
)
def test_no_command_works_on_a_policy_that_is_refused(
    capsys: pytest.CaptureFixture[str], directory: Path, command: list[str]
) -> None:
    """Each ends with 1 and says what is wrong first."""
    (directory / "settings.toml").unlink()
    code, out, err = run(capsys, *command, "--directory", directory)

    assert (code, out) == (ExitCode.CHECK_FAILED, "")
    assert "the policy is refused: settings.toml: is missing or cannot be read" in err


def test_render_writes_the_published_text(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole policy on standard output, and a page with --html (GV-01)."""
    code, text, _ = run(capsys, "render", "--lang", "ko")
    _, page, _ = run(capsys, "render", "--lang", "ko", "--html")

    assert code == ExitCode.OK
    assert "제21조" in text
    assert "<html" in page


def test_render_follows_a_changed_period(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """One file changes, and the text with it; what is not the policy stays (GV-01)."""
    _, before, _ = run(capsys, "render")
    change_inquiries(directory, "2 years")
    _, after, _ = run(capsys, "render", "--directory", directory)

    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert changed
    assert all("2년" in line for line in changed)


def test_diff_shows_before_and_after(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """Two directories: every value that differs, with its file, key and name (GV-02)."""
    change_inquiries(directory, "2 years")
    told = as_json(capsys, "diff", ROOT / "policy", directory)

    assert told == {
        "changes": [
            {
                "file": "chapters/4-retention.toml", "key": "categories.R-05.period", "name": "문의 내용",
                "before": "3 years", "after": "2 years",
            }
        ]
    }  # fmt: skip
    assert run(capsys, "diff", ROOT / "policy", ROOT / "policy")[1] == "no difference\n"


def test_diff_compares_versions(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """Two versions of one policy: the periods that changed between them."""
    change_inquiries(directory, "2 years")
    with (directory / "versions.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[[versions]]\nid = "2"\nannounced_on = 2027-01-01\neffective_on = 2027-02-01\nmateriality = "material"\n'
            'changes = "문의 보관기간 단축"\nchanges_english = "shorter period"\nsource = "a paper"\n'
            'consents = ["marketing"]\n'
            'changed = [{ category = "R-05", before = "3 years", after = "2 years" }]\n'
        )
    told = as_json(capsys, "diff", "1", "2", "--directory", directory)["changes"]

    assert [(each["key"], each["before"], each["after"]) for each in told] == [
        ("categories.R-05.period", "3 years", "2 years")
    ]
    # The same file then tells by day which period is in force, and who must be asked again.
    assert as_json(capsys, "due", "--on", "2027-01-31", "--directory", directory)["due"]["R-05"] == "2024-01-30"
    assert as_json(capsys, "due", "--on", "2027-02-01", "--directory", directory)["due"]["R-05"] == "2025-01-31"
    assert as_json(capsys, "reconsent", "--offline", "--directory", directory) == {
        "newest": "2", "ask_again": {"1": ["marketing"], "2": []},
    }  # fmt: skip


def test_diff_of_what_is_no_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a directory nor a version is wrong use."""
    code, _, err = run(capsys, "diff", "1", "7")

    assert code == ExitCode.USAGE
    assert "neither a directory nor a version; the policy has: 1" in err


def test_nobody_is_to_be_asked_again_under_the_first_version(capsys: pytest.CaptureFixture[str]) -> None:
    """There is one version, so each consent covers what it did: no service is asked, and none needs to be there."""
    assert as_json(capsys, "reconsent", "--offline") == {"newest": "1", "ask_again": {"1": []}}
    assert "none" in run(capsys, "reconsent", "--offline")[1]
    assert as_json(capsys, "reconsent", "--reason", "a new version") == {"newest": "1", "consents": []}
    assert run(capsys, "reconsent", "--reason", "a new version") == (ExitCode.OK, "", "nobody must be asked again\n")


def test_members_are_not_looked_up_without_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, whether or not there is anybody to ask: a script learns it before the day that it matters (LG-05)."""
    for reason in ([], ["--reason", " "]):
        code, out, err = run(capsys, "reconsent", *reason)

        assert (code, out) == (ExitCode.USAGE, "")
        assert "--reason" in err
        assert "--offline" in err


def test_ropa_has_what_records_of_processing_need(capsys: pytest.CaptureFixture[str]) -> None:
    """Purposes, items, recipients, erasure limits, processors and measures, from the same data (GDPR 30, GL-01)."""
    told = as_json(capsys, "ropa")

    assert told["policy_version"] == "1"
    assert told["controller"]["service"] == "코스콤 클라우드"
    payment = told["categories"]["R-10"]
    assert payment["basis"] == "LAW_MIN"
    assert payment["erasure"]["period"] == "5 years"
    assert {"payment_record", "tax_document", "business_registration_number"} <= set(payment["items"])
    assert told["purposes"]["marketing"]["consent"] == "marketing"
    assert "apps/marketing" in told["purposes"]["marketing"]["recipients"]
    assert told["purposes"]["tax"]["categories"] == ["R-10"]
    assert told["categories"]["R-27"]["processors"] == list(told["processors"])
    assert "R-09b" in run(capsys, "ropa")[1]

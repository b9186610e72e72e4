"""`onggi policy` without a network: what it prints, for people and for programs, and with which exit code it ends."""

import json
import shutil
from pathlib import Path

import pytest

from cli.exit_codes import ExitCode
from tests.unit.policy_command import as_json, change_inquiries, replace, run
from tests.unit.policy_documents import ROOT


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the policy that can be changed."""
    return Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONGGI_POLICY_DIRECTORY", raising=False)


def shorten_inquiries(directory: Path) -> None:
    """Add version 2, in force since 2027-02-01: inquiries (R-05) are kept 2 years, and marketing is asked for again."""
    change_inquiries(directory, "2 years")
    with (directory / "versions.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[[versions]]\nid = "2"\nannounced_on = 2027-01-01\neffective_on = 2027-02-01\nmateriality = "material"\n'
            'changes = "문의 보관기간 단축"\nchanges_english = "shorter period"\nsource = "a paper"\n'
            'consents = ["marketing"]\n'
            'changed = [{ category = "R-05", before = "3 years", after = "2 years" }]\n'
        )


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


@pytest.mark.parametrize("day", ["tomorrow", "2031-02-29", "", "20310511", "2031-W19-7", "2031-5-11", "2031-05-11 "])
def test_a_day_that_is_none_is_wrong_use(capsys: pytest.CaptureFixture[str], day: str) -> None:
    """Exit 2, without repeating what was typed."""
    code, out, err = run(capsys, "due", "--on", day)

    assert (code, out) == (ExitCode.USAGE, "")
    assert "--on wants a day as YYYY-MM-DD" in err


@pytest.mark.parametrize("day", ["0001-01-01", "0006-01-01", "0011-01-01"])
def test_a_day_that_nothing_can_be_due_on_is_wrong_use(capsys: pytest.CaptureFixture[str], day: str) -> None:
    """Cut-offs before the first year, and before its first day, are no defect of the program."""
    code, out, err = run(capsys, "due", "--on", day)

    assert (code, out) == (ExitCode.USAGE, "")
    assert "too near the beginning" in err
    assert as_json(capsys, "due", "--on", "9999-12-31")["due"]["R-09b"] == "9994-12-30"


def test_due_shows_the_period_that_it_counts_by(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """Until a version takes effect the table shows the period before it, as the cut-off beside it does (GV-02)."""
    shorten_inquiries(directory)

    for day, period, cut_off in (("2027-01-31", "3 years", "2024-01-30"), ("2027-02-01", "2 years", "2025-01-31")):
        [row] = [
            line for line in run(capsys, "due", "--on", day, "--directory", directory)[1].splitlines() if "R-05" in line
        ]
        assert row.split()[-3:] == [*period.split(), cut_off]


@pytest.mark.parametrize("command", [["check"], ["due", "--on", "2031-05-11"], ["render"], ["ropa"]])
@pytest.mark.parametrize("place", ["nowhere", "settings.toml"])
def test_what_is_no_directory_is_wrong_use(
    capsys: pytest.CaptureFixture[str], directory: Path, command: list[str], place: str
) -> None:
    """A mistyped --directory, or a file, is told as that and not as a policy without its twelve files."""
    code, out, err = run(capsys, *command, "--directory", directory / place)

    assert (code, out) == (ExitCode.USAGE, "")
    assert "there is no such directory" in err


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


def test_diff_shows_words_that_changed(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """What the text promises in words and no value has is before and after in a notice too (제21조, GV-02)."""
    replace(directory / "text" / "ko" / "1-collection.j2", "최소한의 개인정보만을", "개인정보를")
    (directory / "text" / "ko" / "more.j2").write_text("더\n", encoding="utf-8")
    told = as_json(capsys, "diff", ROOT / "policy", directory)["changes"]

    assert [(each["file"], each["key"]) for each in told] == [
        ("text/ko/1-collection.j2", "line 6"), ("text/ko/more.j2", "line 1"),
    ]  # fmt: skip
    assert "최소한의 개인정보만을" in told[0]["before"]
    assert "필요한 개인정보를" in told[0]["after"]
    assert (told[1]["before"], told[1]["after"]) == ("", "더")


def test_diff_shows_what_a_setting_does(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """A fact about the owner that shortens a published period stands in the notice, with the period (R-11, GV-02)."""
    replace(directory / "settings.toml", 'value = "financial_institution"', 'value = "auxiliary"')
    told = as_json(capsys, "diff", ROOT / "policy", directory)["changes"]

    assert [(each["key"], each["before"], each["after"]) for each in told] == [
        ("electronic_finance_role.value", "financial_institution", "auxiliary"),
        ("categories.R-11.period", "5 years", "3 years"),
    ]


def test_diff_compares_versions(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """Two versions of one policy: the periods that changed between them."""
    shorten_inquiries(directory)
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
    """Neither a directory nor a version is wrong use, and so is one of each; one version does not differ from itself."""
    code, _, err = run(capsys, "diff", "1", "7")

    assert code == ExitCode.USAGE
    assert "neither a directory nor a version; the policy has: 1" in err
    code, _, err = run(capsys, "diff", "1", ROOT / "policy")
    assert code == ExitCode.USAGE
    assert "give two versions, or two directories" in err
    assert run(capsys, "diff", "1", "1")[1] == "no period differs\n"


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


def test_diff_names_a_template_that_is_no_text(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """A mark that an editor puts before the text is none of its words."""
    page = directory / "text" / "html.j2"
    page.write_bytes(b"\xef\xbb\xbf" + page.read_bytes())
    assert run(capsys, "diff", ROOT / "policy", directory)[:2] == (0, "no difference\n")
    page.write_bytes(b"\xff")
    code, _, err = run(capsys, "diff", ROOT / "policy", directory)
    assert code == ExitCode.CHECK_FAILED
    assert "html.j2 is not UTF-8" in err

"""`onggi policy render` and `ropa`: what is written for readers, and for those who keep records of processing."""

import shutil
from pathlib import Path

import pytest

from cli.exit_codes import ExitCode
from tests.unit.policy_command import as_json, change_inquiries, replace, run
from tests.unit.policy_documents import DOCUMENTS, ROOT


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the policy that can be changed."""
    return Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONGGI_POLICY_DIRECTORY", raising=False)


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


def test_render_writes_what_is_shown_for_a_consent(capsys: pytest.CaptureFixture[str]) -> None:
    """The portal takes the text of a consent from the same data (법 제15조 제2항, GV-05)."""
    code, text, _ = run(capsys, "render", "--consent", "inquiry_retention")

    assert code == ExitCode.OK
    assert "상담 처리 완료일부터 3년" in text
    assert as_json(capsys, "render", "--consent", "marketing", "--lang", "en")["text"].startswith("I agree")
    for wrong in (["--consent", "letters"], ["--consent", "marketing", "--html"]):
        assert run(capsys, "render", *wrong)[:2] == (ExitCode.USAGE, "")


@pytest.mark.parametrize(
    ("name", "slip", "told"),
    [
        ("ko/6-rights.j2", ("pages.change ", "pages.chonge "), "line 11: 'dict object' has no attribute 'chonge'"),
        ("en/8-safeguards.j2", ("endfor", "endfir"), "line 10: Encountered unknown tag 'endfir'"),
        ("en/6-rights.j2", ("within(right.days)", "within()"), "line 25: "),
    ],
)
def test_a_text_that_cannot_be_made_is_told(
    capsys: pytest.CaptureFixture[str], directory: Path, name: str, slip: tuple[str, str], told: str
) -> None:
    """A slip in a template is a fault of the policy, with file and line, and no defect of the program (GV-01)."""
    replace(directory / "text" / name, *slip)
    code, out, err = run(capsys, "check", "--directory", directory)

    assert (code, err, len(out.splitlines())) == (ExitCode.CHECK_FAILED, "", 1)
    assert out.startswith(f"text/{name}: {told}")
    code, out, err = run(capsys, "render", "--lang", name[:2], "--directory", directory)
    assert (code, out) == (ExitCode.CHECK_FAILED, "")
    assert f"the text is refused: text/{name}: {told}" in err


def test_a_template_that_is_gone_is_told(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """It is named, and the commands that need no text still work."""
    (directory / "text" / "ko" / "9-contacts.j2").unlink()

    assert run(capsys, "check", "--directory", directory)[:2] == (
        ExitCode.CHECK_FAILED, "text/ko/9-contacts.j2: is missing\n",
    )  # fmt: skip
    assert run(capsys, "due", "--on", "2031-05-11", "--directory", directory)[0] == ExitCode.OK


def test_a_template_in_another_encoding_is_told_by_its_own_name(
    capsys: pytest.CaptureFixture[str], directory: Path
) -> None:
    """The file of macros is at fault, and not the text that asks for it."""
    page = directory / "text" / "html.j2"
    lines = len(page.read_text(encoding="utf-8").splitlines())
    page.write_bytes(page.read_bytes() + "{# 가 #}\n".encode("euc-kr"))

    told = f"text/html.j2: line {lines + 1}: is not UTF-8\n"
    assert run(capsys, "check", "--directory", directory)[:2] == (ExitCode.CHECK_FAILED, told)


def test_the_mark_of_utf8_is_no_part_of_the_text(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """Editors of Windows put it before a template; the published text begins with its heading all the same."""
    for file in (directory / "text").rglob("*.j2"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    for command in (["render"], ["render", "--html"], ["render", "--consent", "marketing"]):
        assert run(capsys, *command, "--directory", directory) == run(capsys, *command)


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


def test_ropa_leaves_nothing_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Each item has people, purposes and, unless it is a gap, a limit; each purpose of ours somebody who acts (GL-01)."""
    told = as_json(capsys, "ropa")

    assert told["effective_on"] == "2023-06-09"
    assert set(told["items"]) == set(DOCUMENTS["collection"]["items"])
    for name, item in told["items"].items():
        assert item["data_subjects"], name
        assert item["purposes"], name
        assert item["categories"] or item["gap"], name
    for name, purpose in told["purposes"].items():
        assert purpose["recipients"], name
        assert purpose["kind"] == "duty" or purpose["categories"], name
        assert bool(purpose["items"]) == bool(purpose["data_subjects"]), name
    assert {item for each in told["purposes"].values() for item in each["items"]} == set(told["items"])
    assert len(told["categories"]) == 31
    assert {name for name, each in told["categories"].items() if not each["in_force"]} == {"R-25"}
    assert told["provision"]["to"] == told["transfers"] == []
    assert len(told["provision"]["only_where"]) == 3
    assert all(each["met_by"] or each["gap"] for each in told["measures"].values())
    assert told["processors"]["naver_cloud"]["url"] == "https://www.fin-ncloud.com"


def test_ropa_is_of_the_version_that_it_names(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    """Files with a version that is announced for later describe that version, and the record says which (GV-02)."""
    with (directory / "versions.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[[versions]]\nid = "2"\nannounced_on = 2098-01-01\neffective_on = 2099-01-01\nmateriality = "minor"\n'
            'changes = "문구 수정"\nchanges_english = "wording"\nsource = "a paper"\nconsents = []\nchanged = []\n'
        )
    told = as_json(capsys, "ropa", "--directory", directory)

    assert (told["policy_version"], told["effective_on"]) == ("2", "2099-01-01")

"""The command's files and pipes are UTF-8, under whichever locale a cron job or another program starts it."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from cli.exit_codes import ExitCode
from tests.unit.policy_documents import ROOT

LOCALES: tuple[Mapping[str, str], ...] = (
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "euc-kr"},
)

each_locale = pytest.mark.parametrize("locale", LOCALES, ids=lambda each: "-".join(each.values()))


def onggi(locale: Mapping[str, str], *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, with pipes and nothing of this environment."""
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}", **locale}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=environment,
        cwd=ROOT,
        input=given,
        capture_output=True,
        check=False,
    )


@each_locale
@pytest.mark.parametrize("command", [["render"], ["ropa", "--json"], ["due", "--on", "2031-05-11"]])
def test_what_is_written_is_utf8(locale: Mapping[str, str], command: list[str]) -> None:
    """The Korean text arrives whole, and JSON parses."""
    done = onggi(locale, "policy", *command)
    text = done.stdout.decode()

    assert (done.returncode, done.stderr) == (ExitCode.OK, b"")
    assert ("회원 정보" if command[0] == "due" else "코스콤 클라우드") in text
    assert "--json" not in command or json.loads(text)


@each_locale
def test_what_is_read_is_utf8(locale: Mapping[str, str]) -> None:
    """A record in another encoding is refused, and not stored as other letters than were meant."""
    command = ["--as", "portal", "record", "append", "-", "--purpose", "membership"]
    line = '{"inquiry": {"body": "가나다"}}\n'

    refused = onggi(locale, *command, given=line.encode("euc-kr"))
    assert (refused.returncode, refused.stderr.strip()) == (ExitCode.USAGE, b"onggi: the input is not UTF-8")
    taken = onggi(locale, *command, given=line.encode())
    assert b"no configuration" in taken.stderr, "it was read, and the next thing is missing"


@each_locale
def test_a_list_of_members_in_another_encoding_is_no_defect(locale: Mapping[str, str]) -> None:
    """An export of a spreadsheet as UTF-16 is wrong use, and nothing of it is asked for."""
    command = ["--as", "billing", "token", "export", "--purpose", "billing"]

    refused = onggi(locale, *command, given="0198c0de-0000-7000-8000-00000000000a\n".encode("utf-16"))
    assert (refused.returncode, refused.stderr.strip()) == (ExitCode.USAGE, b"onggi: standard input is not UTF-8")


@pytest.mark.parametrize(
    "command",
    [
        ["record", "append", "-", "--purpose", "membership"],
        ["token", "add-card", "x", "--purpose", "billing", "--json", "-"],
        ["token", "export", "--purpose", "billing"],
        ["reveal", "request", "-", "--purpose", "billing", "--reason", "charging"],
    ],
    ids=" ".join,
)
def test_the_mark_of_utf8_is_read_over(command: list[str]) -> None:
    """Editors of Windows put it there: it is part of neither the first line nor a password."""
    given = {
        "record": '{"member_id": "0198c0de-0000-7000-8000-00000000000a"}',
        "token": "{}" if "--json" in command else "0198c0de-0000-7000-8000-00000000000a",
        "reveal": '{"member_id": "x", "token": "y"}',
    }[command[0]]

    taken = onggi(LOCALES[0], *command, given=f"\ufeff{given}\r\n".encode())
    assert b"no configuration" in taken.stderr, "it was read, and the next thing is missing"

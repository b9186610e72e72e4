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

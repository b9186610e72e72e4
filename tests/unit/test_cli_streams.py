"""The command where its streams are not what they mostly are: closed, full, or interrupted before it has begun."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.exit_codes import ExitCode
from tests.unit.policy_documents import ROOT

FULL = Path("/dev/full")


def onggi(words: str, redirection: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run the command by a shell, which redirects its streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m cli {words} {redirection}', sys.executable],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}"},
        cwd=ROOT,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "redirection", "code"),
    [
        ("policy check", ">&-", ExitCode.OK),
        ("policy check --directory nowhere", "2>&-", ExitCode.USAGE),
        ("member withdraw x --purpose support", "<&-", ExitCode.USAGE),  # no configuration; nobody to ask is no defect
    ],
)
def test_a_closed_stream_is_an_empty_one(words: str, redirection: str, code: ExitCode) -> None:
    """Who starts the command without a stream gets its exit code, and no traceback."""
    done = onggi(words, redirection)

    assert (done.returncode, b"Traceback" in done.stderr, b"defect" in done.stderr) == (code, False, False)


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "words", ["policy check", "policy render", "policy render --consent marketing", "--json policy ropa"]
)
def test_a_full_disk_is_no_defect(words: str) -> None:
    """The file that the output goes to cannot be written, and that is told as for --out."""
    done = onggi(words, f"> {FULL}")

    assert done.returncode == ExitCode.USAGE
    assert b"cannot write the output: No space left on device" in done.stderr


def test_an_interrupt_before_the_beginning_is_silent(tmp_path: Path) -> None:
    """While the program loads Ctrl-C ends it by its signal, 130 to a shell, without a traceback."""
    slow = "import time; print('loading', flush=True); time.sleep(60)"
    (tmp_path / "typer.py").write_text(slow)
    command = subprocess.Popen(
        [sys.executable, "-m", "cli", "policy", "check"],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}:{ROOT / 'gen'}"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    assert command.stdout.readline() == b"loading\n"
    command.send_signal(signal.SIGINT)
    _, told = command.communicate(timeout=30)

    assert (command.returncode, told) == (-signal.SIGINT, b"")

"""Runs `onggi policy …` without a network, and changes a copy of the policy that it is run on."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from cli.exit_codes import ExitCode


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

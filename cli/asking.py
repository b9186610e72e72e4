"""What the operator types or pipes in.

Secrets and numbers never come from the command line, where the shell history and the process list would keep them.
"""

import json
import sys
from pathlib import Path

import typer

from cli.failures import CheckError, UsageError

STDIN = "-"
MARK = "\ufeff"
"""The byte order mark, once it is decoded."""


def json_fields(file: str | None, known: tuple[str, ...]) -> dict[str, str]:
    """The texts of a flat JSON object from a file, or from standard input for `-`; {} for None.

    Raises UsageError that names the known keys, never what stands in the file.
    """
    if file is None:
        return {}
    try:
        document = json.loads(text(file))
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError("the --json file is not JSON") from error
    fine = isinstance(document, dict) and all(key in known and isinstance(document[key], str) for key in document)
    if not fine:
        raise UsageError(f"the --json file wants one object of texts with keys of: {', '.join(known)}")
    return {key: str(value) for key, value in document.items()}


def text(file: str) -> str:
    """The content of a file, or of standard input for `-`, without the mark that editors of Windows put before UTF-8.

    Raises UsageError.
    """
    try:
        content = sys.stdin.read() if file == STDIN else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError("the input is not UTF-8") from error
    return content.removeprefix(MARK)


def secret_file(file: str) -> str:
    """The content of a file, or of standard input for `-`, without its last line end."""
    return text(file).removesuffix("\n").removesuffix("\r")


def hidden(label: str, instead: str, *, twice: bool = False) -> str:
    """Asks a person for a value without showing it. Raises UsageError, naming `instead`, when nobody is there."""
    if not sys.stdin.isatty():
        raise UsageError(f"nobody to ask for {label}: use {instead}")
    return str(typer.prompt(label, hide_input=True, confirmation_prompt=twice, err=True))


def confirm(question: str) -> None:
    """Asks yes or no. Raises CheckError for no, UsageError when nobody is there."""
    if not sys.stdin.isatty():
        raise UsageError("nobody to ask for confirmation: use --yes")
    if not typer.confirm(question, err=True):
        raise CheckError("not confirmed; nothing was done")


def confirm_if_person(question: str, *, yes: bool) -> None:
    """Asks yes or no where a person sits at the terminal; a script has made up its mind. Raises CheckError for no."""
    if not yes and sys.stdin.isatty():
        confirm(question)

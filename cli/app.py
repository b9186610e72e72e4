"""Puts the commands together and turns every ending into an exit code and a word for the operator."""

from collections.abc import Sequence

import typer

from cli import (
    archive,
    certificate,
    command,
    consent,
    error_view,
    hold,
    keys,
    log,
    member,
    policy,
    purge,
    record,
    reveal,
    token,
)
from cli.command import with_session
from cli.exit_codes import MEANINGS, ExitCode
from cli.explain import explain
from cli.failures import CheckError, UsageError

_HELP = """Onggi: personal data that is kept exactly as long as it should be.

Every call states a purpose and goes into the processing log. Exit codes:

\b
""" + "\n".join(f"{code:>3d}  {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, and those hold what was typed in
    rich_markup_mode="rich",
)
app.callback(help=_HELP)(command.root)
app.add_typer(member.commands, name="member")
app.add_typer(consent.commands, name="consent")
app.add_typer(record.commands, name="record")
app.add_typer(token.commands, name="token")
app.add_typer(reveal.commands, name="reveal")
app.command("explain")(with_session()(explain))
app.add_typer(archive.commands, name="archive")
app.add_typer(hold.commands, name="hold")
app.add_typer(purge.commands, name="purge")
app.add_typer(certificate.commands, name="certificate")
app.add_typer(keys.commands, name="keys")
app.add_typer(log.commands, name="log")
app.add_typer(policy.commands, name="policy")


def main(arguments: Sequence[str]) -> int:
    """Run one command line. Returns the exit code (cli/exit_codes.py); errors are on standard error."""
    try:
        code = app(list(arguments), prog_name="onggi", standalone_mode=False)
    except typer.Abort:
        error_view.show(CheckError("no answer; nothing was done"), as_json=False)
        return ExitCode.CHECK_FAILED
    except typer.TyperException as error:
        error_view.show(UsageError(_wrong_use(error)), as_json=False)
        return ExitCode.USAGE
    return code if isinstance(code, int) else ExitCode.OK


def _wrong_use(error: typer.TyperException) -> str:
    """What is wrong with the command line, without repeating a value: it may be a number that should not be there."""
    where = getattr(getattr(error, "ctx", None), "command_path", "onggi")
    if isinstance(error, typer.BadParameter) and error.message and error.param is not None:
        problem = f"invalid value for {error.param.get_error_hint()}"
    elif isinstance(error, typer.BadParameter) or hasattr(error, "option_name"):  # these name options, not values
        problem = error.format_message().rstrip(".")
    elif type(error).__name__ == "NoArgsIsHelpError":
        problem = "a command is missing"
    else:
        problem = "unexpected argument or unknown command"
    return f"{problem}; see {where} --help"

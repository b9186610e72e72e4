"""Gives a command its session, and the options that all commands share, before and after the command's name.

`onggi --json member get …` and `onggi member get … --json` mean the same; what stands last wins.
"""

import errno
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli import error_view
from cli.exit_codes import ExitCode
from cli.failures import CommandError, UsageError
from cli.session import Options, Session

_PANEL: Final = "Shared options"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The disk is full, or what this user may have of it."""

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The configuration (cli.toml).", rich_help_panel=_PANEL)
]
ConfigOrEnvironment = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="ONGGI_CLI_CONFIG",
        help="The configuration (cli.toml).",
        rich_help_panel=_PANEL,
    ),
]
As = Annotated[
    str | None, typer.Option("--as", metavar="CALLER", help="Whose client certificate to use.", rich_help_panel=_PANEL)
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.", rich_help_panel=_PANEL)]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0.001, max=600, help="Seconds a call may take.", rich_help_panel=_PANEL)
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Show the trace id and the ids of the log entries.", rich_help_panel=_PANEL)
]

_SHARED: Final[tuple[tuple[str, Any, Any], ...]] = (
    ("config", Config, None),
    ("caller", As, None),
    ("json", Json, False),
    ("timeout", Timeout, None),
    ("verbose", Verbose, False),
)


def root(
    context: typer.Context,
    *,
    config: ConfigOrEnvironment = None,
    caller: As = None,
    json: Json = False,
    timeout: Timeout = None,
    verbose: Verbose = False,
) -> None:
    """Keeps the options that stand before the command's name."""
    context.obj = Options(config, caller, json, timeout, verbose)


def with_session(*, json_flag: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a typer command of a function whose first parameter is a Session.

    `json_flag=False` leaves `--json` to the function, which reads a file by it; the flag stands before the command.
    """
    shared = [entry for entry in _SHARED if json_flag or entry[0] != "json"]

    def decorate(run: Callable[..., None]) -> Callable[..., None]:
        def command(context: typer.Context, **values: object) -> None:
            own = {name: values.pop(name) for name, _, _ in shared}
            with Session(_merged(context.obj or Options(), own)) as session:
                _run(session, lambda: run(session, **values))

        _, *parameters = inspect.signature(run, eval_str=True).parameters.values()
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, kind, default in shared
        ]
        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        signature = inspect.Signature([context, *keyword, *added])
        command.__signature__ = signature  # type: ignore[attr-defined]
        command.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
        command.__name__, command.__doc__ = run.__name__, run.__doc__
        return command

    return decorate


def _run(session: Session, work: Callable[[], None]) -> None:
    """Shows how the work failed, in words or as JSON, and ends the command with the failure's exit code."""
    try:
        work()
    except CommandError as failure:
        error_view.show(failure, as_json=session.options.json)
        raise typer.Exit(failure.exit_code) from None
    except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the last place: nothing may print a traceback with values in it
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            error_view.show(UsageError(f"cannot write the output: {error.strerror}"), as_json=session.options.json)
            raise typer.Exit(ExitCode.USAGE) from None
        error_view.show_defect(error, as_json=session.options.json)
        raise typer.Exit(ExitCode.INTERNAL) from None


def _merged(before: Options, after: Mapping[str, Any]) -> Options:
    return Options(
        config=after["config"] or before.config,
        caller=after["caller"] or before.caller,
        json=after.get("json", False) or before.json,
        timeout=after["timeout"] or before.timeout,
        verbose=after["verbose"] or before.verbose,
    )

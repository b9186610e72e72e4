"""`onggi hold`: what must not be destroyed although its time has come, because an authority wants it kept (보존 조치)."""

import typer

from cli import hold_change, hold_read
from cli.command import with_session

commands = typer.Typer(help="Legal holds (보존 조치): place, approve, review, release.", no_args_is_help=True)

commands.command("place")(with_session()(hold_change.place))
commands.command("approve")(with_session()(hold_change.approve))
commands.command("review")(with_session()(hold_change.review))
commands.command("release")(with_session()(hold_change.release))
commands.command("list")(with_session()(hold_read.list_holds))
commands.command("show")(with_session()(hold_read.show))

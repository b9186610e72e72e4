"""`onggi reveal`: reveals of many, for which a second person stands, and what becomes of who reveals a trap."""

import typer

from cli import reveal_approval, reveal_traps
from cli.command import with_session

commands = typer.Typer(help="Reveals of many: approvals, honey tokens, suspensions.", no_args_is_help=True)

commands.command("request")(with_session()(reveal_approval.request))
commands.command("list")(with_session()(reveal_approval.list_requests))
commands.command("approve")(with_session()(reveal_approval.approve))
commands.command("honey")(with_session()(reveal_traps.honey))
commands.command("lift")(with_session()(reveal_traps.lift))

"""`onggi member`: the members (금융기관 회원)."""

import typer

from cli import member_read, member_write
from cli.command import with_session

commands = typer.Typer(help="Members (금융기관 회원) and what belongs to them.", no_args_is_help=True)

commands.command("register")(with_session(json_flag=False)(member_write.register))
commands.command("get")(with_session()(member_read.get))
commands.command("find")(with_session()(member_read.find))
commands.command("update")(with_session(json_flag=False)(member_write.update))
commands.command("withdraw")(with_session()(member_write.withdraw))
commands.command("contacts")(with_session()(member_read.contacts))
commands.command("logins")(with_session()(member_read.logins))

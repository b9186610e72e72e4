"""`onggi policy`: the published policy as data: whether it holds, what is due, how it reads, and who must be asked again.

All but the last works without a network.
"""

import typer

from cli import policy_check, policy_diff, policy_due, policy_reconsent, policy_render, policy_ropa
from cli.command import with_session

commands = typer.Typer(help="The privacy policy (개인정보처리방침), as data.", no_args_is_help=True)

commands.command("check")(with_session()(policy_check.check))
commands.command("due")(with_session()(policy_due.due))
commands.command("render")(with_session()(policy_render.render))
commands.command("diff")(with_session()(policy_diff.diff))
commands.command("ropa")(with_session()(policy_ropa.ropa))
commands.command("reconsent")(with_session()(policy_reconsent.reconsent))

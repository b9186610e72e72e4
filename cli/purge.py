"""`onggi purge`: destruction (파기), from the plan to the certificate."""

import typer

from cli import purge_plan, purge_run
from cli.command import with_session

commands = typer.Typer(help="Destruction (파기): plan, approval, run, certificate.", no_args_is_help=True)

commands.command("plan")(with_session()(purge_plan.plan))
commands.command("list")(with_session()(purge_plan.list_plans))
commands.command("show")(with_session()(purge_plan.show))
commands.command("approve")(with_session()(purge_plan.approve))
commands.command("run")(with_session()(purge_run.run))
commands.command("watch")(with_session()(purge_run.watch_plan))
commands.command("certificate")(with_session()(purge_run.certificate))

"""`onggi token`: cards, accounts and cash-receipt identifiers, and the tokens that stand for them."""

import typer

from cli import token_add, token_export, token_import, token_read
from cli.command import with_session

commands = typer.Typer(
    help="Tokens of cards (신용카드), bank accounts (계좌) and cash receipts (현금영수증).", no_args_is_help=True
)

commands.command("add-card")(with_session(json_flag=False)(token_add.add_card))
commands.command("add-account")(with_session(json_flag=False)(token_add.add_account))
commands.command("add-receipt")(with_session(json_flag=False)(token_add.add_receipt))
commands.command("show")(with_session()(token_read.show))
commands.command("list")(with_session()(token_read.list_tokens))
commands.command("reissue")(with_session()(token_read.reissue))
commands.command("import")(with_session()(token_import.import_tokens))
commands.command("export")(with_session(json_flag=False)(token_export.export))
commands.command("delete")(with_session()(token_read.delete))
commands.command("reveal")(with_session()(token_read.reveal))

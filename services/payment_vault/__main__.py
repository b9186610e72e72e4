"""The payment vault: ``python -m services.payment_vault`` serves, ``… migrate`` migrates.

``… spans`` sends the access spans, as a process beside the one that serves.
"""

import sys
from pathlib import Path

from chassis.program import read_settings, serve
from chassis.settings import MigrationSettings


def main(arguments: list[str]) -> None:
    """Do what is asked."""
    match arguments:
        case []:
            from services.payment_vault import process
            from services.payment_vault.settings import Settings

            serve(Settings, process.serve)
        case ["migrate"]:
            from chassis.migrate import upgrade

            upgrade(read_settings(MigrationSettings).database, Path(__file__).parent / "migrations")
        case ["spans"]:
            from chassis.span_process import export_spans

            export_spans("payment_vault")
        case _:
            sys.exit("usage: python -m services.payment_vault [migrate | spans]")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The payment vault: ``python -m services.payment_vault`` serves, ``… migrate`` migrates.

``… spans`` sends the access spans, as a process beside the one that serves.
"""

import sys
from pathlib import Path

from chassis.program import run
from chassis.settings import MigrationSettings, refuse_unknown_names


def main(arguments: list[str]) -> None:
    """Do what is asked. Raises pydantic's ValidationError, which names a missing setting and prints no value."""
    match arguments:
        case []:
            from services.payment_vault import process
            from services.payment_vault.settings import Settings

            refuse_unknown_names(Settings)
            settings = Settings()
            run(lambda: process.serve(settings), settings.log_level)
        case ["migrate"]:
            from chassis.migrate import upgrade

            upgrade(MigrationSettings().database, Path(__file__).parent / "migrations")
        case ["spans"]:
            from chassis.span_process import export_spans

            export_spans("payment_vault")
        case _:
            sys.exit("usage: python -m services.payment_vault [migrate | spans]")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The identity service: ``python -m services.identity`` serves, ``python -m services.identity migrate`` migrates.

``spans`` sends the access spans, as a process beside the one that serves. ``archive``, ``archive-migrate`` and
``archive-spans`` do the same for the archive: the same program in other processes, under another identity.
"""

import sys
from pathlib import Path

from chassis.program import read_settings, serve
from chassis.settings import MigrationSettings

HERE = Path(__file__).parent


def main(arguments: list[str]) -> None:
    """Do what is asked."""
    match arguments:
        case []:
            from services.identity import process
            from services.identity.settings import Settings

            serve(Settings, process.serve)
        case ["archive"]:
            from services.identity.archive import process as archive
            from services.identity.archive.settings import Settings as ArchiveSettings

            serve(ArchiveSettings, archive.serve)
        case ["migrate" | "archive-migrate" as which]:
            from chassis.migrate import upgrade

            upgrade(
                read_settings(MigrationSettings).database,
                HERE / ("migrations" if which == "migrate" else "archive_migrations"),
            )
        case ["spans" | "archive-spans" as which]:
            from chassis.span_process import export_spans

            export_spans("identity" if which == "spans" else "archive")
        case _:
            sys.exit("usage: python -m services.identity [migrate | spans | archive | archive-migrate | archive-spans]")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Runs a service's migrations: its own program with the owner's login, once, before the service starts."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dev.environment import ROOT, migration
from dev.processes import ProcessFailed

_SECONDS: Final = 120.0
_TAIL_LINES: Final = 25


def migrate(service: str, environment: Mapping[str, str], log_file: Path) -> None:
    """Run a service's migrations to their end; its output is appended to `log_file`.

    Raises:
        ProcessFailed: it ended with an error, or not within two minutes; the text has the end of its log.

    """
    with log_file.open("ab") as log:
        try:
            status = subprocess.run(
                migration(service),
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                timeout=_SECONDS,
            ).returncode
        except subprocess.TimeoutExpired:
            status = None
    if status != 0:
        how = "not finished in time" if status is None else f"exit status {status}"
        tail = "\n".join(log_file.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise ProcessFailed(f"migrations of {service}: {how}\n--- {log_file}\n{tail}")

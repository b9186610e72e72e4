"""OpenBao's file audit, turned off and on while it runs: the declared device is taken out of its configuration."""

import os
import signal
import time
from typing import Final

from dev.stack import Stack

_STANZA: Final = 'audit "file"'
_PATIENCE_SECONDS: Final = 10.0


class FileAudit:
    """The audit device of a stack's OpenBao."""

    def __init__(self, stack: Stack) -> None:
        self._openbao = stack.openbao
        self._file = stack.openbao.storage_directory.parent / "server.hcl"
        self._declared = self._file.read_text()
        self._on = True

    def turn(self, *, on: bool) -> None:
        """Have it on or off. Raises RuntimeError when OpenBao does not follow."""
        if on == self._on:
            return
        self._file.write_text(self._declared if on else self._declared[: self._declared.index(_STANZA)])
        os.kill(self._openbao.process.pid, signal.SIGHUP)
        client, patience = self._openbao.client(), time.monotonic() + _PATIENCE_SECONDS
        while bool(client.sys.list_enabled_audit_devices()["data"]) != on:
            if time.monotonic() > patience:
                raise RuntimeError("OpenBao keeps its audit as it was")
            time.sleep(0.05)
        self._on = on

"""Ports of the stack: free-chosen once, remembered, and the same again after a restart while they are free.

They are taken from below the kernel's ephemeral range, so that no outgoing connection can sit on the port of a service
that is being restarted. `ONGGI_DEV_<NAME>_PORT` fixes one of them.
"""

import json
import os
import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

HOST: Final = "127.0.0.1"
_LOWEST: Final = 11_000
_HIGHEST: Final = 31_999  # Linux hands out 32768 and up to outgoing connections
_ATTEMPTS: Final = 200


class NoFreePort(RuntimeError):
    """A port that was asked for is taken, or none was found."""


@dataclass(frozen=True)
class Ports:
    """Port numbers by name, such as `identity`, `identity_health`, `openbao`."""

    numbers: Mapping[str, int]

    @classmethod
    def choose(cls, names: Iterable[str], remembered: Path) -> Self:
        """Choose a port for each name and write the choice to `remembered` (JSON, name -> number).

        Raises:
            NoFreePort: a port fixed by the environment is taken, or no free one was found.

        """
        earlier: dict[str, int] = json.loads(remembered.read_text()) if remembered.exists() else {}
        chosen: dict[str, int] = {}
        for name in names:
            fixed = os.environ.get(f"ONGGI_DEV_{name.upper()}_PORT")
            if fixed is not None and not is_free(int(fixed)):
                raise NoFreePort(f"ONGGI_DEV_{name.upper()}_PORT={fixed}: the port is taken")
            wanted = int(fixed) if fixed is not None else earlier.get(name)
            taken = set(chosen.values())
            chosen[name] = wanted if wanted and wanted not in taken and is_free(wanted) else _any_free(taken)
        remembered.write_text(json.dumps(earlier | chosen, indent=2) + "\n")
        return cls(chosen)

    def address(self, name: str) -> str:
        """`host:port` of a name."""
        return f"{HOST}:{self.numbers[name]}"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free to a server
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _any_free(taken: set[int]) -> int:
    for _ in range(_ATTEMPTS):
        port = random.randint(_LOWEST, _HIGHEST)
        if port not in taken and is_free(port):
            return port
    raise NoFreePort(f"no free port found between {_LOWEST} and {_HIGHEST}")

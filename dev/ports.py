"""Ports of the stack: a block of its own, claimed while it runs, the same again after a restart while it is free.

Each chooser claims a block of ports by keeping the first of them bound, so that the kernel gives no block to two of
them at once and takes the claim back when its owner ends, however that ends: a port that is chosen and not served yet
is nobody else's. Blocks lie outside the kernel's ephemeral range, so that no outgoing connection can sit on the port of
a service that is being restarted. `ONGGI_DEV_<NAME>_PORT` fixes one port, inside a block or not.
"""

import errno
import json
import os
import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

HOST: Final = "127.0.0.1"
BLOCK: Final = 32  # ports; the first of them is the claim
_LOWEST: Final = 11_000
_END: Final = 65_536
_USUAL_EPHEMERAL: Final = (32_768, 60_999)
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


class NoFreePort(RuntimeError):
    """A port that was asked for is taken, or none was found."""


@dataclass(frozen=True)
class Ports:
    """Port numbers by name, such as `identity`, `identity_health`, `openbao`, and the claim that keeps them ours."""

    numbers: Mapping[str, int]
    claim: socket.socket | None = field(default=None, repr=False)

    @classmethod
    def choose(cls, names: Iterable[str], remembered: Path) -> Self:
        """Choose a port for each name and write the choice to `remembered` (JSON, name -> number).

        Raises:
            NoFreePort: a port fixed by the environment is taken, or no free block was found.

        """
        wanted = list(names)
        fixed = {name: int(text) for name in wanted if (text := os.environ.get(f"ONGGI_DEV_{name.upper()}_PORT"))}
        for name, port in fixed.items():
            if not is_free(port):
                raise NoFreePort(f"ONGGI_DEV_{name.upper()}_PORT={port}: the port is taken")
        earlier: dict[str, int] = json.loads(remembered.read_text()) if remembered.exists() else {}
        claim, found = _claimed([name for name in wanted if name not in fixed], earlier, set(fixed.values()))
        chosen = found | fixed
        remembered.write_text(json.dumps(earlier | chosen, indent=2) + "\n")
        return cls({name: chosen[name] for name in wanted}, claim)

    def address(self, name: str) -> str:
        """`host:port` of a name."""
        return f"{HOST}:{self.numbers[name]}"

    def close(self) -> None:
        """Leave the block to others."""
        if self.claim is not None:
            self.claim.close()


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free to a server
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def blocks(ephemeral: tuple[int, int]) -> range:
    """First ports of the blocks that lie outside an ephemeral range (first and last port): below it, else above it.

    Where the range leaves no room (1024 to 65535), the blocks are those below Linux's usual range.
    """
    first, last = ephemeral
    below = _whole_blocks(_LOWEST, first)
    return below or _whole_blocks(last + 1, _END) or _whole_blocks(_LOWEST, _USUAL_EPHEMERAL[0])


def _whole_blocks(start: int, end: int) -> range:
    return range(-(-start // BLOCK) * BLOCK, end - BLOCK + 1, BLOCK)


def _ephemeral() -> tuple[int, int]:
    try:
        first, last = _EPHEMERAL.read_text().split()
    except OSError:  # no Linux
        return _USUAL_EPHEMERAL
    return int(first), int(last)


def _claimed(names: list[str], earlier: Mapping[str, int], taken: set[int]) -> tuple[socket.socket, dict[str, int]]:
    """Claim the block of earlier ports if it can be had, else another with a free port for each name."""
    usual = dict.fromkeys(earlier[name] // BLOCK * BLOCK for name in names if name in earlier)
    others = blocks(_ephemeral())
    for first in [*usual, *random.sample(others, len(others))]:
        claim = _claim(first)
        if claim is None:
            continue
        free = [port for port in range(first + 1, first + BLOCK) if port not in taken and is_free(port)]
        kept = {name: earlier[name] for name in names if earlier.get(name) in free}
        left = [port for port in free if port not in kept.values()]
        new = [name for name in names if name not in kept]
        if len(left) >= len(new):
            return claim, kept | dict(zip(new, left, strict=False))
        claim.close()
    raise NoFreePort(f"no block of {BLOCK} ports has {len(names)} that are free")


def _claim(first: int) -> socket.socket | None:
    """Bind the first port of a block, without SO_REUSEADDR: one socket in the machine can have it so."""
    claim = socket.socket()
    try:
        claim.bind((HOST, first))
    except OSError as error:
        claim.close()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        return None
    return claim

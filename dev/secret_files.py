"""Secrets of the stack live in files that their owner alone may read (0600), from their first byte on."""

import os
import secrets
from pathlib import Path


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that nobody else could read at any moment, in one step: whole or not at all."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def password(path: Path) -> str:
    """The password in a file; made on first use, 256 bits, safe inside quotes."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text()

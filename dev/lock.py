"""One stack per directory: the kernel holds the lock, so that it ends with its owner, however that ends."""

import fcntl
import os
from pathlib import Path
from typing import BinaryIO


class DirectoryInUse(RuntimeError):
    """Another stack runs on this directory; the text names its pid."""


class DirectoryLock:
    """An exclusive lock on a file that holds the owner's pid."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._file: BinaryIO | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            DirectoryInUse: another process, or another stack of this one, has it.

        """
        file = self._path.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().decode(errors="replace").strip()
            file.close()
            raise DirectoryInUse(f"a stack runs on {self._path.parent} already (pid {owner})") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back; the file stays, because removing it would let two stacks lock two files of one name."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

"""How far an import has come, on disk: an import that is killed at any moment is taken up without loss or repetition.

A journal begins with the import's own random id, from which each batch has its request_id: the batch that nobody answered
is sent again under the same id and has the same tokens. A line is added when a batch's results are on disk; what the results
hold beyond it is cut off. Nothing personal stands here: ids, byte offsets, counts, and the names of the files of results.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from cli.failures import UsageError

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """What is done: batches, the file's byte and line behind the last, tokens and rejects, and the bytes of their files."""

    batch: int = 0
    offset: int = 0
    line: int = 0
    tokens: int = 0
    rejects: int = 0
    token_bytes: int = 0
    reject_bytes: int = 0
    complete: bool = False


class _Durable:
    """A file of the owner's alone, to whose end is added so that it lasts. Raises UsageError when it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            new = not path.exists()
            self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
            if new:
                _sync(path.parent)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from error

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)

    def _add(self, raw: bytes) -> None:
        try:
            self._file.write(raw)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class Journal(_Durable):
    """The journal of one import, locked while it is open. Use as a context manager.

    ``results``: the files that it cuts and adds to. Raises UsageError when another import holds it, or when it was begun with
    another file or for other results.
    """

    def __init__(self, path: Path, source: Path, batch_size: int, results: Sequence[Path] = ()) -> None:
        super().__init__(path)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another import is under way: {path} is locked") from None
        self.progress, self.batch_size, self._id = Progress(), batch_size, uuid.uuid4()
        stat = source.stat()
        file = {"version": _VERSION, "bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
        names = [os.path.relpath(os.path.realpath(each), os.path.realpath(path.parent)) for each in results]
        begun, last = self._read()
        if begun is None:
            self._line({**file, "batch_size": batch_size, "import_id": str(self._id), "results": names})
            return
        if {key: begun.get(key) for key in file} != file:
            raise UsageError(f"{path} belongs to another file, or the file has changed since its import was begun")
        if begun.get("results", names) != names:
            raise UsageError(f"the import of {path} was begun with another --out or --rejects")
        self.batch_size, self._id = int(begun["batch_size"]), uuid.UUID(begun["import_id"])
        if last is not None:
            self.progress = Progress(**{name: last[name] for name in asdict(self.progress)})

    def request_id(self, batch: int) -> str:
        """The request id of a batch, counted from 1: the same in every run of this import."""
        return str(uuid.uuid5(self._id, str(batch)))

    def record(self, progress: Progress) -> None:
        """Make it durable. What the line tells of must be so before."""
        self._line({**asdict(progress), "request_id": self.request_id(progress.batch)})
        self.progress = progress

    def _line(self, line: dict[str, Any]) -> None:
        self._add(json.dumps(line).encode() + b"\n")

    def _read(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The first line, and the last of the others. Half a line, begun in a moment that was the last, is cut off."""
        first = last = b""
        end = 0
        for raw in self._file:
            if not raw.endswith(b"\n"):
                break
            first, last, end = first or raw, raw if first else b"", end + len(raw)
        self._cut(end)
        try:
            return (json.loads(first) if first else None), (json.loads(last) if last else None)
        except ValueError:
            raise UsageError(f"{self.path} is not the journal of an import") from None


class Results(_Durable):
    """A file that results are added to, opened where the journal's last line left it; what lies behind is cut off."""

    def __init__(self, path: Path, size: int, header: str) -> None:
        super().__init__(path)
        if self._file.seek(0, os.SEEK_END) < size:
            raise UsageError(f"{path} is shorter than its journal says: import again, under another --out")
        self._cut(size)
        self.size = size
        if not size:
            self.add(header)

    def add(self, text: str) -> None:
        """Add, and make it durable."""
        if raw := text.encode():
            self._add(raw)
            self.size += len(raw)


def refuse_overwriting(source: Path, journal: Path, results: Sequence[Path]) -> None:
    """Refuse files of an import that are one and the same, and files that are there before it was begun.

    What it opens it cuts to what its journal says: without one to nothing. With one, the journal itself refuses files that it
    was not begun with. Raises UsageError.
    """
    if len({os.path.realpath(path) for path in (source, journal, *results)}) < 2 + len(results):
        raise UsageError("the file, --out, --rejects and the journal beside --out have to be different files")
    try:
        there = [] if journal.exists() else [path for path in results if path.exists() and path.stat().st_size]
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    if there:
        raise UsageError(f"{there[0]} is there already, and {journal} is not: give another --out or --rejects")


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

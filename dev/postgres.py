"""PostgreSQL 18 of the stack: durable, quiet about values, reached over a Unix socket alone.

Errors and statements carry values into the server's log by default; the settings below keep them out.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dev import postgres_home, postgres_roles
from dev.postgres_home import SOCKET_PORT
from dev.processes import Account, Process, ProcessFailed
from dev.secret_files import password

SUPERUSER: Final = "postgres"
_START_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.2
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_HBA: Final = "local all all scram-sha-256\n"
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "jit": "off",
    # durable: an acknowledged commit survives a crash
    "wal_level": "replica",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # quiet: no value reaches the log through DETAIL, parameters or statements, nor through an error's own text
    # ("invalid input syntax for type integer: ..."): errors go to the client alone; LOG, FATAL and PANIC to the log
    "log_min_messages": "log",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Login:
    """What a client needs to connect; `host` is the directory of the Unix socket."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)


class Postgres:
    """A PostgreSQL server with one database per name.

    Args:
        directory: data and socket live here, or in a place that it links to (`dev/postgres_home.py`).
        secrets: directory (0700) of the password files, `<role>.password`.
        log_directory: gets `postgresql.log`.
        pid_directory: gets the pid file.
        databases: names of databases and of their services' roles.

    """

    def __init__(
        self, directory: Path, *, secrets: Path, log_directory: Path, pid_directory: Path, databases: Sequence[str]
    ) -> None:
        self._directory = directory
        self._secrets = secrets
        self._log_directory = log_directory
        self._pid_directory = pid_directory
        self._databases = databases
        self._account: Account | None = postgres_home.server_account()
        self._process: Process | None = None
        self._socket: Path | None = None

    @property
    def process(self) -> Process:
        """The server's process (the postmaster).

        Raises:
            ProcessFailed: it was never started.

        """
        if self._process is None:
            raise ProcessFailed("postgresql is not started")
        return self._process

    @property
    def data_directory(self) -> Path:
        """Heap, indexes and WAL: the place itself, not the link."""
        return self._directory.resolve() / "data"

    @property
    def socket_directory(self) -> Path:
        """Directory of the Unix socket."""
        if self._socket is None:
            raise ProcessFailed("postgresql is not started")
        return self._socket

    def password_file(self, role: str) -> Path:
        """The file (0600) with a role's password."""
        return self._secrets / f"{role}.password"

    def login(self, database: str, role: str) -> Login:
        """How `role` connects to `database`."""
        return Login(str(self.socket_directory), SOCKET_PORT, database, role, password(self.password_file(role)))

    def start(self) -> None:
        """Start the server, on new data or on the data that is there, and make its roles and databases.

        Raises:
            ProcessFailed: the server did not start; the text has the end of its log.

        """
        programs = postgres_home.programs(self._account)
        place = postgres_home.home(self._directory, self._account)
        data = place / "data"
        if not data.exists():
            self._initialise(programs, place)
        self._socket = postgres_home.socket_directory(place, self._account)
        settings = {**_SETTINGS, "unix_socket_directories": str(self._socket), "port": str(SOCKET_PORT)}
        _write_for(self._account, data / "postgresql.conf", "".join(f"{k} = '{v}'\n" for k, v in settings.items()))
        _write_for(self._account, data / "pg_hba.conf", _HBA)
        probe: list[str | Path] = [programs / "pg_isready", "-q", "-h", self._socket, "-p", str(SOCKET_PORT)]
        self._process = Process(
            "postgresql",
            [programs / "postgres", "-D", data],
            _ENVIRONMENT,
            log_file=self._log_directory / "postgresql.log",
            pid_directory=self._pid_directory,
            ready=lambda: subprocess.run(probe, env=_ENVIRONMENT, check=False).returncode == 0,
            account=self._account,
            stop_signal=signal.SIGINT,  # fast: clients are cut off, a checkpoint is written
        )
        self.recover()
        self._make_roles(programs)

    def recover(self) -> None:
        """Start the process, after a crash too: children of a killed postmaster hold its memory for a moment longer.

        Raises:
            ProcessFailed: the server did not start; the text has the end of its log.

        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self.process.start(_START_SECONDS)
            except ProcessFailed as error:
                if "shared memory block" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)

    def stop(self) -> None:
        """Stop the server (fast shutdown) and remove its socket directory; does nothing when it is not started."""
        if self._process is not None:
            self._process.stop()
        if self._socket is not None:
            postgres_home.remove_socket_directory(self._directory.resolve())

    def erase(self) -> None:
        """Delete the data of a stopped server, in the place that `directory` may link to as well."""
        shutil.rmtree(self._directory.resolve(), ignore_errors=True)
        if self._directory.is_symlink():
            self._directory.unlink()

    def _initialise(self, programs: Path, place: Path) -> None:
        draft = place / "data.draft"  # renamed when whole: a killed initdb leaves no half database behind
        shutil.rmtree(draft, ignore_errors=True)
        password_file = place / "superuser.password"
        _write_for(self._account, password_file, password(self.password_file(SUPERUSER)))
        command: list[str | Path] = [programs / "initdb", "-D", draft, "-U", SUPERUSER, "--data-checksums"]
        command += [f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"]
        command += ["--locale-provider=builtin", "--locale=C.UTF-8"]
        who = self._account
        try:
            done = subprocess.run(
                command,
                env=_ENVIRONMENT,
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                user=who.uid if who else None,
                group=who.gid if who else None,
                extra_groups=[] if who else None,
            )
        finally:
            password_file.unlink()
        if done.returncode:
            raise ProcessFailed(f"initdb ended with exit status {done.returncode}\n{done.stdout}{done.stderr}")
        draft.rename(place / "data")

    def _make_roles(self, programs: Path) -> None:
        names = [role for database in self._databases for role in postgres_roles.roles(database)]
        script = postgres_roles.statements(
            self._databases, {role: password(self.password_file(role)) for role in names}
        )
        command: list[str | Path] = [programs / "psql", "-X", "-q", "-h", self.socket_directory]
        command += ["-p", str(SOCKET_PORT), "-U", SUPERUSER, "-d", "postgres"]
        done = subprocess.run(
            command,
            env={**_ENVIRONMENT, "PGPASSWORD": password(self.password_file(SUPERUSER))},
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            self.stop()
            raise ProcessFailed(f"the roles were not made: {done.stderr}\n{self.process.last_lines()}")


def _write_for(account: Account | None, path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    if account is not None:
        os.chown(path, account.uid, account.gid)

"""One child process of the stack: started, known by its pid, watched, and ended by that pid alone.

Tests use the same class to crash (`kill`), freeze (`pause`, `resume`) and bring back (`start`) a real process.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dev.lineage import start_time

_POLL_SECONDS: Final = 0.05
_TAIL_LINES: Final = 25


class ProcessFailed(RuntimeError):
    """A process died or did not become ready in time; the text ends with the last lines of its log."""


@dataclass(frozen=True)
class Account:
    """The operating-system user and group that a process runs as."""

    uid: int
    gid: int


class Process:
    """A child process in a session of its own, so that Ctrl-C reaches the stack and not each part of it.

    Args:
        name: for messages and the name of the pid file.
        command: program and arguments, no shell.
        environment: all of the child's environment, nothing is inherited.
        log_file: standard output and error are appended to it.
        pid_directory: where `<name>.json` tells a later stack whom to end, should this one be killed.
        ready: says whether the process serves; None means ready at once. Must not raise.
        account: another user to run as (root only).
        stop_signal: what asks the process to end.
        grace_seconds: how long `stop` waits before it kills.

    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        log_file: Path,
        pid_directory: Path,
        ready: Callable[[], bool] | None = None,
        directory: Path = Path("/"),
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 30.0,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self._command = [str(part) for part in command]
        self._environment = dict(environment)
        self._pid_file = pid_directory / f"{name}.json"
        self._ready = ready
        self._directory = directory
        self._account = account
        self._stop_signal = stop_signal
        self._grace_seconds = grace_seconds
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            ProcessFailed: the process was never started.

        """
        if self._child is None:
            raise ProcessFailed(f"{self.name} is not started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive (a paused one is)."""
        return self._child is not None and self._child.poll() is None

    def launch(self) -> None:
        """Start the process and do not wait for it to be ready."""
        if self.running:
            raise ProcessFailed(f"{self.name} is running already")
        who = self._account
        with self.log_file.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=who.uid if who else None,
                group=who.gid if who else None,
                extra_groups=[] if who else None,
            )
        record = {"pid": self.pid, "started": start_time(self.pid), "stop_signal": int(self._stop_signal)}
        self._pid_file.write_text(json.dumps(record))

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until the process says that it serves.

        Raises:
            ProcessFailed: it died, or the deadline passed.

        """
        deadline = time.monotonic() + seconds
        while self._ready is not None and not self._ready():
            if not self.running:
                raise ProcessFailed(f"{self.name} ended with {self._exit_status()}\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} is not ready after {seconds:g} s\n{self.last_lines()}")
            time.sleep(_POLL_SECONDS)

    def start(self, seconds: float = 60.0) -> None:
        """Start the process and wait until it serves; a process that does not is ended before the error is raised."""
        self.launch()
        try:
            self.wait_ready(seconds)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ask the process to end, and kill it when the grace is over; does nothing to a process that has ended."""
        if self._child is None:
            return
        if self.running:
            self._child.send_signal(self._stop_signal)
            self._child.send_signal(signal.SIGCONT)  # a paused process would never see the request
            try:
                self._child.wait(self._grace_seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self._child.wait()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the process at once, as a crash would (SIGKILL)."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._pid_file.unlink(missing_ok=True)

    def restart(self, seconds: float = 60.0) -> None:
        """Stop and start again, on the same ports and files."""
        self.stop()
        self.start(seconds)

    def pause(self) -> None:
        """Freeze the process (SIGSTOP): its sockets stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def last_lines(self, count: int = _TAIL_LINES) -> str:
        """The end of the log, for a message to a person."""
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        return "\n".join([f"--- {self.log_file}", *lines[-count:]])

    def _exit_status(self) -> str:
        status = None if self._child is None else self._child.poll()
        return f"signal {-status}" if status is not None and status < 0 else f"exit status {status}"

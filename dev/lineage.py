"""What a killed stack leaves behind: its children are found by pid and start time, and ended before a new start.

A pid alone may belong to somebody else by now; a pid with its start time cannot.
"""

import json
import os
import signal
import time
from pathlib import Path
from typing import Final

_GRACE_SECONDS: Final = 15.0
_STATE_FIELD: Final = 0  # /proc/<pid>/stat, counted after the command name, see proc(5)
_START_FIELD: Final = 19


def start_time(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when it is gone, a zombie, or /proc is not there."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[_STATE_FIELD] == "Z" else int(fields[_START_FIELD])


def end_orphans(pid_directory: Path) -> list[int]:
    """End what the pid files of an earlier stack name, if it still runs; returns the pids that were ended."""
    orphans: list[tuple[int, int]] = []
    for file in sorted(pid_directory.glob("*.json")):
        record = json.loads(file.read_text() or "{}")
        pid, started = record.get("pid"), record.get("started")
        if started is not None and start_time(pid) == started:
            os.kill(pid, record["stop_signal"])
            os.kill(pid, signal.SIGCONT)
            orphans.append((pid, started))
        file.unlink()
    deadline = time.monotonic() + _GRACE_SECONDS
    for pid, started in orphans:
        while start_time(pid) == started and time.monotonic() < deadline:
            time.sleep(0.05)
        if start_time(pid) == started:
            os.kill(pid, signal.SIGKILL)
    return [pid for pid, _ in orphans]

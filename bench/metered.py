"""The load, and who used which processor while it ran; prints one JSON object.

``python -m bench.metered FILE``, as ``bench.h2_load`` is called; ``pids`` of the task are the processes to be watched, by
name. It is done here and not by whoever starts this process, since a start takes as much time as a thousand calls.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from bench import h2_load
from bench.cpu import Meter


def run(task: dict[str, Any], requests: list[bytes]) -> dict[str, Any]:
    """Do the task; the result has ``shares`` too: cores by process, the client's among them."""
    meter, began = Meter(task["pids"]), time.perf_counter()
    result = h2_load.run(task, requests)
    seconds = time.perf_counter() - began
    return {**result, "shares": meter.shares(seconds) | {"client": result["cpu"] / seconds}}


def write(file: Path, task: dict[str, Any], requests: list[bytes]) -> None:
    """Write the task, and its requests beside it."""
    file.write_text(json.dumps(task))
    file.with_suffix(".requests").write_text("\n".join(request.hex() for request in requests))


def read(file: Path) -> tuple[dict[str, Any], list[bytes]]:
    """Read both again."""
    lines = file.with_suffix(".requests").read_text().splitlines()
    return json.loads(file.read_text()), [bytes.fromhex(line) for line in lines]


if __name__ == "__main__":
    print(json.dumps(run(*read(Path(sys.argv[1])))))

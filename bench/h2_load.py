"""A load that costs its core little: one connection, raw HTTP/2, no task for a call; prints one JSON object.

``python -m bench.h2_load FILE``; FILE holds what is to be done as JSON, the requests beside it one a line in
hexadecimal. With `in_flight` it keeps so many calls in flight (closed loop); with `rate` it makes so many a second
(open loop) and takes each latency from the moment at which the call was due, so that a client or a server that falls
behind does not make its own measure look better.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.h2_calls import Done, Kept
from bench.h2_client import Client, Target
from bench.h2_frames import RequestHeaders, message
from bench.h2_tls import context

_TIMEOUT_SECONDS: Final = 10
_LATE_SECONDS: Final = 0.001
_EXPIRED: Final = "DEADLINE_EXCEEDED"
_WRONG_LENGTH: Final = "WRONG_LENGTH"
_PREFIX: Final = 5


@dataclass
class Outcome:
    """What became of the calls; latencies in seconds."""

    expected_bytes: int | None = None
    latencies: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    late: int = 0

    def add(self, calls: list[Done], now: float) -> None:
        """Count calls that are over."""
        for due, status, size in calls:
            ended = status
            if status == "OK" and not self._is_whole(size):
                ended = _WRONG_LENGTH
            if ended == "OK":
                self.latencies.append(now - due)
            else:
                self.failures[ended] = self.failures.get(ended, 0) + 1

    def _is_whole(self, size: int) -> bool:
        return size == self.expected_bytes + _PREFIX if self.expected_bytes is not None else size >= _PREFIX

    def quantile(self, share: float) -> float | None:
        """Return the latency that so large a share of the answers had at most; the latencies are sorted."""
        return self.latencies[int(len(self.latencies) * share)] if self.latencies else None


def closed_loop(client: Client, bodies: Iterator[bytes], in_flight: int, seconds: float, outcome: Outcome) -> None:
    """Keep so many calls in flight for so long, then wait for the last of them."""
    now = time.perf_counter()
    stop = now + seconds
    for _ in range(in_flight):
        client.start(_next(bodies), now)
    while now < stop + _TIMEOUT_SECONDS:
        done = client.wait(1.0)
        now = time.perf_counter()
        outcome.add(done, now)
        if now < stop:
            for _ in done:
                client.start(_next(bodies), now)
        elif not client.in_flight:
            return


def open_loop(client: Client, bodies: Iterator[bytes], rate: float, seconds: float, outcome: Outcome) -> None:
    """Make so many calls a second for so long, whatever becomes of them, then wait for the last of them."""
    begun = now = time.perf_counter()
    sent, total = 0, int(rate * seconds)
    while now < begun + seconds + _TIMEOUT_SECONDS:
        due = min(total, int((now - begun) * rate) + 1)
        for number in range(sent, due):
            client.start(_next(bodies), begun + number / rate)
            outcome.late += now - begun - number / rate > _LATE_SECONDS
        sent = due
        if sent == total and not client.in_flight:
            return
        idle = begun + sent / rate - time.perf_counter() if sent < total else 1.0
        done = client.wait(max(0.0, idle))
        now = time.perf_counter()
        outcome.add(done, now)


def run(task: dict[str, Any], requests: Iterable[bytes]) -> dict[str, Any]:
    """Do the task and return what is printed.

    Args:
        task: `address`, `server_name`, `method`, `seconds`, `ca`, `certificate`, `key` (paths); `in_flight` or `rate`
            (1/s). Without the three paths the calls go out in the clear. Optional: `expected_bytes`, the length of every
            answer; `keep`, how many of the first answers are given back.
        requests: serialized messages, one for each call.

    Returns:
        `answered`, `failures` (status -> number), `rate` (answers in 1 s), `p50`, `p90`, `p99` and `cpu` (the client's
        own processor time) in s; for an open loop `late`, the share of the calls that were sent more than 1 ms after
        they were due; with `keep`, `kept`, serialized messages in hexadecimal.

    Raises:
        RuntimeError: there were fewer requests than calls to make.

    """
    tls = context(*(Path(task[name]) for name in ("ca", "certificate", "key"))) if "ca" in task else None
    headers = RequestHeaders(task["method"], task["server_name"], f"{_TIMEOUT_SECONDS}S")
    kept = Kept(task.get("keep", 0))
    outcome = Outcome(task.get("expected_bytes"))
    bodies = map(message, requests)
    client = Client(Target(task["address"], task["server_name"], tls), headers, kept)
    begun, cpu = time.perf_counter(), time.process_time()
    if "rate" in task:
        open_loop(client, bodies, task["rate"], task["seconds"], outcome)
    else:
        closed_loop(client, bodies, task["in_flight"], task["seconds"], outcome)
    now = time.perf_counter()
    cpu = time.process_time() - cpu
    outcome.add(client.close(_EXPIRED), now)
    outcome.latencies.sort()
    result: dict[str, Any] = {
        "answered": len(outcome.latencies),
        "failures": outcome.failures,
        "rate": len(outcome.latencies) / (now - begun),
        **{name: outcome.quantile(share) for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))},
        "cpu": cpu,
    }
    if "rate" in task:
        result["late"] = outcome.late / (task["rate"] * task["seconds"])
    if "keep" in task:
        result["kept"] = [bytes(answer[_PREFIX:]).hex() for answer in kept.answers]
    return result


def _next(bodies: Iterator[bytes]) -> bytes:
    body = next(bodies, None)
    if body is None:
        raise RuntimeError("not enough requests prepared")
    return body


def main() -> None:
    """Do what the file says."""
    file = Path(sys.argv[1])
    requests = [bytes.fromhex(line) for line in file.with_suffix(".requests").read_text().splitlines()]
    print(json.dumps(run(json.loads(file.read_text()), requests)))


if __name__ == "__main__":
    main()

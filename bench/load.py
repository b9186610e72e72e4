"""The load: so many calls in flight, raw bytes, for so long; prints one JSON object.

A process of its own, pinned to its own core. ``python -m bench.load FILE``; FILE holds what is to be done as JSON, the
requests beside it one a line in hexadecimal.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import uvloop

_TIMEOUT_SECONDS = 10.0


async def _run(task: dict[str, Any], requests: Iterator[bytes]) -> dict[str, Any]:
    channel = _channel(task)
    method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(task["method"])
    latencies: list[float] = []
    failures: dict[str, int] = {}
    stop = time.perf_counter() + task["seconds"]

    async def work() -> None:
        while time.perf_counter() < stop:
            request = next(requests, None)
            if request is None:
                raise RuntimeError("not enough requests prepared")
            begun = time.perf_counter()
            try:
                await method(request, timeout=_TIMEOUT_SECONDS)
                latencies.append(time.perf_counter() - begun)
            except grpc.aio.AioRpcError as error:
                failures[error.code().name] = failures.get(error.code().name, 0) + 1

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(task["in_flight"])))
    seconds = time.perf_counter() - begun
    await channel.close()
    latencies.sort()
    return {
        "answered": len(latencies),
        "failures": failures,
        "rate": len(latencies) / seconds,
        "p50": latencies[len(latencies) // 2] if latencies else None,
        "p99": latencies[int(len(latencies) * 0.99)] if latencies else None,
    }


def _channel(task: dict[str, Any]) -> grpc.aio.Channel:
    ca, key, certificate = (Path(task[name]).read_bytes() for name in ("ca", "key", "certificate"))
    options = [("grpc.ssl_target_name_override", task["server_name"])]
    return grpc.aio.secure_channel(task["address"], grpc.ssl_channel_credentials(ca, key, certificate), options)


def main() -> None:
    """Do what the file says."""
    file = Path(sys.argv[1])
    requests = iter([bytes.fromhex(line) for line in file.with_suffix(".requests").read_text().splitlines()])
    uvloop.install()
    print(json.dumps(asyncio.run(_run(json.loads(file.read_text()), requests))))


if __name__ == "__main__":
    main()

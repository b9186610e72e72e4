"""``make import-test``: an import of 200,000 synthetic cards, killed three times, beside the bare key server.

Afterwards every card must have exactly one token, in the file and in the vault. Cards a second are those of the run without
the kills' own pauses: all cards by all seconds in which an import ran. The key server's rate is taken before and after it,
over the same calls that a card needs (two encryptions and two HMACs, in batches side by side), and its encryption alone.
Where the time goes is told by the processor time of each process: all of them share the machine's cores.
"""

import asyncio
import csv
import itertools
import os
import random
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import asyncpg

from chassis.transit import Plain, Transit
from dev.environment import ROOT
from dev.stack import Stack
from dev.synthetic_numbers import NumberSource
from services.payment_vault import keys
from services.payment_vault.settings import Settings

CARDS: Final = int(os.environ.get("ONGGI_IMPORT_CARDS", "200000"))
KILLS: Final = (0.2, 0.45, 0.7)  # of the file
BUILD: Final = Path("build/import")
_BATCH, _UNDER_WAY, _SECONDS = 500, 3, 5.0
_COLUMNS: Final = ("member_id", "kind", "number", "expiry", "business_registration_number")


def main() -> int:
    """Import, count, print; return 1 when a card has no token, or two."""
    BUILD.mkdir(parents=True, exist_ok=True)
    file, members = _write(BUILD / "cards.csv")
    stack = Stack(BUILD / "stack", progress=print, services=("payment_vault",))
    if stack.directory.exists():
        stack.erase()
    with stack:
        before = asyncio.run(_raw(stack))
        used = _processor_seconds(stack)
        seconds = _import(stack, file)
        used = {name: now - used[name] for name, now in _processor_seconds(stack).items()}
        after = asyncio.run(_raw(stack))
        stored = asyncio.run(_stored(stack, members))
    stack.erase()
    with file.with_name(f"{file.name}.tokens.csv").open(newline="") as out:
        rows = list(csv.reader(out))[1:]
    right = [int(line) for line, _ in rows] == list(range(2, CARDS + 2))
    exact = right and len({token for _, token in rows}) == CARDS and stored == (CARDS, CARDS)
    whole, encryption = ((one + other) / 2 for one, other in zip(before, after, strict=True))
    rate = CARDS / seconds
    print(f"{CARDS} cards, {len(KILLS)} kills: {len(rows)} lines, {stored[0]} tokens, {stored[1]} different")
    print(f"import                             {rate:8.0f} cards/s")
    cores = sum(used.values()) / seconds
    parts = ", ".join(f"{name} {1e6 * part / CARDS:.0f}" for name, part in used.items())
    print(f"processor time, microseconds a card: {parts}; {cores:.2f} of {os.cpu_count()} cores busy with it")
    print(f"key server, all that a card needs  {whole:8.0f} cards/s  import / key server {rate / whole:.2f}")
    print(f"key server, one encryption a card  {encryption:8.0f} cards/s  import / key server {rate / encryption:.2f}")
    print("import-test: OK" if exact else "import-test: FAILED")
    return 0 if exact else 1


def _write(path: Path) -> tuple[Path, list[str]]:
    numbers = NumberSource(random.Random(4))
    members = [str(uuid.uuid4()) for _ in range(CARDS // 20 + 1)]
    payer = numbers.business_number(("81",))
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    with path.open("w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(_COLUMNS)
        lines.writerows(
            (member, "card", numbers.card(), "12/39", payer)
            for member in itertools.islice(itertools.cycle(members), CARDS)
        )
    return path, members


def _import(stack: Stack, file: Path) -> float:
    """Import, killed on the way; return for how many seconds it ran."""
    command = [str(ROOT / "bin" / "onggi"), "--config", str(stack.client_config), "--as", "billing", "token", "import",
               str(file), "--purpose", "billing"]  # fmt: skip
    journal = file.with_name(f"{file.name}.tokens.csv.journal")
    seconds = 0.0
    for share in (*KILLS, None):
        began = time.monotonic()
        running = subprocess.Popen(command)
        if share is None:
            if running.wait() != 0:
                raise SystemExit(f"the import ended with {running.returncode}")
        else:
            while not journal.exists() or journal.read_bytes().count(b"\n") - 1 < share * CARDS / _BATCH:
                if running.poll() is not None:
                    raise SystemExit(f"the import ended with {running.returncode}, before it could be killed")
                time.sleep(0.02)
            running.kill()
            running.wait()
        seconds += time.monotonic() - began
    return seconds


def _processor_seconds(stack: Stack) -> dict[str, float]:
    """What each part has used so far; of the command, the runs that are over."""
    command = resource.getrusage(resource.RUSAGE_CHILDREN)
    database = stack.postgres.process.pid
    return {
        "command": command.ru_utime + command.ru_stime,
        "vault": _of_process(stack.services["payment_vault"].pid),
        "key server": _of_process(stack.openbao.process.pid),
        "database": _of_process(database) + sum(map(_of_process, _children(database))),
    }


def _of_process(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _raw(stack: Stack) -> tuple[float, float]:
    """Cards a second of the key server alone: all calls that a card needs, and one encryption a card."""
    os.environ.update(stack.env_for("payment_vault"))
    settings = Settings()
    transit = Transit(settings.vault, settings.tls, keys.TOKENIZE_ROLE)
    await transit.start()
    items = [Plain(os.urandom(40), os.urandom(32)) for _ in range(_BATCH)]
    inputs = [os.urandom(60) for _ in range(2 * _BATCH)]

    async def whole() -> None:
        await asyncio.gather(
            transit.encrypt(keys.NUMBER_KEYS["card"], items),
            transit.encrypt(keys.MASKED_KEY, items),
            transit.hmac(keys.INDEX_KEY, inputs),
        )

    async def encryption() -> None:
        await transit.encrypt(keys.NUMBER_KEYS["card"], items)

    try:
        return await _rate(whole), await _rate(encryption)
    finally:
        await transit.close()


async def _rate(work: Callable[[], Awaitable[Any]]) -> float:
    ends, done = time.monotonic() + _SECONDS, 0

    async def again() -> None:
        nonlocal done
        while time.monotonic() < ends:
            await work()
            done += _BATCH

    began = time.monotonic()
    await asyncio.gather(*(again() for _ in range(_UNDER_WAY)))
    return done / (time.monotonic() - began)


async def _stored(stack: Stack, members: list[str]) -> tuple[int, int]:
    """How many tokens these members have, and how many different instruments."""
    login = stack.postgres.login("payment_vault", "postgres")
    connection = await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )
    try:
        row = await connection.fetchrow(
            "SELECT count(*), count(DISTINCT fingerprint) FROM token WHERE member_id = ANY($1::uuid[])", members
        )
    finally:
        await connection.close()
    return int(row[0]), int(row[1])


if __name__ == "__main__":
    sys.exit(main())

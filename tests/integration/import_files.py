"""Files to import: lines of cards that belong to nobody, with bad ones at places that are known."""

import csv
import json
import random
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.environment import ROOT
from dev.stack import Stack
from dev.synthetic_numbers import NumberSource

COLUMNS = ("member_id", "kind", "number", "expiry", "bank_code", "business_registration_number")
BAD: Mapping[str, tuple[Mapping[str, str], tuple[str, str, str]]] = {
    "expired": ({"expiry": "01/20"}, ("INVALID_FIELD", "instrument.card.expiry", "EXPIRED")),
    "no kind": ({"kind": "cheque"}, ("INVALID_FIELD", "kind", "unknown")),
    "a bank of a card": ({"bank_code": "088"}, ("INVALID_FIELD", "bank_code", "not_of_this_kind")),
    "nobody": ({"member_id": "nobody"}, ("INVALID_FIELD", "member_id", "string.uuid")),
    "too long": ({"number": "4" * 3000}, ("MALFORMED_LINE", "", "too_long")),
}
"""What is changed in a good line, and the reason, field and rule under which it is among the rejects."""


@dataclass(frozen=True)
class Made:
    """A file, its members, the numbers in it, and what its rejects must be: line, reason, field, rule."""

    path: Path
    members: Sequence[str]
    numbers: Sequence[str]
    rejects: Sequence[Sequence[str]]
    good: Sequence[int]

    @property
    def out(self) -> Path:
        """Where the tokens go."""
        return self.path.with_name(f"{self.path.name}.tokens.csv")

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.out.with_name(f"{self.out.name}.journal")

    def rows(self, path: Path) -> list[list[str]]:
        """The lines of a file of results behind its header."""
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))[1:]

    @property
    def rejected(self) -> list[list[str]]:
        """What stands in the file of rejects."""
        return self.rows(self.out.with_name(f"{self.out.name}.rejects.csv"))


def make(path: Path, good: int, *, every: int = 0, seed: int = 4) -> Made:
    """Write a file of `good` cards; behind each `every`-th stands a bad one, of each kind in turn."""
    numbers, members = NumberSource(random.Random(seed)), [str(uuid.uuid4()) for _ in range(max(1, good // 20))]
    payer = numbers.business_number(("81",))
    cards, rejects, goods = [], [], []
    with path.open("w", encoding="utf-8", newline="") as file:
        csv_writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        line = 0
        if path.suffix == ".csv":
            csv_writer.writeheader()
            line = 1

        def write(row: Mapping[str, str]) -> int:
            nonlocal line
            line += 1
            if path.suffix == ".csv":
                csv_writer.writerow(row)
            else:
                file.write(json.dumps({name: value for name, value in row.items() if value}) + "\n")
            return line

        for at in range(good):
            cards.append(numbers.card())
            row = {"member_id": members[at % len(members)], "kind": "card", "number": cards[-1], "expiry": "12/39",
                   "bank_code": "", "business_registration_number": payer}  # fmt: skip
            goods.append(write(row))
            if every and at % every == every - 1:
                change, told = list(BAD.values())[at // every % len(BAD)]
                rejects.append([str(write({**row, "number": numbers.card(), **change})), *told])
    return Made(path, members, cards, rejects, goods)


def command(stack: Stack, made: Made, *options: str) -> list[str]:
    """The command line that imports the file."""
    return [str(ROOT / "bin" / "onggi"), "--config", str(stack.client_config), "--as", "billing", "token", "import",
            str(made.path), "--purpose", "billing", *options]  # fmt: skip


def start(stack: Stack, made: Made, *options: str) -> "subprocess.Popen[bytes]":
    """Begin an import, or go on with it; its output is thrown away."""
    return subprocess.Popen(command(stack, made, *options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def batches_done(made: Made) -> int:
    """How many batches the journal says are done."""
    if not made.journal.exists():
        return 0
    return max(0, made.journal.read_bytes().count(b"\n") - 1)


def run(stack: Stack, made: Made, *options: str) -> "subprocess.CompletedProcess[str]":
    """Import the file, to the end."""
    return subprocess.run(command(stack, made, *options), capture_output=True, text=True, check=False)


def kill_behind(running: "subprocess.Popen[bytes]", made: Made, batches: int, seconds: float) -> None:
    """Kill an import (SIGKILL) so many seconds after so many batches are done."""
    while batches_done(made) < batches:
        assert running.poll() is None, running.stderr.read() if running.stderr else ""
        time.sleep(0.005)
    time.sleep(seconds)
    running.kill()
    running.communicate()

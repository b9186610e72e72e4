"""The table that a person reads: every ratio with its target, latencies, and who used which core.

``python -m bench.report`` prints it once more from build/bench.json, in Markdown.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

JSON: Final = Path("build/bench.json")
PROCESSES: Final = ("server", "client", "PostgreSQL", "OpenBao")
_COLUMNS: Final = ("what", "value", "unit", "baseline", "ratio", "target", "aim", "p50 ms", "p99 ms", *PROCESSES)
_WIDTH: Final = 190


def show(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows of build/bench.json as a table, and below it what must be known of them."""
    console = Console(width=max(Console().width, _WIDTH))
    table = Table(title="server on core 0, all else on core 1; medians; p50 and p99 by an open loop; CPU in cores")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in {"what", "unit"} else "right", overflow="fold")
    for line in lines:
        table.add_row(*cells(line))
    console.print(table)
    for line in lines:
        for note in line.get("notes", ()):
            console.print(f"{line['name']}: {note}", highlight=False)


def markdown(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the same table in Markdown."""
    rows = [_COLUMNS, ["---"] * len(_COLUMNS), *(cells(line) for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def cells(line: Mapping[str, Any]) -> list[str]:
    """Return the texts of a row; a ratio that misses its target has an exclamation mark."""
    ratio, target = line["ratio"], line["target"]
    # Rows of others say nothing of their bound; theirs are shares of a time.
    at_most = line.get("at_most", True)
    missed = target is not None and (ratio > target if at_most else ratio < target)
    cpu = line.get("cpu", {})
    return [
        line["name"],
        _number(line["value"]),
        line["unit"],
        _number(line["baseline"]),
        (f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.4f}") + (" !" if missed else ""),
        "" if target is None else f"{'≤' if at_most else '≥'} {target:g}",
        "" if line.get("aim") is None else f"{line['aim']:g}",
        *("" if line.get(part) is None else f"{line[part]:.1f}" for part in ("p50_ms", "p99_ms")),
        *(f"{cpu[name]:.2f}" if name in cpu else "" for name in PROCESSES),
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.stdout.write(markdown(json.loads(JSON.read_text())["rows"]))

"""The figures of the benchmark: percentiles, ratios, targets and the shape of build/bench.json."""

import json
import math

import pytest

from bench.cpu import notes
from bench.figures import Row, Target, percentile, shares
from bench.report import cells, markdown


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    """So large a share of all values is not above it, whatever their order."""
    values = [float(number) for number in range(100, 0, -1)]

    assert expected == percentile(values, share)


def test_there_is_no_percentile_of_nothing() -> None:
    """A server that answered nothing has no latency, rather than a good one."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("ratio", "target", "shown"),
    [
        (0.65, Target(0.65, 0.85), ["0.65", "≥ 0.65", "0.85"]),
        (0.649, Target(0.65, 0.85), ["0.65 !", "≥ 0.65", "0.85"]),
        (1.5, Target(1.5, 1.1, at_most=True), ["1.50", "≤ 1.5", "1.1"]),
        (1.51, Target(1.5, 1.1, at_most=True), ["1.51 !", "≤ 1.5", "1.1"]),
        (0.05, None, ["0.0500", "", ""]),
    ],
)
def test_a_missed_target_is_marked(ratio: float, target: Target | None, shown: list[str]) -> None:
    """At least for what should be large, at most for what should be small; the bound itself is still fine."""
    assert shown == cells(Row("a", ratio, 1.0, target).as_json())[4:7]


def test_the_table_is_given_in_markdown_too() -> None:
    """A row of the month's drop, which knows neither latencies nor cores, stands beside the others."""
    row = Row("a", 3_000.0, 4_000.0, Target(0.5, 0.8), p50=1.23, p99=9.87, cpu={"server": 0.9})
    other = {"name": "c", "value": 0.02, "unit": "s", "baseline": 4.0, "ratio": 0.005, "target": 0.01}

    lines = markdown([row.as_json(), other]).splitlines()

    assert "| a | 3,000 | calls/s | 4,000 | 0.75 | ≥ 0.5 | 0.8 | 1.2 | 9.9 | 0.90 |  |  |  |" == lines[2]
    assert "| c | 0.02 | s | 4 | 0.0050 | ≤ 0.01 |  |  |  |  |  |  |  |" == lines[3]
    assert {14} == {line.count("|") for line in lines}


def test_shares_are_medians_by_process() -> None:
    """One round in which the machine was busy does not make the figure."""
    rounds = [{"server": 0.9, "client": 0.1}, {"server": 0.2, "client": 0.1}, {"server": 0.8, "client": 0.3}]

    assert {"server": 0.8, "client": 0.1} == shares(rounds)
    assert shares([]) == {}


def test_a_ratio_to_nothing_is_no_number() -> None:
    """A baseline of nothing gives no ratio, and no exception in the middle of a report."""
    assert math.isnan(Row("a against b", 10.0, 0.0, None).ratio)


def test_a_row_has_its_shape() -> None:
    """Name, value, unit, baseline, ratio and target of a row of build/bench.json, and what else is known of it."""
    row = Row("a against b", 300.0, 400.0, Target(0.5, 0.8), p50=1.23456, cpu={"server": 0.98765}, notes=["a note"])

    assert {
        "name": "a against b", "value": 300.0, "unit": "calls/s", "baseline": 400.0, "ratio": 0.75, "target": 0.5,
        "at_most": False, "aim": 0.8, "p50_ms": 1.235, "p99_ms": None, "cpu": {"server": 0.988}, "notes": ["a note"],
    } == json.loads(json.dumps(row.as_json()))  # fmt: skip


def test_a_full_core_and_a_stranger_are_told() -> None:
    """Where client, database and key server fill their core, or somebody else works, the reader is told."""
    fine = {"server": 0.9, "client": 0.1, "PostgreSQL": 0.3, "OpenBao": 0.2, "core 0": 0.9, "core 1": 0.62}
    full = {"server": 0.7, "client": 0.1, "PostgreSQL": 0.5, "OpenBao": 0.38, "core 0": 0.7, "core 1": 0.98}
    foreign = fine | {"core 0": 1.0, "core 1": 1.0}

    assert notes(fine) == []
    assert len(notes(full)) == 1
    assert "lower bound" in notes(full)[0]
    assert ["somebody else used 0.50 of a core"] == notes(foreign)

"""The rows of the benchmark: every target of the table stands there, and what a load is made of."""

from pathlib import Path

from bench import metered
from bench.requests import batches, tokenize
from bench.statements import statement
from bench.subjects import PAIRS, Target

MEMBERS = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]


def test_the_ratios_have_their_targets() -> None:
    """The targets of the hot path, as they were set."""
    found = {pair.row: pair.target for pairs in PAIRS.values() for pair in pairs}

    assert {
        "Tokenize, 16 in flight, against echo": Target(0.50, 0.75),
        "Tokenize, 64 in flight, against echo": Target(0.65, 0.85),
        "Tokenize, 256 in flight, against echo": Target(0.70, 0.90),
        "Tokenize, 64 in flight, against naive Tokenize": Target(12, 18),
        "Detokenize, 64 in flight, against echo": Target(0.65, 0.85),
        "GetMember masked, 64 in flight, against echo": Target(0.65, 0.85),
        "GetMember full, 64 in flight, against echo": Target(0.65, 0.85),
        "mTLS against plaintext, Tokenize, 64 in flight": Target(0.90, 0.97),
        "OpenBao file audit on against off, Tokenize, 64 in flight": Target(0.90, 0.97),
    } == found


def test_requests_come_through_their_file(tmp_path: Path) -> None:
    """What one process writes another reads, byte by byte."""
    written = [b"\x00\n", *tokenize(MEMBERS, 3, seed=1)]

    metered.write(tmp_path / "task.json", {"rate": 1.5}, written)

    assert ({"rate": 1.5}, written) == metered.read(tmp_path / "task.json")


async def test_the_statement_alone_is_the_vaults_own() -> None:
    """The statement that a batch ends in, with one entry a column for each item and one log row for the call."""
    request = next(batches(MEMBERS, 7, seed=1))

    found = await statement(request)

    assert "INSERT INTO token" in found.text
    assert "INSERT INTO processing_log" in found.text
    rows, *columns = found.arguments
    assert rows.count('"record_id"') == 1
    assert {7} == {len(column) for column in columns}

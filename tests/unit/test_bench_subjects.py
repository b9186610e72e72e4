"""The rows of the benchmark: every target of the table stands there, and what a load is made of."""

from itertools import islice
from pathlib import Path

from onggi.payment_vault.v1.tokenization_service_pb2 import TokenizeRequest
from stdnum import luhn

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


def test_no_card_comes_twice() -> None:
    """The same card of the same member has one token: whoever counts tokens would take it for a lost row."""
    sent = [TokenizeRequest.FromString(raw) for seed in (1, 1, 2) for raw in tokenize(MEMBERS[:1], 1_000, seed)]
    sent += [item for request in islice(batches(MEMBERS[:1], 500, seed=1), 2) for item in request.items]

    numbers = [one.instrument.card.number for one in sent]
    assert len(numbers) == len(set(numbers)) == 4_000
    assert all(luhn.is_valid(number) for number in numbers)


async def test_the_statement_alone_is_the_vaults_own() -> None:
    """The statement that a batch ends in, with one entry a column for each item and one log row for the call."""
    request = next(batches(MEMBERS, 7, seed=1))

    found = await statement(request)

    assert "INSERT INTO token" in found.text
    assert "INSERT INTO processing_log" in found.text
    rows, *columns = found.arguments
    assert rows.count('"record_id"') == 1
    assert {7} == {len(column) for column in columns}

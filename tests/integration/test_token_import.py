"""`onggi token import` against the real vault, killed where it hurts: each card has one token, and none is lost."""

import random
from pathlib import Path

import pytest

from dev.stack import Stack
from tests.integration import import_files
from tests.integration.examples import SEED
from tests.integration.import_files import Made
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(120)

CARDS, KILLS = 20_000, (5, 16, 29)


async def _tokens_in_the_vault(log: Log, made: Made) -> set[str]:
    rows = await log.fetch("payment_vault", "SELECT token FROM token WHERE member_id = ANY($1::uuid[])", made.members)
    assert len(rows) == len({row["token"] for row in rows})
    return {row["token"] for row in rows}


async def test_killed_three_times_it_loses_and_repeats_nothing(stack: Stack, log: Log, tmp_path: Path) -> None:
    """20,000 cards, kill -9 in the middle of three batches: exactly 20,000 tokens, none twice, rejects right (PV-06)."""
    print(f"seed {SEED}")
    source = random.Random(SEED)
    made = import_files.make(tmp_path / "cards.csv", CARDS, every=1000)
    for batches in KILLS:
        import_files.kill_behind(import_files.start(stack, made), made, batches, source.random() * 0.2)
    last = import_files.start(stack, made)
    _, told = last.communicate()
    assert last.returncode == 6, told
    assert b"going on behind line" in told

    rows = made.rows(made.out)
    assert [int(line) for line, _ in rows] == made.good
    assert {token for _, token in rows} == await _tokens_in_the_vault(log, made)
    assert len({token for _, token in rows}) == CARDS
    assert made.rejected == made.rejects


def test_nothing_personal_is_left_on_disk(stack: Stack, tmp_path: Path) -> None:
    """Journal, tokens and rejects hold no number, no expiry, no member; the owner alone may read them (LG-10, PV-01)."""
    made = import_files.make(tmp_path / "cards.jsonl", 40, every=4, seed=5)
    ended = import_files.run(stack, made, "--batch", "7")
    assert ended.returncode == 6, ended.stderr
    assert [int(line) for line, _ in made.rows(made.out)] == made.good
    assert made.rejected == made.rejects
    written = [path for path in tmp_path.iterdir() if path != made.path]
    assert len(written) == 3
    texts = [path.read_text() for path in written] + [ended.stdout, ended.stderr]
    values = [*made.numbers, *(number.replace("-", "") for number in made.numbers), *made.members, "12/39", "01/20"]
    assert [value for value in values for text in texts if value in text] == []
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


async def test_an_import_that_is_over_is_not_done_again(stack: Stack, log: Log, tmp_path: Path) -> None:
    """The same command a second time sends nothing and says the same."""
    made = import_files.make(tmp_path / "cards.csv", 30, seed=6)
    once, again = (import_files.run(stack, made) for _ in range(2))
    assert (once.returncode, once.stdout) == (again.returncode, again.stdout)
    assert once.returncode == 0, once.stderr
    assert len(await _tokens_in_the_vault(log, made)) == 30


def test_another_file_under_the_same_journal_is_refused(stack: Stack, tmp_path: Path) -> None:
    """A file that has changed is not gone on with: its batches would not be those that were sent."""
    made = import_files.make(tmp_path / "cards.csv", 10, seed=7)
    assert import_files.run(stack, made).returncode == 0
    made.path.write_text(made.path.read_text() + "\n")
    ended = import_files.run(stack, made)
    assert ended.returncode == 2
    assert "changed since" in ended.stderr

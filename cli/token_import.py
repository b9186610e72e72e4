"""`onggi token import`: a file of cards and accounts to the vault, and a file of lines and tokens back.

Killed at any moment, the same command takes it up: the journal beside the output says how far it had come. Values of the
file go to the vault and nowhere else.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer
from onggi.errors.v1.error_reason_pb2 import ErrorReason, ItemError
from onggi.payment_vault.v1.tokenization_service_pb2 import TokenizeItem, TokenizeResult

from cli import access, import_file
from cli.exit_codes import ExitCode
from cli.failures import CallError, IncompleteError
from cli.import_file import ImportFile, Line, Refused
from cli.import_journal import Journal, Progress, Results, refuse_overwriting
from cli.import_progress import Display
from cli.import_stream import Answered, Batch, Sender
from cli.session import Session

MOST: Final = 500
"""Items a batch, by the contract."""
ANSWER_SECONDS: Final = 30.0

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.csv|jsonl",
        help=f"One instrument a line: {', '.join(import_file.COLUMNS)}. Kinds: {', '.join(import_file.KINDS)}.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Line and token, as CSV; FILE.tokens.csv if not given.", show_default=False
    ),
]
Rejects = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Line, reason, field, rule, as CSV; beside the output if not given.",
                 show_default=False),
]  # fmt: skip
BatchSize = Annotated[int, typer.Option("--batch", min=1, max=MOST, help="Lines a batch, durable at once.")]


def import_tokens(
    session: Session,
    *,
    file: File,
    purpose: access.Purpose,
    out: Out = None,
    rejects: Rejects = None,
    batch: BatchSize = MOST,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Replace the cards and accounts of a file by tokens. Interrupted, the same command goes on where it stood.

    Exit 0 when every line has a token, 6 when some are in the file of rejects.
    """
    out = out or file.with_name(f"{file.name}.tokens.csv")
    rejects = rejects or out.with_name(f"{out.name}.rejects.csv")
    beside = out.with_name(f"{out.name}.journal")
    refuse_overwriting(file, beside, (out, rejects))
    sender = Sender(
        session.remote("payment_vault"),
        access.context(purpose, reason, ticket),
        session.options.timeout or ANSWER_SECONDS,
    )
    with ImportFile(file) as source, Journal(beside, file, batch, (out, rejects)) as journal:
        if journal.progress.batch and not journal.progress.complete:
            session.note(f"going on behind line {journal.progress.line}")
        try:
            if not journal.progress.complete:
                _run(session, source, journal, sender, (out, rejects))
        except CallError as failure:
            session.note(f"stands behind line {journal.progress.line}; the same command goes on from there")
            failure.request_id = ""
            raise
        _summary(session, journal.progress, out, rejects)
        if journal.progress.rejects:
            raise IncompleteError(ExitCode.INVALID_INPUT)


def _run(session: Session, source: ImportFile, journal: Journal, sender: Sender, files: tuple[Path, Path]) -> None:
    done, size = journal.progress, source.size
    out, rejects = files
    with (
        Results(out, done.token_bytes, "line,token\n") as tokens,
        Results(rejects, done.reject_bytes, "line,reason,field,rule\n") as refusals,
        Display(session, size, done) as display,
    ):
        for answered in sender.answers(_batches(source.lines(done.offset, done.line), journal)):
            batch = answered[0]
            good, bad = _sorted(answered)
            tokens.add(_csv(good))
            refusals.add(_csv(bad))
            done = Progress(
                batch.number, batch.end, batch.last, done.tokens + len(good), done.rejects + len(bad), tokens.size,
                refusals.size,
            )  # fmt: skip
            journal.record(done)
            display.show(done)
        journal.record(replace(done, complete=True))


def _batches(lines: Iterable[Line], journal: Journal) -> Iterator[Batch]:
    """Cut the lines into batches: from the same byte on always the same ones."""
    number = journal.progress.batch
    items: list[tuple[int, TokenizeItem]] = []
    refused: list[tuple[int, Refused]] = []
    end = last = 0
    for line in chain(lines, (None,)):
        if items or refused:
            full = len(items) + len(refused) == journal.batch_size
            if full or line is None:
                number += 1
                yield Batch(number, journal.request_id(number), items, refused, end, last)
                items, refused = [], []
        if line is None:
            return
        if isinstance(line.item, Refused):
            refused.append((line.number, line.item))
        else:
            items.append((line.number, line.item))
        end, last = line.end, line.number


def _sorted(answered: Answered) -> tuple[list[tuple[int, str]], list[tuple[int, str, str, str]]]:
    """The tokens and the refusals of a batch, each in the order of the lines."""
    batch, results = answered
    pairs: Sequence[tuple[int, TokenizeResult]] = [
        (line, result) for (line, _), result in zip(batch.items, results, strict=True)
    ]
    good = [(line, result.token.token) for line, result in pairs if result.HasField("token")]
    bad = [(line, _reason(result.error), result.error.field, result.error.rule)
           for line, result in pairs if not result.HasField("token")]  # fmt: skip
    bad += [(line, refused.reason, refused.field, refused.rule) for line, refused in batch.refused]
    return good, sorted(bad)


def _reason(error: ItemError) -> str:
    known = error.reason in ErrorReason.values()
    return ErrorReason.Name(error.reason).removeprefix("ERROR_REASON_") if known else "UNKNOWN"


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _summary(session: Session, done: Progress, out: Path, rejects: Path) -> None:
    if session.options.json:
        files = {"out": str(out), "rejects_file": str(rejects)}
        session.print_json({"tokens": done.tokens, "rejects": done.rejects, "lines": done.line, **files})
        return
    session.out.print(f"{done.tokens} tokens in {out}", soft_wrap=True)
    if done.rejects:
        session.out.print(f"{done.rejects} lines without a token in {rejects}", soft_wrap=True)

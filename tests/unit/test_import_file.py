"""Files of an import and their journal: what a line is, where to go on, and what a crash leaves behind."""

from pathlib import Path

import pytest

from cli.failures import UsageError
from cli.import_file import ImportFile, Refused
from cli.import_journal import Journal, Progress, Results, refuse_overwriting

MEMBER = "0198c0de-0000-7000-8000-00000000000a"
HEADER = "member_id,kind,number,expiry,bank_code,business_registration_number\n"
CARD = f"{MEMBER},card,4111-1111-1111-1111,12/39,,123-45-67891\n"


def read(path: Path, text: str, offset: int = 0, number: int = 0) -> list[tuple[int, str]]:
    """Line numbers, and the rule that refuses the line or the kind of its instrument."""
    if not offset:
        path.write_bytes(text.encode())
    with ImportFile(path) as file:
        return [
            (line.number, line.item.rule if isinstance(line.item, Refused) else str(line.item.instrument.WhichOneof("kind")))
            for line in file.lines(offset, number)
        ]  # fmt: skip


def test_lines_of_csv(tmp_path: Path) -> None:
    """A mark of UTF-8, ends of Windows, quotes and empty lines are read; what is no line says why."""
    text = "\ufeff" + HEADER.replace("\n", "\r\n") + CARD.replace("\n", "\r\n") + '"' + CARD[:20] + '",\n'
    text += (
        "\n" + f'"{MEMBER}","bank_account","0012345678","","088","123-45-67891"\n' + "x" * 5000 + "\n" + CARD.rstrip()
    )
    assert read(tmp_path / "a.csv", text) == [
        (2, "card"),
        (3, "columns"),
        (5, "bank_account"),
        (6, "too_long"),
        (7, "card"),
    ]


def test_lines_of_json(tmp_path: Path) -> None:
    """Objects of texts with the names of the columns, and nothing else."""
    good = f'{{"member_id": "{MEMBER}", "kind": "cash_receipt_mobile_phone", "number": "010-0000-0001"}}\n'
    text = good + "[1]\n" + "{\n" + '{"number": 4111}\n' + '{"pin": "1234"}\n' + '{"kind": "cheque"}\n'
    assert [rule for _, rule in read(tmp_path / "a.jsonl", text)] == [
        "cash_receipt", "object_of_texts", "json", "object_of_texts", "columns", "unknown"]  # fmt: skip


def test_a_file_is_read_from_any_line_on(tmp_path: Path) -> None:
    """From the byte behind a line the same lines come, under the same numbers."""
    path = tmp_path / "a.csv"
    path.write_text(HEADER + CARD * 5 + "\n" + CARD)
    with ImportFile(path) as file:
        lines = list(file.lines())
        for at, line in enumerate(lines, start=1):
            assert [one.number for one in file.lines(line.end, line.number)] == [one.number for one in lines[at:]]


@pytest.mark.parametrize(
    "header", ["", CARD, "member_id,kind\n", "member_id,kind,number,cvc\n", "member_id,member_id\n"]
)
def test_a_csv_file_names_its_columns(tmp_path: Path, header: str) -> None:
    """Without names of columns nothing is sent, and what stands there instead is not repeated (PV-01)."""
    (tmp_path / "a.csv").write_text(header + CARD)
    with pytest.raises(UsageError) as raised:
        ImportFile(tmp_path / "a.csv")
    assert "4111" not in str(raised.value)


def test_half_a_line_of_the_journal_is_cut_off(tmp_path: Path) -> None:
    """A crash in the middle of a line leaves the line before as the last; ids stay the same, results are cut to fit."""
    source = tmp_path / "a.csv"
    source.write_text(HEADER + CARD)
    with Journal(tmp_path / "j", source, 3) as journal:
        journal.record(Progress(batch=1, offset=70, line=2, token_bytes=9))
        ids = [journal.request_id(batch) for batch in (1, 2)]
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"batch": 2, "offs')
    (tmp_path / "out").write_bytes(b"line,tok\n2,tok_half_a_to")
    with Journal(tmp_path / "j", source, 500) as journal, Results(tmp_path / "out", 9, "") as results:
        assert (journal.progress.batch, journal.progress.line, journal.batch_size) == (1, 2, 3)
        assert [journal.request_id(batch) for batch in (1, 2)] == ids
        results.add("2,x\n")
        with pytest.raises(UsageError, match="under way"):
            Journal(tmp_path / "j", source, 3)
    assert (tmp_path / "out").read_bytes() == b"line,tok\n2,x\n"
    assert (tmp_path / "j").read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    ("out", "rejects", "told"),
    [
        ("a.csv", "r", "different files"),
        ("o", "a.csv", "different files"),
        ("o", "o", "different files"),
        ("o", "o.journal", "different files"),
        ("link", "r", "different files"),
        ("notes", "r", "notes is there already"),
        ("o", "notes", "notes is there already"),
    ],
)
def test_an_import_overwrites_nothing_but_its_own_results(tmp_path: Path, out: str, rejects: str, told: str) -> None:
    """Its file, another's file and one of its files under two names are refused; with its journal they are its own."""
    (tmp_path / "a.csv").write_text(HEADER + CARD)
    (tmp_path / "link").symlink_to("a.csv")
    (tmp_path / "notes").write_text("of somebody else")
    source, journal = tmp_path / "a.csv", tmp_path / f"{out}.journal"

    with pytest.raises(UsageError, match=told):
        refuse_overwriting(source, journal, (tmp_path / out, tmp_path / rejects))

    begun = tmp_path / "begun.journal"
    with Journal(begun, source, 3, (tmp_path / "t", tmp_path / "r")):
        refuse_overwriting(source, begun, (tmp_path / "t", tmp_path / "r"))
    with pytest.raises(UsageError, match="another --out or --rejects"):
        Journal(begun, source, 3, (tmp_path / "t", tmp_path / "notes"))
    with Journal(begun, source, 3, (tmp_path / "t", tmp_path / "r")):
        pass


def test_a_mark_of_utf8_before_json_lines_is_no_part_of_the_first(tmp_path: Path) -> None:
    """An editor of Windows puts one there; the lines behind it are counted in bytes as before."""
    path = tmp_path / "a.jsonl"
    line = f'{{"member_id": "{MEMBER}", "kind": "cash_receipt_mobile_phone", "number": "010-0000-0001"}}\n'
    assert read(path, "\ufeff" + line * 2) == [(1, "cash_receipt"), (2, "cash_receipt")]
    assert read(path, "", 3 + len(line), 1) == [(2, "cash_receipt")]

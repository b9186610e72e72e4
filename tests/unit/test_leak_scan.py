"""The leak scan finds a value in whatever form it was left behind, and its zero counts only beside its controls."""

import base64
import gzip
import hashlib
import json
import random
import socket
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dev.leak_encodings import digests, encodings, spellings
from dev.leak_patterns import PatternIndex
from dev.leak_scan import Report, scan, size

CARD, NAME, EMAIL = "4111-1111-2222-3330", "홍옹뚝", "gildong@jar.example"
VALUES = {"card_number": [CARD], "contact_name": [NAME], "email": [EMAIL], "contact_mobile_phone": ["010-0000-1234"]}
CONTROL = "onggi-control-unit-test"
BLOCK = 4 << 20


def noise(count: int, seed: int = 1) -> bytes:
    """Bytes without structure, the same in every run."""
    return random.Random(seed).randbytes(count)


def scan_bytes(directory: Path, content: bytes) -> Report:
    """Scan one file with the content and one with the control."""
    (directory / "suspect").write_bytes(content)
    (directory / "control").write_text(CONTROL)
    return scan({"disk": [directory]}, VALUES, {"disk": CONTROL})


LEAKS = {
    "plain": (CARD.encode(), "card_number"),
    "without dashes": (b"pan=4111111122223330;", "card_number"),
    "with spaces": (b"4111 1111 2222 3330", "card_number"),
    "international": (b"tel:+821000001234", "contact_mobile_phone"),
    "UTF-16": (f"x{NAME}".encode("utf-16-be"), "contact_name"),
    "CP949": (NAME.encode("cp949"), "contact_name"),
    "reversed": (b"0333222211111114", "card_number"),
    "hex of bytea": (b"\\x" + NAME.encode().hex().encode(), "contact_name"),
    "base64 in JSON": (b'{"plaintext":"' + base64.b64encode(b'{"email":"' + EMAIL.encode() + b'"}'), "email"),
    "JSON escapes": (json.dumps({"name": NAME}).encode(), "contact_name"),
    "JSON escapes in capitals": (b"\\uD64D\\uC639\\uB69D", "contact_name"),
    "percent": (quote(EMAIL, safe="").encode(), "email"),
    "percent in small letters": (quote(NAME).lower().encode(), "contact_name"),
    "octal escapes of a protobuf text": (b'name: "\\355\\231\\215\\354\\230\\271\\353\\232\\235"', "contact_name"),
    "repr of bytes": (repr(NAME.encode()).encode(), "contact_name"),
    "packed decimal": (bytes.fromhex("4111111122223330"), "card_number"),
    "64-bit integer": ((4111111122223330).to_bytes(8, "little"), "card_number"),
    "md5": (hashlib.md5(b"4111111122223330", usedforsecurity=False).digest(), "card_number"),
    "sha1 in hex": (hashlib.sha1(EMAIL.encode(), usedforsecurity=False).hexdigest().encode(), "email"),
    "sha256 in capitals": (hashlib.sha256(CARD.encode()).hexdigest().upper().encode(), "card_number"),
    "sha512 in base64": (base64.b64encode(hashlib.sha512(NAME.encode()).digest()), "contact_name"),
    "gzip": (gzip.compress(b"page " + EMAIL.encode()), "email"),
    "gzip in gzip": (gzip.compress(noise(50) + gzip.compress(CARD.encode())), "card_number"),
    "gzip cut off": (gzip.compress(noise(99) + EMAIL.encode() + noise(9999))[:5000], "email"),
}


@pytest.mark.parametrize(("leak", "item"), LEAKS.values(), ids=LEAKS)
def test_a_value_is_found_in_this_form(tmp_path: Path, leak: bytes, item: str) -> None:
    """Amid other bytes, in a form written here by hand and not by the scan's own encoder."""
    report = scan_bytes(tmp_path, noise(3001) + leak + noise(2000, seed=2))

    assert {item} == {hit.item for hit in report.hits}
    assert not report.clean


@settings(deadline=None, max_examples=50)
@given(
    value=st.sampled_from([CARD, NAME, EMAIL, "부산광역시 모의구 옹기로1길 2, 3층", "999-81-00029", "070-0000-9245"]),
    before=st.binary(max_size=40),
    after=st.binary(max_size=40),
)
def test_every_encoding_is_found_at_its_place(value: str, before: bytes, after: bytes) -> None:
    """Whatever stands around it, each encoding and digest of each spelling is reported where it begins."""
    forms = spellings(value)
    index = PatternIndex(forms)
    for number, form in enumerate(forms):
        for name, pattern in {**encodings(form), **digests(form)}.items():
            found = {(match.offset, match.spelling, match.encoding) for match in index.search(before + pattern + after)}
            assert (len(before), number, name) in found


@example(text="20000000000000000000", before=b"", after=b"")  # more than 64 bits
@example(text="0000000000000", before=b"", after=b"")
@given(text=st.text(min_size=8, max_size=40), before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_base64_is_found_at_all_three_alignments(text: str, before: bytes, after: bytes) -> None:
    """What is looked for does not depend on the bytes around the value."""
    patterns = encodings(text)
    for encode, alphabet in ((base64.b64encode, "base64"), (base64.urlsafe_b64encode, "base64url")):
        name = f"{alphabet}, shift {len(before) % 3}"
        pattern = patterns.get(name, patterns[f"base64, shift {len(before) % 3}"])
        assert pattern in encode(before + text.encode() + after)


@pytest.mark.parametrize("place", [0, 1, BLOCK - 19, BLOCK - 8, BLOCK - 1, BLOCK, 2 * BLOCK + 3])
def test_no_seam_hides_a_value(tmp_path: Path, place: int) -> None:
    """At the beginning, at the end and across the blocks in which a file is searched."""
    content = noise(place) + CARD.encode()

    assert [place] == [hit.offset for hit in scan_bytes(tmp_path, content).hits]


def test_a_value_cut_by_a_wal_page_is_found(tmp_path: Path) -> None:
    """PostgreSQL puts a header of 24 bytes into a record that crosses a page of its log; the scan reads around it."""
    page, pages = 8192, 4
    sizes = (page * pages).to_bytes(4, "little") + page.to_bytes(4, "little")
    headers = [bytes(32) + sizes, *[b"\x18\xd1" + bytes(22)] * (pages - 1)]
    room = [page - len(header) for header in headers]
    records = noise(room[0] + room[1] - 5) + CARD.encode()
    records += noise(sum(room) - len(records), seed=2)
    segment = b""
    for header, length in zip(headers, room, strict=True):
        segment, records = segment + header + records[:length], records[length:]

    assert CARD.encode() not in segment
    assert ["suspect (without page headers)"] == [
        hit.file.rpartition("/")[2] for hit in scan_bytes(tmp_path, segment).hits
    ]


def test_noise_holds_no_hit(tmp_path: Path) -> None:
    """Random bytes, their hex and base64, and zeros are clean: a hit is not a coincidence."""
    content = noise(1 << 20) + noise(1 << 20).hex().encode() + base64.b64encode(noise(1 << 20)) + bytes(1 << 20)
    report = scan_bytes(tmp_path, content)

    assert report.clean
    assert report.bytes == len(content) + len(CONTROL)


def test_a_zero_without_its_control_is_void(tmp_path: Path) -> None:
    """A class whose control was not found is not clean, whatever else was found."""
    log, spans = tmp_path / "log", tmp_path / "spans"
    log.write_text(CONTROL)
    spans.write_text("nothing")
    report = scan({"logs": [log], "spans": [spans]}, VALUES, {"logs": CONTROL, "spans": "onggi-control-other"})

    assert "1/2" == report.controls_found
    assert not report.hits
    assert not report.clean


def test_the_control_of_another_class_does_not_count(tmp_path: Path) -> None:
    """Each class has to show its own control."""
    for name in ("log", "spans"):
        (tmp_path / name).write_text(CONTROL)
    roots = {name: [tmp_path / name] for name in ("log", "spans")}

    assert "1/2" == scan(roots, VALUES, {"log": CONTROL, "spans": "onggi-control-other"}).controls_found
    with pytest.raises(ValueError, match="control of its own"):
        scan(roots, VALUES, {"log": CONTROL})


def test_the_report_tells_where_and_not_what(tmp_path: Path) -> None:
    """Class, file, offset, item and encoding are named; the value is in no part of the report."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "16384").write_bytes(noise(77) + CARD.encode())
    report = scan({"heap": [tmp_path]}, VALUES, {"heap": CONTROL})
    told = json.dumps(report.as_json())

    assert [("heap", f"{tmp_path.name}/base/16384", 77, "card_number", "UTF-8")] == [
        (hit.artefact, hit.file, hit.offset, hit.item, hit.encoding) for hit in report.hits
    ]
    assert not any(form in told for group in VALUES.values() for value in group for form in spellings(value))


def test_what_is_too_short_is_refused(tmp_path: Path) -> None:
    """A value that chance would find is not searched and not silently passed over, and the error does not tell it."""
    with pytest.raises(ValueError, match="too short") as caught:
        scan({"disk": [tmp_path]}, {"bank_code": ["088"]}, {"disk": CONTROL})

    assert "088" not in str(caught.value)


def test_files_are_counted_and_sockets_passed_over(tmp_path: Path) -> None:
    """Every regular file below a root is read once; progress sums up to the announced size."""
    (tmp_path / "empty").touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_text(CONTROL)
    listener = socket.socket(socket.AF_UNIX)
    seen: list[int] = []
    with listener:
        listener.bind(str(tmp_path / "s"))
        report = scan({"disk": [tmp_path]}, VALUES, {"disk": CONTROL}, progress=seen.append)

    assert report.artefacts["disk"].files == 2
    assert sum(seen) == size({"disk": [tmp_path]}) == len(CONTROL)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """What cannot be read cannot be called clean."""
    with pytest.raises(FileNotFoundError):
        scan({"disk": [tmp_path / "missing"]}, VALUES, {"disk": CONTROL})

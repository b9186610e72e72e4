"""Offline verification of a destruction certificate: what passes, and that nothing else does."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onggi.retention.v1.retention_service_pb2 import Certificate

from cli.app import main
from cli.certificate_file import CertificateFile
from cli.failures import CheckError

STATEMENT = json.dumps(
    {"article": "제21조", "counts": [{"category": "R-12", "rows": 400, "table": "login_record"}], "plan_id": "b6c0"},
    ensure_ascii=False,
    separators=(",", ":"),
    sort_keys=True,
).encode()


@pytest.fixture(scope="module")
def signer() -> Ed25519PrivateKey:
    """The key of the destruction service."""
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def certificate(signer: Ed25519PrivateKey) -> CertificateFile:
    """A certificate as the service answers it, made into a file's content."""
    return CertificateFile.of(
        Certificate(
            statement=STATEMENT,
            signature=signer.sign(STATEMENT),
            key_id="certificate-sign:v1",
            public_key_pem=_pem(signer.public_key()).decode(),
        )
    )


@pytest.fixture
def files(tmp_path: Path, certificate: CertificateFile, signer: Ed25519PrivateKey) -> tuple[Path, Path]:
    """The certificate's file and the trusted key's file."""
    file, key = tmp_path / "certificate.json", tmp_path / "key.pem"
    file.write_text(certificate.text(), encoding="utf-8")
    key.write_bytes(_pem(signer.public_key()))
    return file, key


def _pem(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_the_file_keeps_the_statement_byte_for_byte(certificate: CertificateFile) -> None:
    """What was signed comes out of the file as the same bytes, Korean letters included."""
    assert CertificateFile.parse(certificate.text().encode()).statement.encode() == STATEMENT


def test_an_unaltered_certificate_passes_and_tells_what_it_certifies(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 0, and the statement's content is printed."""
    file, key = files

    assert main(["certificate", "verify", str(file), "--public-key", str(key)]) == 0

    told = capsys.readouterr().out
    assert "AUTHENTIC, signed by sha256:" in told
    assert "counts[1].rows" in told
    assert "제21조" in told


def test_every_single_altered_byte_of_the_statement_fails(
    certificate: CertificateFile, signer: Ed25519PrivateKey
) -> None:
    """Each byte in turn, each of its eight bits in turn: never authentic, whether or not it is still UTF-8."""
    key = signer.public_key()
    for position in range(len(STATEMENT)):
        for bit in range(8):
            altered = bytearray(STATEMENT)
            altered[position] ^= 1 << bit
            content = json.dumps(certificate.as_object(), ensure_ascii=False).encode()
            with pytest.raises(CheckError):
                CertificateFile.parse(content.replace(_inside(STATEMENT), _inside(bytes(altered)))).verify(key)


def _inside(statement: bytes) -> bytes:
    """The statement as it stands in the file: a JSON string, which escapes quotes and backslashes only."""
    return statement.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


@pytest.mark.parametrize("position", range(len(STATEMENT)))
def test_an_altered_byte_ends_the_command_with_exit_1(
    position: int, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The command itself refuses each altered byte, without a traceback."""
    file, key = files
    altered = bytearray(STATEMENT)
    altered[position] ^= 0x01
    content = file.read_bytes()
    file.write_bytes(content.replace(_inside(STATEMENT), _inside(bytes(altered))))
    assert file.read_bytes() != content

    assert main(["certificate", "verify", str(file), "--public-key", str(key)]) == 1

    seen = capsys.readouterr()
    assert not seen.out
    assert "Traceback" not in seen.err


@pytest.mark.parametrize("position", range(64))
def test_an_altered_signature_fails(position: int, certificate: CertificateFile, signer: Ed25519PrivateKey) -> None:
    """Each byte of the signature counts."""
    signature = bytearray(base64.b64decode(certificate.signature))
    signature[position] ^= 0x01
    altered = certificate.as_object() | {"signature": base64.b64encode(bytes(signature)).decode()}

    with pytest.raises(CheckError):
        CertificateFile(**altered).verify(signer.public_key())


def test_the_key_inside_the_file_is_never_trusted(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forger who puts a key of their own into the file gets exit 1; without a trusted key nothing passes, exit 2."""
    monkeypatch.delenv("ONGGI_CLI_CONFIG", raising=False)
    file, key = files
    forger = Ed25519PrivateKey.generate()
    forged = STATEMENT.replace(b"400", b"900")
    answer = Certificate(
        statement=forged, signature=forger.sign(forged), public_key_pem=_pem(forger.public_key()).decode()
    )
    file.write_text(CertificateFile.of(answer).text(), encoding="utf-8")

    assert main(["certificate", "verify", str(file), "--public-key", str(key)]) == 1
    assert main(["certificate", "verify", str(file)]) == 2
    assert "no public key" in capsys.readouterr().err


def test_the_configured_key_is_used(files: tuple[Path, Path], tmp_path: Path) -> None:
    """certificate_public_key of the configuration serves where no --public-key is given; no service is needed."""
    file, _ = files
    config = tmp_path / "cli.toml"
    config.write_text('ca = "absent.pem"\ncertificate_public_key = "key.pem"\n')

    assert main(["--config", str(config), "certificate", "verify", str(file)]) == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[]", b"{}", b'{"statement": 1}', b"[" * 100_000, b'{"statement":"\\ud800","signature":""}'],
)
def test_what_is_no_certificate_fails_the_check(content: bytes, files: tuple[Path, Path]) -> None:
    """Exit 1 for any content that is not a certificate."""
    file, key = files
    file.write_bytes(content)

    assert main(["certificate", "verify", str(file), "--public-key", str(key)]) == 1


def test_a_lone_surrogate_in_the_statement_fails_the_check(
    certificate: CertificateFile, signer: Ed25519PrivateKey
) -> None:
    """JSON can write a character that UTF-8 cannot; it has no bytes that anyone could have signed."""
    with pytest.raises(CheckError):
        CertificateFile(**certificate.as_object() | {"statement": "\ud800"}).verify(signer.public_key())


def test_missing_files_and_keys_of_another_kind_are_wrong_use(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Exit 2: nothing was checked."""
    file, key = files
    other = tmp_path / "other.pem"
    other.write_bytes(_pem(generate_private_key(SECP256R1()).public_key()))
    text = tmp_path / "text.pem"
    text.write_text("not a key")

    assert main(["certificate", "verify", str(tmp_path / "absent"), "--public-key", str(key)]) == 2
    assert main(["certificate", "verify", str(file), "--public-key", str(tmp_path / "absent")]) == 2
    assert main(["certificate", "verify", str(file), "--public-key", str(other)]) == 2
    assert main(["certificate", "verify", str(file), "--public-key", str(text)]) == 2


def test_json_tells_a_program_that_it_is_authentic(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` answers one document with the statement in it; a failure is one document on standard error."""
    file, key = files

    assert main(["certificate", "verify", str(file), "--public-key", str(key), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["authentic"] is True
    assert answer["statement"] == json.loads(STATEMENT)

    file.write_text("{}")
    assert main(["--json", "certificate", "verify", str(file), "--public-key", str(key)]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["exit_code"] == 1


def test_a_signature_with_foreign_characters_fails(certificate: CertificateFile, signer: Ed25519PrivateKey) -> None:
    """Base64 is read strictly: a file that was touched anywhere in its signature is not the one that was issued."""
    touched = certificate.as_object() | {"signature": f" {certificate.signature}"}

    with pytest.raises(CheckError):
        CertificateFile(**touched).verify(signer.public_key())

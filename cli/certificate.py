"""`onggi certificate`: verification of a destruction certificate, without a network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.table import Table

from cli.certificate_file import CertificateFile, fingerprint, public_key
from cli.command import with_session
from cli.failures import UsageError
from cli.printable import plain
from cli.session import Session

commands = typer.Typer(help="Destruction certificates (파기확인서).", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The certificate's file.", show_default=False)]
PublicKey = Annotated[
    Path | None,
    typer.Option("--public-key", metavar="PEM", help="The key that you were given by another way.", show_default=False),
]


def verify(session: Session, *, file: File, public_key_file: PublicKey = None) -> None:
    """Check the signature over every byte and print what is certified. Offline; exit 1 when it is not authentic.

    The key comes from --public-key or from certificate_public_key in the configuration, never from the file itself.
    """
    key = _trusted(session, public_key_file)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    stated = CertificateFile.parse(content).verify(key)
    if session.options.json:
        session.print_json({"authentic": True, "public_key": fingerprint(key), "statement": stated})
        return
    session.out.print(f"AUTHENTIC, signed by {fingerprint(key)}", soft_wrap=True)
    table = Table(show_header=False, box=None, pad_edge=False)
    for path, value in _leaves("", stated):
        table.add_row(plain(path, "bold"), plain(value))
    session.out.print(table)


def _trusted(session: Session, given: Path | None) -> Ed25519PublicKey:
    if given is not None:
        return public_key(given)
    configured = session.config.certificate_public_key if session.options.config is not None else None
    if configured is None:
        raise UsageError(
            "no public key: give --public-key PEM or set certificate_public_key in the configuration. "
            "The key inside the file proves nothing: who forges a certificate puts a key of their own there"
        )
    return public_key(configured)


def _leaves(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(f"{path}[{number}]", inner)
    elif isinstance(value, list):
        yield path, ", ".join(str(inner) for inner in value)
    else:
        yield path, str(value)


commands.command("verify")(with_session()(verify))


@commands.callback()
def group() -> None:
    """Destruction certificates (파기확인서)."""

"""Where the policy lies, and how it is opened: every command on it begins so."""

from pathlib import Path
from typing import Annotated, Final

import typer

from chassis.policy.faults import PolicyRefused
from chassis.policy.load import load
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.render import TEXTS
from cli.failures import CheckError, UsageError

BESIDE_THE_PROGRAM: Final = Path(__file__).resolve().parents[1] / "policy"

Directory = Annotated[
    Path,
    typer.Option(
        "--directory",
        metavar="DIRECTORY",
        envvar="ONGGI_POLICY_DIRECTORY",
        help="The policy's files; otherwise those beside the program.",
        show_default=False,
    ),
]


def whole(directory: Path) -> PrivacyPolicy:
    """The policy in a directory. Raises PolicyRefused, and UsageError where there is no directory."""
    if not directory.is_dir():
        raise UsageError("there is no such directory: see --directory and ONGGI_POLICY_DIRECTORY")
    return load(directory)


def texts_of(directory: Path) -> Path:
    """The templates of a policy: its own, otherwise those beside the program."""
    own = directory / "text"
    return own if own.is_dir() else TEXTS


def opened(directory: Path) -> PrivacyPolicy:
    """The policy in a directory. Raises CheckError, UsageError."""
    try:
        return whole(directory)
    except PolicyRefused as refusal:
        first, *others = refusal.faults
        more = f" (and {len(others)} more: onggi policy check lists them)" if others else ""
        raise CheckError(f"the policy is refused: {first}{more}") from None

"""`onggi policy check`: the loader's checks, the contract's ties, and whether the text can be written."""

import typer

from chassis.policy import render, ties
from chassis.policy.faults import Fault, PolicyRefused
from cli.exit_codes import ExitCode
from cli.policy_contract import contract
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, texts_of, whole
from cli.printable import plain
from cli.session import Session


def check(session: Session, *, directory: Directory = BESIDE_THE_PROGRAM) -> None:
    """Look for what is incomplete or contradictory, within the policy and against the contract; exit 1 when something is.

    Each fault is one line: file, key, reason.
    """
    faults = _faults(directory)
    if session.options.json:
        session.print_json({"faults": [fault._asdict() for fault in faults]})
    else:
        for fault in faults:
            session.out.print(plain(str(fault)), soft_wrap=True)
        if not faults:
            session.out.print("the policy is complete and fits the contract")
    if faults:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _faults(directory: Directory) -> list[Fault]:
    try:
        policy = whole(directory)
    except PolicyRefused as refusal:
        return list(refusal.faults)
    return list(dict.fromkeys([*ties.faults(policy, contract()), *render.faults(policy, texts_of(directory))]))

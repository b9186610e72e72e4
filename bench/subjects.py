"""What is measured in turns, by group: the subjects, and which ratios of them stand in the table under which target."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from bench import requests
from bench.figures import Target
from bench.rounds import Measured
from dev.identities import account, server_name
from dev.ports import Ports
from dev.stack import Stack

IN_FLIGHT: Final = 64
_TOKENIZE: Final = "/onggi.payment_vault.v1.TokenizationService/Tokenize"
_DETOKENIZE: Final = "/onggi.payment_vault.v1.DetokenizationService/Detokenize"
_GET_MEMBER: Final = "/onggi.identity.v1.MemberService/GetMember"
_ECHO: Final = "/bench.Echo/Echo"
_MASKED, _FULL, _PLAINTEXT, _NAIVE = "GetMember masked", "GetMember full", "Tokenize, plaintext", "naive Tokenize"
AUDIT_OFF: Final = "Tokenize, audit off"


class Pair(NamedTuple):
    """A ratio: the name of its row, of what is measured and of what it is measured against, and the target."""

    row: str
    subject: str
    baseline: str
    target: Target


def at(name: str, in_flight: int) -> str:
    """Return the name of a subject with so many calls in flight."""
    return f"{name}, {in_flight} in flight"


_TOKENIZE_TARGETS: Final = {16: Target(0.50, 0.75), 64: Target(0.65, 0.85), 256: Target(0.70, 0.90)}
_CLOSE: Final = Target(0.65, 0.85)
_HARDLY_LESS: Final = Target(0.90, 0.97)


def _against(subject: str, baseline: str, target: Target, *, named: str = "") -> Pair:
    of, than = at(subject, IN_FLIGHT), at(baseline, IN_FLIGHT)
    return Pair(named or f"{of}, against {baseline}", of, than, target)


PAIRS: Final[Mapping[str, Sequence[Pair]]] = {
    "tokenize": [
        *(
            Pair(f"{at('Tokenize', number)}, against echo", at("Tokenize", number), at("echo", number), target)
            for number, target in _TOKENIZE_TARGETS.items()
        ),
        _against("Tokenize", _NAIVE, Target(12, 18)),
    ],
    "detokenize": [_against("Detokenize", "echo", _CLOSE)],
    "members": [_against(_MASKED, "echo", _CLOSE), _against(_FULL, "echo", _CLOSE)],
    "tls": [_against("Tokenize", _PLAINTEXT, _HARDLY_LESS, named="mTLS against plaintext, Tokenize, 64 in flight")],
    "audit": [
        _against("Tokenize", AUDIT_OFF, _HARDLY_LESS, named="OpenBao file audit on against off, Tokenize, 64 in flight")
    ],
}
"""By group. What the groups have in common is measured once."""

EXTRA: Final[Mapping[str, Sequence[str]]] = {
    "tokenize": ("echo", "naive"), "detokenize": ("echo",), "members": ("echo",), "tls": ("plaintext",), "alone": ("echo",),
}  # fmt: skip
"""The servers that a group needs beside the stack's."""


class Things(NamedTuple):
    """What the subjects are made of: members of the two services, tokens with their members, and the extra servers' pids."""

    subjects: Sequence[str]
    members: Sequence[str]
    tokens: Sequence[tuple[str, str]]
    pids: Mapping[str, int]


def named(names: Sequence[str], stack: Stack, ports: Ports, things: Things) -> list[Measured]:
    """Return the subjects of these names, each once and in order."""
    return [_measured(name, stack, ports, things) for name in dict.fromkeys(names)]


def _measured(name: str, stack: Stack, ports: Ports, things: Things) -> Measured:
    what, _, number = name.removesuffix(" in flight").rpartition(", ")
    in_flight = int(number)
    vault, identity = (server_name(account(service)) for service in ("payment_vault", "identity"))
    tokenize = partial(requests.tokenize, things.subjects)
    pid = {service: process.pid for service, process in stack.services.items()} | dict(things.pids)
    make: Callable[[int, int], list[bytes]]
    if what == "echo":
        return Measured(name, ports.address("echo"), vault, _ECHO, tokenize, pid["echo"], in_flight)
    if what == _NAIVE:
        return Measured(name, ports.address("naive"), vault, _TOKENIZE, tokenize, pid["naive"], in_flight, "naive")
    if what == _PLAINTEXT:
        address = ports.address("plaintext")
        return Measured(name, address, "", _TOKENIZE, tokenize, pid["plaintext"], in_flight, _TOKENIZE)
    if what in {_MASKED, _FULL}:
        make = partial(requests.get_member, things.members, full=what == _FULL)
        address = stack.addresses["identity"]
        return Measured(name, address, identity, _GET_MEMBER, make, pid["identity"], in_flight, _GET_MEMBER)
    address, process = stack.addresses["payment_vault"], pid["payment_vault"]
    if what == "Detokenize":
        make = partial(requests.detokenize, things.tokens)
        return Measured(name, address, vault, _DETOKENIZE, make, process, in_flight, _DETOKENIZE)
    return Measured(name, address, vault, _TOKENIZE, tokenize, process, in_flight, _TOKENIZE)

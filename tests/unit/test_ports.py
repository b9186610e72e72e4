"""The ports of two stacks never meet, and no outgoing connection sits on one."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest

from dev.ports import BLOCK, HOST, NoFreePort, Ports, blocks, is_free

NAMES = ["identity", "openbao", "otlp"]


def test_ports_that_are_chosen_and_not_served_are_nobody_elses(tmp_path: Path) -> None:
    """Another stack that would have the very same ports gets others, until the first one has ended."""
    with closing(Ports.choose(NAMES, tmp_path / "one.json")) as first:
        (tmp_path / "two.json").write_text(json.dumps(first.numbers))
        with closing(Ports.choose(NAMES, tmp_path / "two.json")) as second:
            assert {port // BLOCK for port in first.numbers.values()}.isdisjoint(
                port // BLOCK for port in second.numbers.values()
            )
    with closing(Ports.choose(NAMES, tmp_path / "one.json")) as again:
        assert again.numbers == first.numbers


def test_a_remembered_port_that_is_taken_is_replaced_alone(tmp_path: Path) -> None:
    """What a killed stack left running keeps its port; the others stay as they were."""
    with closing(Ports.choose(NAMES, tmp_path / "ports.json")) as first:
        pass
    with socket.socket() as left:
        left.bind((HOST, first.numbers["openbao"]))
        left.listen()
        assert not is_free(first.numbers["openbao"])
        with closing(Ports.choose(NAMES, tmp_path / "ports.json")) as again:
            moved = {name for name in NAMES if again.numbers[name] != first.numbers[name]}
    assert moved == {"openbao"}
    assert len(set(again.numbers.values())) == len(NAMES)


def test_a_port_fixed_by_the_environment_is_taken_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not lie in the block; no other name gets it."""
    with closing(Ports.choose(NAMES, tmp_path / "ports.json")) as first:
        pass
    monkeypatch.setenv("ONGGI_DEV_OTLP_PORT", str(first.numbers["identity"]))
    with closing(Ports.choose(NAMES, tmp_path / "ports.json")) as fixed:
        assert fixed.numbers["otlp"] == first.numbers["identity"] != fixed.numbers["identity"]
    with socket.socket() as taken:
        taken.bind((HOST, first.numbers["identity"]))
        taken.listen()
        with pytest.raises(NoFreePort, match="ONGGI_DEV_OTLP_PORT"):
            Ports.choose(NAMES, tmp_path / "ports.json")


@pytest.mark.parametrize(
    ("ephemeral", "first", "last"),
    [
        ((32_768, 60_999), 11_008, 32_736),
        ((11_040, 60_999), 11_008, 11_008),
        ((16_000, 65_535), 11_008, 15_968),
        ((10_000, 60_999), 61_024, 65_504),
        ((1_024, 65_535), 11_008, 32_736),
    ],
)
def test_blocks_lie_outside_the_ephemeral_range(ephemeral: tuple[int, int], first: int, last: int) -> None:
    """Below it where there is room, else above it, else where Linux usually leaves room."""
    assert (blocks(ephemeral)[0], blocks(ephemeral)[-1]) == (first, last)

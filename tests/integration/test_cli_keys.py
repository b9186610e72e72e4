"""`onggi keys` against real gRPC servers: what is asked of whom, progress over broken streams, exit codes."""

import json
from typing import Any

import grpc
from onggi.keys.v1 import key_service_pb2 as api

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Stack, at_a_terminal

REQUEST = "0198c0de-0000-7000-8000-00000000000a"
CARD = api.Key(name="card", newest=3, oldest_usable=2, oldest_kept=2, versions=[api.KeyVersion(version=2, rows=41)])
WHY = ("--reason", "monthly rotation")

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi


def _step(rewrapped: int, left: int) -> Any:
    return api.RewrapKeyResponse(rewrapped=rewrapped, left=left)


def test_status_shows_the_keys_of_every_holder(cli_stack: Stack, onggi: Onggi) -> None:
    """CR-05: each holder is asked under the purpose of custody; a program gets the service beside each key."""
    holders = {"identity": "pii", "archive": "archive", "payment_vault": "card"}
    for service, name in holders.items():
        key = api.Key(name=name, newest=1, oldest_usable=1, oldest_kept=1)
        getattr(cli_stack, service).answers["ListKeys"] = api.ListKeysResponse(keys=[key])

    told = json.loads(onggi("--json", "keys", "status").out)
    shown = onggi("keys", "status", "--service", "payment_vault")

    assert {key["service"]: key["name"] for key in told["keys"]} == holders
    assert (shown.code, "card" in shown.out, "pii" in shown.out) == (0, True, False)
    assert [request.access.purpose for request in cli_stack.payment_vault.of("ListKeys")] == ["key_custody"] * 2


def test_rotate_sends_its_request_id_and_shows_the_key(cli_stack: Stack, onggi: Onggi) -> None:
    """CR-08: a request whose outcome is unknown is asked again under its id."""
    cli_stack.payment_vault.answers["RotateKey"] = api.RotateKeyResponse(key=CARD)

    ended = onggi("keys", "rotate", "card", *WHY, "--request-id", REQUEST)

    [request] = cli_stack.payment_vault.of("RotateKey")
    assert (request.key, request.request_id, request.access.reason) == ("card", REQUEST, "monthly rotation")
    assert (ended.code, "v2: 41" in ended.out) == (0, True)


def test_rewrap_goes_on_after_a_broken_stream(cli_stack: Stack, onggi: Onggi) -> None:
    """CR-08: a service that stops in between is asked again; the progress is that of all calls together."""
    streams = iter([[_step(0, 100), _step(60, 40), Refusal(grpc.StatusCode.UNAVAILABLE)], [_step(0, 40), _step(40, 0)]])
    cli_stack.identity.answers["RewrapKey"] = lambda _: next(streams)

    ended = onggi("keys", "rewrap", "pii", "--service", "identity", *WHY)

    assert ended.code == 0, ended.err
    assert len(cli_stack.identity.of("RewrapKey")) == 2
    assert ended.out.splitlines()[-1].split()[-2:] == ["100/100", "rows"]


def test_rewrap_tells_of_rows_that_do_not_open(cli_stack: Stack, onggi: Onggi) -> None:
    """PV-09: a moved ciphertext cannot be rewrapped: exit 1, and the number of such rows."""
    cli_stack.payment_vault.answers["RewrapKey"] = [_step(0, 12), _step(10, 2)]

    ended = onggi("--json", "keys", "rewrap", "card", *WHY)

    assert (ended.code, "2 rows" in ended.err) == (1, True)
    assert [json.loads(line) for line in ended.out.splitlines()][-1] == {"rewrapped": "10", "left": "2"}


def test_retire_asks_first_and_says_why_it_is_refused(cli_stack: Stack, onggi: Onggi) -> None:
    """CR-07: nobody at the terminal, or no: nothing is sent; rows under an old version: a conflict with its cure."""
    cli_stack.payment_vault.answers["RetireKey"] = Refusal(grpc.StatusCode.FAILED_PRECONDITION, "KEY_IN_USE")

    assert onggi("keys", "retire", "card", *WHY).code == 2
    assert onggi("--json", "keys", "retire", "card", *WHY).code == 2
    assert at_a_terminal(cli_stack, "keys", "retire", "card", *WHY, typed=[("[y/N]: ", "n")]).code == 1
    assert not cli_stack.payment_vault.asked
    refused = onggi("keys", "retire", "card", *WHY, "--yes")
    assert (refused.code, "Rewrap, then retire" in refused.err) == (7, True)


def test_a_holder_that_is_none_is_not_called(cli_stack: Stack, onggi: Onggi) -> None:
    """Retention has no keys of data: wrong use, and nothing is sent."""
    assert onggi("keys", "rotate", "card", "--service", "retention", *WHY).code == 2
    assert not cli_stack.retention.asked

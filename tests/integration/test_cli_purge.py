"""`onggi purge` against a real server.

Approval is bound to what was shown, progress ends with the plan, and the certificate's file verifies.
"""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onggi.purge.v1.purge_service_pb2 import PurgeCheck, TableCount
from onggi.retention.v1 import retention_service_pb2 as retention
from onggi.retention.v1.retention_service_pb2 import Plan, PlanPart, PlanState

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Stack, at_a_terminal

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi

PLAN = "0198c0de-0000-7000-8000-0000000000b1"
DIGEST = "ab" * 32


def _plan(state: PlanState.ValueType, remaining: int = 40, trouble: str = "") -> Plan:
    part = PlanPart(
        category="R-12",
        holder="identity",
        through="2025-09-30",
        units=40,
        remaining=remaining,
        planned=[TableCount(table="login_record", rows=400)],
        destroyed=[TableCount(table="login_record", rows=400 - 10 * remaining)] if remaining < 40 else [],
        checks=[PurgeCheck(name="rows left", examined=40, passed=True)] if remaining == 0 else [],
    )
    return Plan(plan_id=PLAN, state=state, parts=[part], digest=DIGEST, trouble=trouble, requested_by="schedule")


def _steps() -> list[retention.WatchPlanResponse]:
    states = (
        _plan(PlanState.PLAN_STATE_DESTROYING, 40),
        _plan(PlanState.PLAN_STATE_DESTROYING, 15),
        _plan(PlanState.PLAN_STATE_DESTROYED, 0),
        _plan(PlanState.PLAN_STATE_CERTIFIED, 0),
    )
    return [retention.WatchPlanResponse(plan=plan) for plan in states]


def test_a_plan_is_made_listed_and_shown(cli_stack: Stack, onggi: Onggi) -> None:
    """R-12: the categories are sent as given; the purpose of a purge is destruction."""
    plan = _plan(PlanState.PLAN_STATE_PLANNED)
    cli_stack.retention.answers |= {
        "PlanPurge": retention.PlanPurgeResponse(plan=plan),
        "ListPlans": retention.ListPlansResponse(plans=[plan]),
        "GetPlan": retention.GetPlanResponse(plan=plan),
    }

    made = onggi("purge", "plan", "--category", "R-12", "--category", "R-01")

    (request,) = cli_stack.retention.of("PlanPurge")
    assert list(request.categories) == ["R-12", "R-01"]
    assert request.access.purpose == "destruction"
    assert uuid.UUID(request.request_id)
    assert DIGEST in made.out
    assert "login_record 400" in made.out
    assert PLAN in onggi("purge", "list").out
    assert json.loads(onggi("purge", "show", PLAN, "--json").out)["plan"]["state"] == "PLAN_STATE_PLANNED"


def test_approval_sends_the_digest_of_the_plan_that_was_shown(cli_stack: Stack, onggi: Onggi) -> None:
    """What is destroyed is printed, and the approval holds for that alone."""
    plan = _plan(PlanState.PLAN_STATE_PLANNED)
    cli_stack.retention.answers |= {
        "GetPlan": retention.GetPlanResponse(plan=plan),
        "ApprovePlan": retention.ApprovePlanResponse(plan=_plan(PlanState.PLAN_STATE_APPROVED)),
    }

    ended = onggi("--as", "privacy-officer", "purge", "approve", PLAN, "--reason", "월례 파기", "--yes")

    assert ended.code == 0
    assert "login_record 400" in ended.out
    (request,) = cli_stack.retention.of("ApprovePlan")
    assert (request.digest, request.access.reason) == (DIGEST, "월례 파기")
    assert {one.caller for one in cli_stack.retention.asked} == {"privacy-officer"}


def test_nothing_is_approved_without_a_person_a_yes_or_a_digest(cli_stack: Stack, onggi: Onggi) -> None:
    """A script that has reviewed nothing is refused, with --json too; so is one without a reason."""
    cli_stack.retention.answers["GetPlan"] = retention.GetPlanResponse(plan=_plan(PlanState.PLAN_STATE_PLANNED))

    assert onggi("purge", "approve", PLAN, "--reason", "x").code == 2
    assert onggi("purge", "approve", PLAN, "--reason", "x", "--json").code == 2
    assert onggi("purge", "approve", PLAN, "--yes").code == 2
    assert not cli_stack.retention.of("ApprovePlan")


@pytest.mark.parametrize(("answer", "code", "sent"), [("n", 1, 0), ("", 1, 0), ("y", 0, 1)])
def test_a_person_sees_the_plan_and_decides(answer: str, code: int, sent: int, cli_stack: Stack) -> None:
    """At a terminal the plan stands above the question, and only a yes is sent; silence is no."""
    cli_stack.retention.answers |= {
        "GetPlan": retention.GetPlanResponse(plan=_plan(PlanState.PLAN_STATE_PLANNED)),
        "ApprovePlan": retention.ApprovePlanResponse(plan=_plan(PlanState.PLAN_STATE_APPROVED)),
    }
    typed = [("[y/N]: ", answer)]

    ended = at_a_terminal(cli_stack, "purge", "approve", PLAN, "--reason", "월례 파기", typed=typed)

    assert ended.code == code
    assert ended.out.index("login_record 400") < ended.out.index("[y/N]")
    assert len(cli_stack.retention.of("ApprovePlan")) == sent


def test_a_digest_that_was_reviewed_before_is_sent_as_it_is(cli_stack: Stack, onggi: Onggi) -> None:
    """The service compares it with the plan of now; a changed plan is a conflict, exit 7."""
    cli_stack.retention.answers |= {
        "GetPlan": retention.GetPlanResponse(plan=_plan(PlanState.PLAN_STATE_PLANNED)),
        "ApprovePlan": Refusal(grpc.StatusCode.ABORTED, "PLAN_CHANGED"),
    }

    ended = onggi("purge", "approve", PLAN, "--reason", "x", "--digest", "cd" * 32)

    assert ended.code == 7
    assert cli_stack.retention.of("ApprovePlan")[0].digest == "cd" * 32


def test_a_run_is_followed_to_its_certificate(cli_stack: Stack, onggi: Onggi) -> None:
    """Without a terminal each state is a line; with --json each step is one."""
    started = retention.ExecutePlanResponse(plan=_plan(PlanState.PLAN_STATE_DESTROYING))
    cli_stack.retention.answers |= {"ExecutePlan": started, "WatchPlan": _steps()}

    person = onggi("purge", "run", PLAN, "--watch")
    program = onggi("purge", "watch", PLAN, "--json")

    assert (person.code, program.code) == (0, 0)
    assert [line.split()[:2] for line in person.out.splitlines()] == [
        ["DESTROYING", "0/40"],
        ["DESTROYING", "25/40"],
        ["DESTROYED", "40/40"],
        ["CERTIFIED", "40/40"],
    ]
    states = [json.loads(line)["plan"]["state"] for line in program.out.splitlines()]
    assert states[-1] == "PLAN_STATE_CERTIFIED"
    assert len(states) == 4


def test_a_terminal_shows_bars(cli_stack: Stack) -> None:
    """One bar a category and holder, full at the end."""
    cli_stack.retention.answers["WatchPlan"] = _steps()

    ended = at_a_terminal(cli_stack, "purge", "watch", PLAN)

    assert ended.code == 0
    assert "R-12 identity" in ended.out
    assert "40/40" in ended.out
    assert "CERTIFIED" in ended.out


def test_a_plan_in_trouble_is_never_a_success(cli_stack: Stack, onggi: Onggi) -> None:
    """NEEDS_OPERATOR ends the watching with exit 1 and says why."""
    plan = _plan(PlanState.PLAN_STATE_NEEDS_OPERATOR, trouble="identity: rows left")
    cli_stack.retention.answers["WatchPlan"] = [retention.WatchPlanResponse(plan=plan)]

    ended = onggi("purge", "watch", PLAN)

    assert ended.code == 1
    assert "identity: rows left" in ended.err


def test_a_restart_of_the_service_does_not_end_the_watching(cli_stack: Stack, onggi: Onggi) -> None:
    """A stream that breaks after progress, and one that just ends, are taken up again."""
    steps = _steps()
    streams = [[*steps[:1], Refusal(grpc.StatusCode.UNAVAILABLE, "STOPPING")], steps[1:2], steps[2:]]
    cli_stack.retention.answers["WatchPlan"] = lambda _: streams.pop(0)

    ended = onggi("purge", "watch", PLAN)

    assert ended.code == 0
    assert ended.out.splitlines()[-1].split()[0] == "CERTIFIED"


def test_watching_ends_with_its_time(cli_stack: Stack, onggi: Onggi) -> None:
    """--for bounds it: exit 3, because the end was not seen."""
    cli_stack.retention.answers["WatchPlan"] = _steps()[:1]

    assert onggi("purge", "watch", PLAN, "--for", "1").code == 3


def test_a_plan_that_takes_longer_is_no_failure_of_the_service(cli_stack: Stack, onggi: Onggi) -> None:
    """The watching is over, and that is what is said; the service has not been late."""

    class Waiting(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield self[0]
            time.sleep(1.5)

    cli_stack.retention.answers["WatchPlan"] = Waiting(_steps()[:1])
    ended = onggi("purge", "watch", PLAN, "--for", "1")

    assert ended.code == 3
    assert ended.err == "onggi: the plan is not finished after 1 s; watch it again\n"


@pytest.mark.parametrize("by_redirect", [True, False])
def test_the_certificate_file_verifies_offline(
    by_redirect: bool,
    cli_stack: Stack,
    onggi: Onggi,
    tmp_path: Path,
) -> None:
    """From the service into a file, by --out or by redirect, and from the file through the verifier."""
    key = Ed25519PrivateKey.generate()
    trusted = tmp_path / "key.pem"
    trusted.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    statement = f'{{"article":"제21조","plan_id":"{PLAN}"}}'.encode()
    certificate = retention.Certificate(
        statement=statement, signature=key.sign(statement), key_id="certificate-sign:v1", public_key_pem="untrusted"
    )
    cli_stack.retention.answers["GetCertificate"] = retention.GetCertificateResponse(certificate=certificate)
    file = tmp_path / "certificate.json"

    if by_redirect:
        file.write_text(onggi("purge", "certificate", PLAN).out, encoding="utf-8")
    else:
        ended = onggi("purge", "certificate", PLAN, "--out", str(file))
        assert (ended.code, ended.out) == (0, "")

    assert set(json.loads(file.read_text())) == {"statement", "signature", "key_id", "public_key_pem"}
    assert json.loads(file.read_text())["statement"].encode() == statement
    verified = onggi("certificate", "verify", str(file), "--public-key", str(trusted))
    assert verified.code == 0
    assert PLAN in verified.out


def test_a_certificate_that_is_not_ready_is_a_conflict(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """Exit 7, the cure, and no file."""
    cli_stack.retention.answers["GetCertificate"] = Refusal(
        grpc.StatusCode.FAILED_PRECONDITION, "CERTIFICATE_NOT_READY"
    )

    ended = onggi("purge", "certificate", PLAN, "--out", str(tmp_path / "certificate.json"))

    assert ended.code == 7
    assert "Watch the plan" in ended.err
    assert not (tmp_path / "certificate.json").exists()

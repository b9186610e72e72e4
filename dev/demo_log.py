"""Third act: what the processing log (접속기록) tells of the member, of the destruction, and to whom."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from onggi.retention.v1.retention_service_pb2 import Plan

from dev.demo_calls import Receipts
from dev.demo_command import Onggi
from dev.demo_load import Loaded
from dev.demo_screen import Screen

_REVIEWER: Final = "security-reviewer"
_REFUSALS: Final = {
    "PURPOSE_NOT_ALLOWED",
    "CONSENT_REQUIRED",
    "ACCESS_DENIED",
    "REASON_REQUIRED",
    "MEMBER_NOT_FOUND",
    "TOKEN_NOT_FOUND",
}
_PURGE: Final = "onggi.purge.v1.PurgeService/"


class LogAct:
    """The steps of the security reviewer and of whoever holds a certificate in hand."""

    def __init__(self, screen: Screen, onggi: Onggi, member: Loaded, plan: Plan) -> None:
        self._screen = screen
        self._onggi = onggi
        self._member = member
        self._plan = plan

    async def certificate(self, directory: Path) -> None:
        """The destruction certificate is fetched, verified without a network, and refused when a byte is changed."""
        file, forged = directory / "certificate.json", directory / "certificate-forged.json"
        self._screen.step("The destruction certificate (파기확인서) is fetched")
        await self._onggi.show("privacy-officer", "purge", "certificate", self._plan.plan_id, "--out", file)
        self._screen.step("It is verified offline, with the public key alone")
        await self._onggi.show("privacy-officer", "certificate", "verify", file, lines=16)
        self._screen.step("The same with one digit changed")
        forged.write_text(_with_another_digit(file.read_text()))
        await self._onggi.show("privacy-officer", "certificate", "verify", forged, code=1)

    async def search(self, receipts: Receipts) -> None:
        """Every access to the member is in the log, the refusals too."""
        subject = self._member.member_id
        self._screen.step("Who touched the data of this member?", who=f"staff/{_REVIEWER}", purpose="security_review")
        search = ("log", "search", "--subject", subject, "--limit", "1000")
        await self._onggi.show(_REVIEWER, *search)
        found = await self._onggi.read(_REVIEWER, *search)
        entries = {entry["record_id"]: entry for entry in found["entries"]}
        expected = receipts.about(subject)
        self._screen.expect(
            f"each of the {len(expected)} calls about this member that the demo has a receipt of is there",
            expected <= entries.keys(),
            f"{len(expected - entries.keys())} missing",
        )
        reasons = {entry.get("error_reason", "") for entry in entries.values()}
        self._screen.expect("the refused ones too", reasons >= _REFUSALS, sorted(_REFUSALS - reasons))

    async def trace(self) -> None:
        """The destruction is one trace across the services."""
        trace_id = self._plan.trace_id
        self._screen.step("The destruction as one trace", who=f"staff/{_REVIEWER}", purpose="security_review")
        await self._onggi.show(_REVIEWER, "log", "trace", trace_id)
        tree = await self._onggi.read(_REVIEWER, "log", "trace", trace_id)
        called = {(entry["service"], entry["rpc_method"]) for entry in _entries(tree["spans"])}
        for holder in ("identity", "archive", "payment_vault"):
            for rpc in ("ExecutePurge", "VerifyPurge"):
                self._screen.expect(f"{rpc} at {holder} is in it", (holder, f"{_PURGE}{rpc}") in called)


def _entries(spans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for span in spans:
        yield from span["entries"]
        yield from _entries(span["children"])


def _with_another_digit(certificate: str) -> str:
    """The certificate with one digit of its statement changed."""
    content = json.loads(certificate)
    statement = content["statement"]
    place = next(at for at, character in enumerate(statement) if character.isdigit())
    digit = str((int(statement[place]) + 1) % 10)
    return json.dumps({**content, "statement": statement[:place] + digit + statement[place + 1 :]})

"""What the policy decides: who may use a member's data with whose consent, and what is kept after the member has left."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import uuid4

from onggi.access.v1.access_context_pb2 import AccessContext, View
from onggi.identity.v1.archive_service_pb2 import GetArchivedRequest
from onggi.identity.v1.record_service_pb2 import NoteEventRequest
from onggi.retention.v1.kept_item_pb2 import KeptItem

from chassis import kst
from chassis.policy.calendar import Calendar
from chassis.policy.load import load
from dev.demo_access import AccessAct, same
from dev.demo_calls import Answer, Caller
from dev.demo_command import Onggi
from dev.demo_load import Loaded, give_consent
from dev.demo_screen import Screen, leaves
from dev.environment import ROOT

_POLICY: Final = ROOT / "policy"
_ARCHIVE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.2
_AUDIT: Final = "tax audit of the year"
_KEPT_BY_LAW: Final[Mapping[str, Sequence[str]]] = {
    "payment": ("R-09b", "R-10", "R-11"),
    "tax_document": ("R-10",),
    "contract": ("R-09a",),
    "dispute": ("R-09c",),
    "inquiry": ("R-05", "R-09c"),
    "misuse": ("R-04",),
}
"""What must outlive the member's withdrawal, by kind; written by hand and not read from the policy."""
_SET_APART: Final = {category for categories in _KEPT_BY_LAW.values() for category in categories}


class KeepingAct:
    """The steps around one member's consents and records.

    Args:
        callers: by name; `portal`, `support`, `marketing` and `tax-officer` play.
        member: the member who leaves.
        access: reads of that member.
    """

    def __init__(
        self, screen: Screen, callers: dict[str, Caller], onggi: Onggi, member: Loaded, access: AccessAct
    ) -> None:
        self._screen = screen
        self._callers = callers
        self._onggi = onggi
        self._member = member
        self._access = access
        self._today = kst.today()
        self._told: set[tuple[str, str, str]] = set()

    async def policy(self) -> None:
        """The policy is checked, says what is due, and is written out as it is published.

        Raises:
            DemoFailed: a command failed.
        """
        self._screen.step("The policy is complete and free of contradictions")
        await self._onggi.show("", "policy", "check")
        self._screen.step("What is due on a day, category by category, by 민법 제157·160조")
        await self._onggi.show("", "policy", "due", "--on", self._today.isoformat())
        self._screen.step("The published policy (개인정보처리방침), written out of the data that runs")
        await self._onggi.show("", "policy", "render", "--lang", "ko", lines=12)

    async def consents(self) -> None:
        """Marketing is refused without a consent and answered, masked, with it; an inquiry is closed.

        Raises:
            DemoFailed: an answer is not as it must be.
        """
        self._step("Marketing reads a member who has not agreed to it", "marketing", "GetMember", "marketing")
        answer = await self._access.get("marketing", "marketing", View.VIEW_FULL)
        self._screen.expect(
            "refused: PERMISSION_DENIED CONSENT_REQUIRED", str(answer) == "PERMISSION_DENIED CONSENT_REQUIRED", answer
        )
        self._step("The member agrees (동의)", "portal", "GiveConsent", "membership")
        await give_consent(self._callers["portal"], self._member.member_id, "marketing")
        self._step("Marketing asks again", "marketing", "GetMember", "marketing")
        answer = await self._access.get("marketing", "marketing", View.VIEW_FULL)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        shown = leaves(answer.response.member.profile)
        self._screen.show(shown)
        full = [name for name, value in shown.items() if name != "organization_name" and "*" not in value]
        self._screen.expect("the purpose shows no item in full", not full, full)
        self._step("The inquiry is closed: its three years begin", "support", "NoteEvent", "support")
        await self._close_inquiry()

    def told(self, kept: Sequence[KeptItem]) -> None:
        """Show what the member was told at the withdrawal, and compare it with the law.

        Raises:
            DemoFailed: something is kept that must not be, is missing, or ends on another day.
        """
        table = self._screen.table("what", "basis", "article", "since", "last day", "items")
        for item in kept:
            what = f"{item.korean} ({item.kind})"
            table.add_row(what, item.category, item.article, item.event_date, item.last_day, str(len(item.items)))
        self._screen.draw(table)
        self._told = {(item.record_id, item.category, item.last_day) for item in kept if item.record_id}
        there = {(item.kind, item.category) for item in kept}
        wanted = {(kind, category) for kind, categories in _KEPT_BY_LAW.items() for category in categories}
        self._screen.expect(
            f"the {len(wanted)} bases are told that outlive the withdrawal", wanted <= there, sorted(wanted - there)
        )
        ended = {"R-01", "R-20"} & {item.category for item in kept}
        self._screen.expect("what was kept for the membership alone is not among them", not ended, sorted(ended))
        policy = load(_POLICY)
        calendar = Calendar(policy.owner, policy.retention.categories)
        wrong = [
            f"{item.kind} {item.category} {item.event_date} {item.last_day}"
            for item in kept
            if item.last_day != str(calendar.end(item.category, date.fromisoformat(item.event_date)))
        ]
        self._screen.expect(
            "each has its start event and its last day, by the calendar of the Civil Act", not wrong, wrong
        )

    async def explain(self) -> None:
        """The same answer for whoever asks later, out of what the holders hold.

        Raises:
            DemoFailed: the command failed.
        """
        self._screen.step("What is kept of this former member, and why?", who="staff/privacy-officer")
        command = ("explain", self._member.member_id)
        await self._onggi.show("privacy-officer", *command, lines=60)
        kept = (await self._onggi.read("privacy-officer", *command))["kept"]
        found = {(each["record_id"], each["category"], each["last_day"]) for each in kept if each.get("record_id")}
        self._screen.expect(
            f"record by record it is what the member was told: {len(self._told)} bases",
            found == self._told,
            f"{len(found - self._told)} more, {len(self._told - found)} missing",
        )
        holders = {each["holder"] for each in kept if each["category"] in _SET_APART}
        self._screen.expect("what a law keeps lies in the archive alone", holders == {"archive"}, sorted(holders))

    async def archive(self) -> None:
        """What a law keeps is read in the archive (분리보관) for that law's purpose, and for no other.

        Raises:
            DemoFailed: an answer is not as it must be.
        """
        self._step("The payment in the archive, for the tax audit", "tax-officer", "GetArchived", "tax", _AUDIT)
        answer = await self._moved("payment")
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        payment = answer.response.record.payment
        self._screen.show(leaves(payment))
        given = self._member.institution
        self._screen.expect(
            "amount, approval number and 사업자등록번호 are there in full",
            payment.amount == given.dealings.payment.amount
            and same(payment.approval_number, given.dealings.payment.approval_number)
            and same(payment.business_registration_number, given.business_registration_number),
        )
        self._screen.expect("the payer's telephone number has not come along", not payment.payer_phone)
        self._step("The misuse record for the tax audit", "tax-officer", "GetArchived", "tax", _AUDIT)
        await self._refused("misuse", "tax")
        self._step("The payment for another purpose", "tax-officer", "GetArchived", "misuse_prevention", _AUDIT)
        await self._refused("payment", "misuse_prevention")

    async def _close_inquiry(self) -> None:
        support = self._callers["support"]
        request = NoteEventRequest(
            access=AccessContext(purpose="support", ticket="CS-1042"),
            request_id=str(uuid4()),
            member_id=self._member.member_id,
            record_id=self._member.records["inquiry"],
            category="R-05",
            event_date=self._today.isoformat(),
        )
        answer = await support.call(support.records.NoteEvent, request)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        for standing in answer.response.standings:
            self._screen.show({standing.category: standing.event_date or "still open"})

    async def _moved(self, kind: str) -> Answer[Any]:
        """Read a record in the archive, as soon as it has been moved there."""
        deadline = time.monotonic() + _ARCHIVE_SECONDS
        while True:
            answer = await self._get_archived(kind, "tax")
            if answer.reason != "RECORD_NOT_FOUND" or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _refused(self, kind: str, purpose: str) -> None:
        answer = await self._get_archived(kind, purpose)
        self._screen.expect(
            "refused: PERMISSION_DENIED PURPOSE_NOT_ALLOWED",
            str(answer) == "PERMISSION_DENIED PURPOSE_NOT_ALLOWED",
            answer,
        )

    async def _get_archived(self, kind: str, purpose: str) -> Answer[Any]:
        officer = self._callers["tax-officer"]
        request = GetArchivedRequest(
            access=AccessContext(purpose=purpose, reason=_AUDIT, ticket="TAX-3"),
            record_id=self._member.records[kind],
            view=View.VIEW_FULL,
        )
        return await officer.call(officer.archive.GetArchived, request)

    def _step(self, what: str, caller: str, rpc: str, purpose: str, reason: str = "") -> None:
        self._screen.step(what, who=self._callers[caller].name, rpc=rpc, purpose=purpose, reason=reason)

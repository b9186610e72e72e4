"""First act: who sees what of a member, under which purpose, and who is refused."""

import re
from typing import Any, Final
from uuid import uuid4

from onggi.access.v1.access_context_pb2 import AccessContext, View
from onggi.identity.v1.contact_service_pb2 import ListContactsRequest
from onggi.identity.v1.member_service_pb2 import GetMemberRequest, MemberProfile, RegisterMemberRequest
from onggi.payment_vault.v1.detokenization_service_pb2 import DetokenizeRequest
from onggi.payment_vault.v1.tokenization_service_pb2 import GetTokenRequest

from dev.demo_calls import Answer, Caller
from dev.demo_load import Loaded
from dev.demo_screen import Screen, leaves

RESIDENT_NUMBER: Final = "990101-7999999"
"""The shape of a 주민등록번호; no number of this kind has been given for that day, and its check digit is wrong."""

MISPLACED_CARD: Final = "4000-0099-9999-9991"
_REASON: Final = "refund of a double payment"
_NEVER_MASKED: Final = "organization_name"


class AccessAct:
    """The steps around one member.

    Args:
        callers: by name; `portal`, `billing`, `support` and `stranger` play.
        member: the member whom it is about.
    """

    def __init__(self, screen: Screen, callers: dict[str, Caller], member: Loaded) -> None:
        self._screen = screen
        self._callers = callers
        self._member = member

    async def play(self) -> None:
        """All steps, in order.

        Raises:
            DemoFailed: an answer is not as it must be.
        """
        await self._masked()
        await self._full()
        await self._partly()
        await self._refused("marketing", "billing", "The same read under another purpose", "PURPOSE_NOT_ALLOWED")
        await self._refused("billing", "stranger", "The same read by a caller whom no rule names", "ACCESS_DENIED")
        await self._token()
        await self._reveal()
        await self._reveal_without_reason()
        await self._misplaced_numbers()

    async def get(self, caller: str, purpose: str, view: View.ValueType) -> Answer[Any]:
        """Read the member."""
        request = GetMemberRequest(
            access=AccessContext(purpose=purpose, ticket="CS-1042"), member_id=self._member.member_id, view=view
        )
        return await self._callers[caller].call(self._callers[caller].members.GetMember, request)

    async def _masked(self) -> None:
        self._step("A member is read; what is not asked for in full stays masked", "support", "GetMember", "support")
        answer = await self.get("support", "support", View.VIEW_MASKED)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        shown = leaves(answer.response.member.profile)
        self._screen.show(shown)
        masked = [name for name, value in shown.items() if name != _NEVER_MASKED and "*" not in value]
        self._screen.expect("every item but the organisation's name is masked", len(shown) == 7 and not masked, masked)

    async def _full(self) -> None:
        self._step("The same member in full, for the bill", "billing", "GetMember", "billing")
        answer = await self.get("billing", "billing", View.VIEW_FULL)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        shown = leaves(answer.response.member.profile)
        self._screen.show(shown)
        full = [name for name, value in shown.items() if same(value, getattr(self._member.institution, name))]
        expected = set(shown) - {"organization_number"}
        self._screen.expect(
            "what the bill needs is shown in full, 단체고유번호 stays masked", set(full) == expected, full
        )

    async def _partly(self) -> None:
        self._step("The contacts, as far as support needs them", "support", "ListContacts", "support")
        caller = self._callers["support"]
        request = ListContactsRequest(
            access=AccessContext(purpose="support", ticket="CS-1042"),
            member_id=self._member.member_id,
            view=View.VIEW_FULL,
        )
        answer = await caller.call(caller.contacts.ListContacts, request)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        people = {person.name: person for person in self._member.institution.contacts}
        profiles = [contact.profile for contact in answer.response.contacts]
        for profile in profiles:
            self._screen.show(leaves(profile))
        right = [
            profile.name in people
            and same(profile.mobile_phone, people[profile.name].mobile_phone)
            and "*" in profile.email
            for profile in profiles
        ]
        self._screen.expect(
            "names and mobile numbers are shown, e-mail addresses stay masked", len(right) == len(people) and all(right)
        )

    async def _refused(self, purpose: str, caller: str, what: str, reason: str) -> None:
        self._step(what, caller, "GetMember", purpose)
        answer = await self.get(caller, purpose, View.VIEW_FULL)
        self._screen.expect(
            f"refused: PERMISSION_DENIED {reason}", str(answer) == f"PERMISSION_DENIED {reason}", answer
        )

    async def _token(self) -> None:
        self._step("A card's token is read: the number stays masked", "billing", "GetToken", "billing")
        caller = self._callers["billing"]
        request = GetTokenRequest(
            access=AccessContext(purpose="billing", ticket="INV-7"),
            member_id=self._member.member_id,
            token=self._member.tokens[0],
        )
        answer = await caller.call(caller.tokens.GetToken, request)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        shown = leaves(answer.response.token)
        self._screen.show(shown)
        number = self._member.institution.cards[0].number
        self._screen.expect(
            "the card's first six and last four digits are all that is shown",
            shown.get("number", "")[:7] == number[:7]
            and shown["number"][-4:] == number[-4:]
            and shown["number"].count("*") == 6,
        )

    async def reveal(self, token: str, reason: str) -> Answer[Any]:
        """Turn a token back into its number, for the bill."""
        caller = self._callers["billing"]
        request = DetokenizeRequest(
            access=AccessContext(purpose="billing", reason=reason, ticket="INV-7"),
            member_id=self._member.member_id,
            token=token,
        )
        return await caller.call(caller.reveals.Detokenize, request)

    async def _reveal(self) -> None:
        self._step("The card's number is revealed, for a stated reason", "billing", "Detokenize", "billing", _REASON)
        answer = await self.reveal(self._member.tokens[0], _REASON)
        self._screen.expect("the answer is OK", answer.code == "OK", answer)
        self._screen.show(leaves(answer.response.instrument))
        card, there = answer.response.instrument.card, self._member.institution.cards[0]
        self._screen.expect(
            "it is the number and expiry that were tokenised",
            same(card.number, there.number) and card.expiry == there.expiry,
        )

    async def _reveal_without_reason(self) -> None:
        self._step("The same without a reason", "billing", "Detokenize", "billing")
        answer = await self.reveal(self._member.tokens[0], "")
        self._screen.expect(
            "refused: INVALID_ARGUMENT REASON_REQUIRED", str(answer) == "INVALID_ARGUMENT REASON_REQUIRED", answer
        )

    async def _misplaced_numbers(self) -> None:
        for what, text in (("resident number", RESIDENT_NUMBER), ("card number", MISPLACED_CARD)):
            self._step(f"A registration with a {what} in the address", "portal", "RegisterMember", "membership")
            caller = self._callers["portal"]
            profile = MemberProfile(
                email=f"misplaced-{uuid4()}@jar.example",
                organization_name="가상옹기조합",
                organization_number="999-82-00007",
                business_registration_number="999-81-00029",
                representative_name="홍옹기",
                address=f"서울특별시 가상구 옹기로 1 ({text})",
                representative_phone="070-0000-0000",
            )
            request = RegisterMemberRequest(
                access=AccessContext(purpose="membership"),
                request_id=str(uuid4()),
                profile=profile,
                password="not a secret, and not kept",  # noqa: S106 - the registration is refused
            )
            answer = await caller.call(caller.members.RegisterMember, request)
            self._screen.expect(
                "refused: INVALID_ARGUMENT FORBIDDEN_CONTENT",
                str(answer) == "INVALID_ARGUMENT FORBIDDEN_CONTENT",
                answer,
            )

    def _step(self, what: str, caller: str, rpc: str, purpose: str, reason: str = "") -> None:
        self._screen.step(what, who=self._callers[caller].name, rpc=rpc, purpose=purpose, reason=reason)


def same(shown: str, given: str) -> bool:
    """Whether a value is shown in full: numbers by their digits, telephone numbers with or without +82."""
    if re.fullmatch(r"\+?[0-9 -]+", shown):
        return re.sub(r"^\+82", "0", shown).replace("-", "").replace(" ", "") == re.sub("[ -]", "", given)
    return shown == given

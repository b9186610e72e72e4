"""What the services hold before something breaks, and one wave of calls of every kind against it."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Self
from uuid import uuid4

from onggi.access.v1.access_context_pb2 import VIEW_FULL, AccessContext
from onggi.identity.v1.member_service_pb2 import GetMemberRequest, MemberProfile, RegisterMemberRequest

from dev.stack import Stack
from dev.synthetic import Institution, institutions
from tests.e2e.faults import Answer, Caller, Registration, logged, registrations

MEMBERSHIP = AccessContext(purpose="membership")
_WAVE = 20
ANSWERED = {"OK": _WAVE}
EVERY = ("Tokenize", "GetToken", "Detokenize", "GetMember")
_HASHING_SECONDS = 20.0  # Argon2id on a busy machine


@cache
def _strangers() -> Iterator[Institution]:
    """Who is not a member yet. From one draw, since of two each may have a number of the other's."""
    return iter(institutions(300, seed=uuid4().int >> 96, now=datetime.now(UTC)))


@dataclass(frozen=True, slots=True)
class Member:
    """A registered member."""

    member_id: str
    institution: Institution

    def read(self) -> GetMemberRequest:
        """The call that reads the member in full."""
        return GetMemberRequest(access=MEMBERSHIP, member_id=self.member_id, view=VIEW_FULL)


class Known:
    """Callers, one member and twenty tokens. An asynchronous context manager that makes them and closes the channels."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.billing = Caller(stack, stack.client_credentials("billing"))
        self.portal = Caller(stack, stack.client_credentials("portal"))
        self.tokens: dict[Registration, str] = {}
        self._seed = uuid4().int >> 96
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._opened.enter_async_context(self.billing)
        await self._opened.enter_async_context(self.portal)
        self.member = await self.register()
        await self.tokenize(self.fresh(_WAVE))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    def fresh(self, count: int, members: int = 5) -> list[Registration]:
        """Cards that were never registered."""
        self._seed += 1
        return registrations(count, members, self._seed)

    async def register(self) -> Member:
        """Register a new member."""
        one = next(_strangers())
        names = (field.name for field in MemberProfile.DESCRIPTOR.fields)
        profile = MemberProfile(**{name: getattr(one, name) for name in names})
        request = RegisterMemberRequest(
            access=MEMBERSHIP, request_id=str(uuid4()), profile=profile, password=one.password
        )
        answer = await self.portal.ask(self.portal.members.RegisterMember, request, _HASHING_SECONDS)
        assert answer.code == "OK", answer
        return Member(answer.message.member.member_id, one)

    async def tokenize(self, wanted: Sequence[Registration]) -> None:
        """Register cards and keep their tokens."""
        answers = await asyncio.gather(
            *(self.billing.ask(self.billing.tokens.Tokenize, one.request()) for one in wanted)
        )
        for one, answer in zip(wanted, answers, strict=True):
            assert answer.code == "OK", answer
            self.tokens[one] = answer.message.token.token

    async def wave(self) -> dict[str, list[Answer]]:
        """Twenty calls of each kind at once: Tokenize for new cards, GetToken, Detokenize, GetMember."""
        billing, held = self.billing, list(self.tokens.items())[:_WAVE]
        calls = {
            "Tokenize": [billing.ask(billing.tokens.Tokenize, one.request()) for one in self.fresh(_WAVE)],
            "GetToken": [billing.ask(billing.tokens.GetToken, one.masked_read(token)) for one, token in held],
            "Detokenize": [billing.ask(billing.reveals.Detokenize, one.reveal(token)) for one, token in held],
            "GetMember": [
                self.portal.ask(self.portal.members.GetMember, self.member.read()) for _ in range(_WAVE)
            ],
        }  # fmt: skip
        answers = iter(await asyncio.gather(*(call for kind in calls.values() for call in kind)))
        return {name: [next(answers) for _ in kind] for name, kind in calls.items()}

    async def is_whole(self) -> None:
        """Assert that what was acknowledged is there: each token reveals its number, and the member its name."""
        billing = self.billing
        answers = await asyncio.gather(
            *(billing.ask(billing.reveals.Detokenize, one.reveal(token)) for one, token in self.tokens.items())
        )
        for one, answer in zip(self.tokens, answers, strict=True):
            assert answer.code == "OK", answer
            assert answer.message.instrument.card.number == one.number
        answer = await self.portal.ask(self.portal.members.GetMember, self.member.read())
        assert answer.code == "OK", answer
        assert answer.message.member.profile.organization_name == self.member.institution.organization_name


def tally(wave: dict[str, list[Answer]]) -> dict[str, dict[str, int]]:
    """How the calls of a wave ended, by kind."""
    return {name: dict(Counter(f"{one.code} {one.reason}".rstrip() for one in kind)) for name, kind in wave.items()}


def slowest(wave: dict[str, list[Answer]]) -> float:
    """The longest time to an answer, in seconds."""
    return max(answer.seconds for kind in wave.values() for answer in kind)


async def unlogged(stack: Stack, wave: dict[str, list[Answer]]) -> int:
    """How many calls of a wave have no log row that tells how they ended."""
    missing = 0
    for service, kinds in {"payment_vault": ("Tokenize", "GetToken", "Detokenize"), "identity": ("GetMember",)}.items():
        answers = [answer for kind in kinds for answer in wave[kind]]
        found = await logged(stack, service, [answer.record_id for answer in answers if answer.record_id])
        missing += sum(
            answer.code not in {row["status"] for row in found.get(answer.record_id, [])} for answer in answers
        )
    return missing

"""Who guesses tokens learns nothing: a million guesses, no hit, and one answer to all of them (PV-06, PV-08).

The other rows of the abuse table have tests of their own: tests/integration/test_reveal_budgets.py (no overshoot by sixteen
callers or replicas), test_reveal_approvals.py (an approval is used once, and for one exact list), test_reveal_traps.py, and
`make bench-timing` (the time of an answer).
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from google.rpc import error_details_pb2, status_pb2
from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from dev.stack import Stack
from services.payment_vault.tokens import _ALPHABET, _checksum, is_token, new_token
from tests.e2e.faults import Figures, query
from tests.e2e.sized import AT_ONCE, Stored
from tests.integration import examples
from tests.integration.clients import Clients

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

GUESSES = int(os.environ.get("ONGGI_GUESSES", "1000000"))
_MEMBERS_A_CALL = 20
_UNDER_WAY = 3
_BATCH = "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize"
_OF_ONE = {
    "onggi.payment_vault.v1.DetokenizationService/Detokenize": reveals.DetokenizeRequest,
    "onggi.payment_vault.v1.TokenizationService/GetToken": tokens.GetTokenRequest,
    "onggi.payment_vault.v1.DetokenizationService/ReissueToken": reveals.ReissueTokenRequest,
}
_COUNTED = "SELECT count(*) FROM reveal_subject"
_KINDS = ("card", "bank_account", "cash_receipt")
_DELETE = "onggi.payment_vault.v1.TokenizationService/DeleteToken"

Answer = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""Code, message, keys of the metadata, and the details without the trace's id."""


class Guesser:
    """Makes tokens that do not stand for anything of the member they are tried with."""

    def __init__(self, stored: Stored) -> None:
        self._random = random.Random()
        self._stored = stored
        self._owner = {token: one.member_id for one, token in zip(stored.held, stored.tokens, strict=True)}

    def kinds(self) -> dict[str, Callable[[str], str]]:
        """What a guess can be, by name: each takes the member that it is tried with."""
        return {
            "random": lambda _: new_token(self._random.choice(_KINDS)),
            "random, any checksum": self._shaped,
            "mutated": lambda _: self._mutated(),
            "mutated, checksum made right": self._mended,
            "another member's": self._foreign,
        }

    def _shaped(self, _: str) -> str:
        return new_token("card")[:9] + "".join(self._random.choices(_ALPHABET, k=30))

    def _mutated(self) -> str:
        """A token that exists, with one letter exchanged."""
        token = self._random.choice(self._stored.tokens)
        at = self._random.randrange(9, len(token))
        return token[:at] + self._random.choice(_ALPHABET.replace(token[at], "")) + token[at + 1 :]

    def _mended(self, _: str) -> str:
        token = self._random.choice(self._stored.tokens)
        at = self._random.randrange(9, len(token) - 4)
        head = token[:at] + self._random.choice(_ALPHABET.replace(token[at], "")) + token[at + 1 : -4]
        return head + _checksum(head)

    def _foreign(self, member_id: str) -> str:
        while self._owner[token := self._random.choice(self._stored.tokens)] == member_id:
            pass
        return token


async def test_a_million_guesses_hit_nothing_and_learn_nothing(sized: Stack, stored: Stored, figures: Figures) -> None:
    """Random, mutated and other members' tokens: 0 hits, one and the same result for all, nothing counted or revealed."""
    guesser, members, chance = Guesser(stored), stored.members, random.Random()
    kinds = guesser.kinds()
    found: Counter[bytes] = Counter()
    metadata: set[tuple[str, ...]] = set()
    tried: Counter[str] = Counter()
    right_form = 0
    clients = Clients(sized)
    method: Any = clients.channel("payment_vault", "billing").unary_unary(f"/{_BATCH}")
    turns = asyncio.Semaphore(_UNDER_WAY)

    async def call() -> None:
        nonlocal right_form
        async with turns:
            victims = chance.sample(members, min(_MEMBERS_A_CALL, len(members)))
            items = []
            for at in range(AT_ONCE):
                kind, victim = list(kinds)[at % len(kinds)], chance.choice(victims)
                token = kinds[kind](victim)
                tried[kind] += 1
                right_form += is_token(token)
                items.append(reveals.DetokenizeItem(member_id=victim, token=token))
            request = reveals.BatchDetokenizeRequest(access=examples.access("billing", reason="a test"), items=items)
            started = method(request.SerializeToString(), timeout=60)
            answer = reveals.BatchDetokenizeResponse.FromString(await started)
            assert len(answer.results) == len(items)
            found.update(result.SerializeToString() for result in answer.results)
            keys = [key for key, _ in [*await started.initial_metadata(), *await started.trailing_metadata()]]
            metadata.add(tuple(sorted(keys)))

    counted = await query(sized, "payment_vault", _COUNTED)
    began = time.monotonic()
    try:
        await asyncio.gather(*(call() for _ in range(GUESSES // AT_ONCE)))
    finally:
        await clients.close()
    error = reasons.ItemError(code="NOT_FOUND", reason=reasons.ERROR_REASON_TOKEN_NOT_FOUND)
    one = reveals.DetokenizeResult(error=error).SerializeToString()
    hits = sum(tried.values()) - found[one]
    figures(
        f"{sum(tried.values())} guesses, {right_form} of them with a right checksum, in {time.monotonic() - began:.0f} s: "
        f"{hits} hits, {len(found)} different results, {len(metadata)} sets of metadata; {dict(tried)}"
    )
    assert set(found) == {one}
    assert len(metadata) == 1
    assert await query(sized, "payment_vault", _COUNTED) == counted, "what is not there costs nothing"
    assert await query(sized, "payment_vault", "SELECT caller FROM reveal_suspension") == []


async def test_every_guess_has_the_same_answer(sized: Stack, stored: Stored, figures: Figures) -> None:
    """One at a time, by each RPC that takes a token: code, message, metadata and details are those of any other guess."""
    clients = Clients(sized)
    try:
        kinds = {**Guesser(stored).kinds(), "destroyed": None}
        seen: dict[str, Counter[Answer]] = {rpc: Counter() for rpc in _OF_ONE}
        for rpc, kind_of_request in _OF_ONE.items():
            gone = await _destroyed(clients, 20)
            for kind, guess in kinds.items():
                for member_id, token in gone:
                    request = kind_of_request(
                        access=examples.access("billing", reason="a test"), member_id=member_id,
                        token=token if guess is None else guess(member_id),
                    )  # fmt: skip
                    if isinstance(request, reveals.ReissueTokenRequest):
                        request.request_id = examples.new_id()
                    seen[rpc][await _answer(clients, rpc, request)] += 1
                assert len(seen[rpc]) == 1, f"{rpc}: {kind}: {seen[rpc]}"
    finally:
        await clients.close()
    for answers in seen.values():
        [(code, _, _, details)] = answers
        assert code == "NOT_FOUND"
        assert "TOKEN_NOT_FOUND" in details
    calls = sum(answers.total() for answers in seen.values())
    figures(f"{calls} single guesses of {len(kinds)} kinds by {len(seen)} RPCs: one answer an RPC, whatever the guess")


async def _destroyed(clients: Clients, count: int) -> Sequence[tuple[str, str]]:
    """Members with a token each that there was."""
    gone = []
    for _ in range(count):
        member_id = examples.new_id()
        made = await clients.call(
            "billing", "onggi.payment_vault.v1.TokenizationService/Tokenize", examples.tokenize(member_id)
        )
        token = made.message.token.token
        request = tokens.DeleteTokenRequest(
            access=examples.access("billing"), request_id=examples.new_id(), member_id=member_id, token=token
        )
        assert (await clients.call("billing", _DELETE, request)).message is not None
        gone.append((member_id, token))
    return gone


async def _answer(clients: Clients, rpc: str, request: Any) -> Answer:
    started: Any = clients.channel("payment_vault", "billing").unary_unary(f"/{rpc}")(
        request.SerializeToString(), timeout=20
    )
    code, message = await started.code(), await started.details()
    keys: list[str] = []
    details: list[str] = []
    for key, value in [*await started.initial_metadata(), *await started.trailing_metadata()]:
        keys.append(key)
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                known = detail.Unpack(info)
                details += [detail.type_url, *((info.reason, info.domain, *info.metadata) if known else (str(detail),))]
    return code.name, message, tuple(sorted(keys)), tuple(details)

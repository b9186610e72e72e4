"""``make bench-timing``: whether the time of an answer tells a destroyed token, or another member's, from an unknown one.

One call at a time, in random order, over mutual TLS. The AUC is the probability that a call of the one kind took longer
than one of the other: 0.5 tells nothing. With 6,000 calls of each kind its standard error is 0.005, so the band of 0.02 is
left by chance about once in five thousand runs.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import grpc.aio
import uvloop
from google.protobuf.message import Message
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from dev.identities import account, server_name
from dev.stack import Stack
from dev.synthetic_numbers import NumberSource
from services.payment_vault.tokens import new_token

BUILD: Final = Path("build/bench-timing")
MEMBERS: Final = 1_000
ROUNDS: Final = 6
WARM_UP: Final = 500
BAND: Final = 0.02
_BILLING: Final = AccessContext(purpose="billing", reason="timing")


_TOKENIZATION: Final = "/onggi.payment_vault.v1.TokenizationService/"
_REVEAL: Final = "/onggi.payment_vault.v1.DetokenizationService/Detokenize"


def main() -> int:
    """Measure, print, write build/timing.json; return 1 when destroyed tokens can be told from unknown ones."""
    BUILD.mkdir(parents=True, exist_ok=True)
    stack = Stack(BUILD / "stack", progress=print, services=("payment_vault",))
    if stack.directory.exists():
        stack.erase()
    with stack:
        taken = uvloop.run(_measure(stack))
    found = {f"unknown against {kind}": auc(taken["unknown"], taken[kind]) for kind in ("destroyed", "foreign")}
    medians = {kind: statistics.median(seconds) * 1e3 for kind, seconds in taken.items()}
    Path("build/timing.json").write_text(json.dumps({"auc": found, "p50_ms": medians}, indent=2) + "\n")
    for name, value in found.items():
        print(f"{name}: AUC {value:.3f}")
    print(", ".join(f"{kind} p50 {value:.2f} ms" for kind, value in medians.items()))
    return int(any(abs(value - 0.5) > BAND for value in found.values()))


def auc(these: Sequence[float], those: Sequence[float]) -> float:
    """Return the share of pairs in which that one is longer than this one, ties counting half (Mann-Whitney)."""
    order = sorted([(value, 0) for value in these] + [(value, 1) for value in those])
    ranks, place = 0.0, 0
    while place < len(order):
        end = place
        while end < len(order) and order[end][0] == order[place][0]:
            end += 1
        ranks += sum(kind for _, kind in order[place:end]) * (place + 1 + end) / 2
        place = end
    return (ranks - len(those) * (len(those) + 1) / 2) / (len(these) * len(those))


async def _measure(stack: Stack) -> dict[str, list[float]]:
    files = stack.client_credentials("billing")
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", server_name(account("payment_vault")))]
    async with grpc.aio.secure_channel(stack.addresses["payment_vault"], credentials, options) as channel:
        asked = await _tokens(channel)
        taken: dict[str, list[float]] = {kind: [] for kind in asked}
        for number in range(-1, ROUNDS):
            calls = [(kind, request) for kind, requests in asked.items() for request in requests]
            random.shuffle(calls)
            for kind, request in calls[: WARM_UP if number < 0 else None]:
                seconds = await _time(channel, request)
                if number >= 0:
                    taken[kind].append(seconds)
        return taken


async def _tokens(channel: grpc.aio.Channel) -> dict[str, list[reveals.DetokenizeRequest]]:
    """Requests of each kind, of the same members: tokens that never were, that were destroyed, and of the next member."""
    members = [str(uuid.uuid4()) for _ in range(MEMBERS)]
    destroyed, living = await _store(channel, members), await _store(channel, members)
    for start in range(0, MEMBERS, 50):
        await asyncio.gather(*(
            _call(channel, _TOKENIZATION + "DeleteToken", tokens.DeleteTokenRequest(
                access=_BILLING, request_id=str(uuid.uuid4()), member_id=member, token=token))
            for member, token in list(zip(members, destroyed, strict=True))[start : start + 50]
        ))  # fmt: skip
    kinds = {
        "unknown": [new_token("card") for _ in members],
        "destroyed": destroyed,
        "foreign": [*living[1:], living[0]],
    }
    return {
        kind: [
            reveals.DetokenizeRequest(access=_BILLING, member_id=member, token=token)
            for member, token in zip(members, found, strict=True)
        ]
        for kind, found in kinds.items()
    }


async def _store(channel: grpc.aio.Channel, members: Sequence[str]) -> list[str]:
    numbers = NumberSource(random.Random())
    cards = [
        instruments.Card(
            business_registration_number=numbers.business_number(("81", "86")), number=numbers.card(), expiry="12/40"
        )
        for _ in members
    ]
    items = [
        tokens.TokenizeItem(member_id=member, instrument=instruments.Instrument(card=card))
        for member, card in zip(members, cards, strict=True)
    ]
    request = tokens.BatchTokenizeRequest(access=_BILLING, request_id=str(uuid.uuid4()), items=items)
    answer = await _call(channel, _TOKENIZATION + "BatchTokenize", request)
    return [result.token.token for result in tokens.BatchTokenizeResponse.FromString(answer).results]


async def _call(channel: grpc.aio.Channel, method: str, request: Message) -> bytes:
    make: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    answer: bytes = await make(request.SerializeToString(), timeout=20.0)
    return answer


async def _time(channel: grpc.aio.Channel, request: reveals.DetokenizeRequest) -> float:
    begun = time.perf_counter()
    try:
        await _call(channel, _REVEAL, request)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return time.perf_counter() - begun
        raise
    raise RuntimeError("a number was revealed that should not be there")


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.exit(main())

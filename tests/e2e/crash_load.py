"""Tokenize under crashes: many calls at once, each asked again until it is acknowledged, while a part dies and returns.

The history is the client's own: what was acknowledged, under which record id, at which try.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from onggi.payment_vault.v1.detokenization_service_pb2 import BatchDetokenizeRequest, DetokenizeItem

from dev.stack import Stack
from tests.e2e.faults import BILLING, Answer, Caller, Registration, logged, query

_AT_ONCE = 600
_READERS = 8
_REVEALS_A_CALL = 250
_PATIENCE = 20.0


@dataclass
class History:
    """What the clients saw.

    `acknowledged`: registration -> its answer; `reads`: disclosures while parts crashed; `marks`: counts of
    acknowledgements at which a part is to crash; `most`: how many there may be for now.
    """

    acknowledged: dict[Registration, Answer] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    retried: int = 0
    in_flight: int = 0
    in_flight_at_crash: list[int] = field(default_factory=list)
    reads: list[tuple[Registration, Answer]] = field(default_factory=list)
    seconds: float = 0.0
    marks: dict[int, asyncio.Event] = field(default_factory=dict)
    most: int = 0

    def note(self, registration: Registration, answer: Answer) -> None:
        """Take an acknowledgement, and wake whoever waits for as many as there are now."""
        self.acknowledged[registration] = answer
        if mark := self.marks.get(len(self.acknowledged)):
            mark.set()

    def token(self, registration: Registration) -> str:
        """The acknowledged token."""
        return str(self.acknowledged[registration].message.token.token)


async def tokenize_all(
    billing: Caller, wanted: Sequence[Registration], crash: Callable[[], None], crashes: int
) -> History:
    """Tokenize everything; crash at counts of acknowledgements, evenly spread, the last with a quarter or more to go."""
    history, began = History(most=len(wanted)), time.monotonic()
    free = asyncio.Semaphore(_AT_ONCE)
    marks = [len(wanted) * (number + 1) // (crashes + 2) for number in range(crashes)]
    history.marks = {count: asyncio.Event() for count in marks}
    tasks = [asyncio.create_task(_until_acknowledged(billing, one, free, history)) for one in wanted]
    readers = [asyncio.create_task(_read(billing, history, number)) for number in range(_READERS)]
    for mark, most in zip(history.marks.values(), [*marks[1:], len(wanted)], strict=True):
        await mark.wait()
        while history.in_flight < _AT_ONCE // 2:  # noqa: ASYNC110 - those that wait to try again come back
            await asyncio.sleep(0.005)
        history.in_flight_at_crash.append(history.in_flight)
        history.most = most  # while the victim starts, nothing goes beyond the next mark: its load would be over
        await asyncio.to_thread(crash)
        history.most = len(wanted)
    await asyncio.gather(*tasks)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    history.seconds = time.monotonic() - began
    return history


async def _until_acknowledged(
    billing: Caller, registration: Registration, free: asyncio.Semaphore, history: History
) -> None:
    tries = 0
    while registration not in history.acknowledged:
        async with free:
            while len(history.acknowledged) + history.in_flight >= history.most:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            history.in_flight += 1
            answer = await billing.ask(billing.tokens.Tokenize, registration.request(), _PATIENCE)
            history.in_flight -= 1
        tries += 1
        if answer.code == "OK":
            history.note(registration, answer)
        else:
            name = f"{answer.code} {answer.reason}".rstrip()
            history.failures[name] = history.failures.get(name, 0) + 1
            await asyncio.sleep(random.uniform(0.05, 0.3))
    history.retried += tries > 1


async def _read(billing: Caller, history: History, seed: int) -> None:
    draw = random.Random(seed)
    while True:
        known = list(history.acknowledged)
        if not known:
            await asyncio.sleep(0.01)
            continue
        one = draw.choice(known)
        answer = await billing.ask(billing.reveals.Detokenize, one.reveal(history.token(one)), _PATIENCE)
        if answer.code == "OK":
            history.reads.append((one, answer))
        await asyncio.sleep(0.02)


async def check(stack: Stack, billing: Caller, wanted: Sequence[Registration], history: History) -> dict[str, object]:
    """Hold the history against the services, the log and the tables; return the figures."""
    answers = history.acknowledged
    log = await logged(stack, "payment_vault", [answer.record_id for answer in answers.values()])
    unlogged = [one for one, answer in answers.items() if not _tells(log.get(answer.record_id, []), one)]
    reads = await logged(stack, "payment_vault", [answer.record_id for _, answer in history.reads])
    unlogged_reads = [
        answer.record_id for one, answer in history.reads if not _tells(reads.get(answer.record_id, []), one)
    ]
    again = await _ask_again(billing, wanted)
    other = [one for one, answer in zip(wanted, again, strict=True) if _token(answer) != history.token(one)]
    wrong = [
        one for one, number in zip(wanted, await _reveal(billing, wanted, history), strict=True) if number != one.number
    ]
    members = list({one.member_id for one in wanted})
    [rows] = await query(
        stack, "payment_vault", "SELECT count(*) FROM token WHERE member_id = ANY($1::text[]::uuid[])", members
    )
    return {
        "calls": len(wanted), "acknowledged": len(answers), "retried": history.retried, "failures": history.failures,
        "in_flight_at_crash": history.in_flight_at_crash, "unlogged": len(unlogged), "other_token_at_retry": len(other),
        "wrong_number": len(wrong), "tokens": rows["count"], "instruments": len({(o.member_id, o.number) for o in wanted}),
        "reads": len(history.reads), "unlogged_reads": len(unlogged_reads), "seconds": round(history.seconds, 1),
        "wrong_reads": sum(one.number != answer.message.instrument.card.number for one, answer in history.reads),
    }  # fmt: skip


async def _ask_again(billing: Caller, wanted: Sequence[Registration]) -> list[Answer]:
    """Ask for every token once more, under its first request id."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(registration: Registration) -> Answer:
        async with free:
            return await billing.ask(billing.tokens.Tokenize, registration.request(), _PATIENCE)

    return list(await asyncio.gather(*map(one, wanted)))


def _tells(rows: Sequence[object], registration: Registration) -> bool:
    """Whether the rows of one entry say that this access was answered, and about whom."""
    return any(row["status"] == "OK" and registration.member_id in map(str, row["subject_ids"]) for row in rows)  # type: ignore[index]


def _token(answer: Answer) -> str:
    return answer.message.token.token if answer.code == "OK" else f"{answer.code} {answer.reason}"


async def _reveal(billing: Caller, wanted: Sequence[Registration], history: History) -> list[str]:
    """The numbers behind the acknowledged tokens, in order."""
    items = [DetokenizeItem(member_id=one.member_id, token=history.token(one)) for one in wanted]
    numbers: list[str] = []
    for start in range(0, len(items), _REVEALS_A_CALL):
        request = BatchDetokenizeRequest(access=BILLING, items=items[start : start + _REVEALS_A_CALL])
        answer = await billing.ask(billing.reveals.BatchDetokenize, request, _PATIENCE)
        assert answer.code == "OK", answer
        numbers += [result.instrument.card.number for result in answer.message.results]
    return numbers

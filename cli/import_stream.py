"""Sends batches over StreamTokenize and gives their answers, in order, through whatever happens to the connection.

A few batches are under way at once, so that neither side waits for the other. What was not answered is sent again in
another stream, under the same request ids, until nothing has moved for too long.
"""

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

from grpc import StatusCode
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.payment_vault.v1.tokenization_service_pb2 import StreamTokenizeRequest, TokenizeItem, TokenizeResult
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub

from cli.exit_codes import ExitCode
from cli.failures import CallError, StreamEndedError
from cli.import_file import Refused
from cli.session import Remote

UNDER_WAY: Final = 3
STREAM_SECONDS: Final = 15.0
"""After so long a stream sends no more and another goes on: shorter than a server waits when it renews a connection."""
PATIENCE_SECONDS: Final = 30.0
_LONGEST_PAUSE: Final = 3.0
_AGAIN: Final = frozenset({ExitCode.UNAVAILABLE, ExitCode.EXHAUSTED})
_PASSING: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Batch:
    """Some lines of the file. `items`: those to be sent, by line; `refused`: those that cannot be.

    `end`: the byte behind the last line; `last`: its number.
    """

    number: int
    request_id: str
    items: Sequence[tuple[int, TokenizeItem]]
    refused: Sequence[tuple[int, Refused]]
    end: int
    last: int


Answered = tuple[Batch, Sequence[TokenizeResult]]


class Sender:
    """Sends the batches of an import. `timeout`: seconds that the last answers of a stream may take."""

    def __init__(self, remote: Remote, why: AccessContext, timeout: float) -> None:
        self._remote = remote
        self._method = TokenizationServiceStub(remote.channel).StreamTokenize
        self._opening = StreamTokenizeRequest(access=why)
        self._timeout = timeout
        self._waiting: deque[Batch] = deque()  # taken, not answered yet
        self._moved = 0.0
        self._pause = 0.0

    def answers(self, batches: Iterator[Batch]) -> Iterator[Answered]:
        """Yield each batch with its results, in order. Raises CallError when the service refuses, or stays away."""
        more = True
        self._has_moved()
        while more:
            try:
                more = yield from self._stream(batches)
            except CallError as failure:
                if failure.exit_code not in _AGAIN or time.monotonic() - self._moved > PATIENCE_SECONDS:
                    raise
                time.sleep(max(self._pause, failure.retry_seconds or 0.0))
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _stream(self, batches: Iterator[Batch]) -> Generator[Answered, None, bool]:
        """One stream; returns whether there is more to send in another."""
        queue: SimpleQueue[StreamTokenizeRequest | None] = SimpleQueue()
        queue.put(self._opening)
        responses = self._remote.exchange(self._method, iter(queue.get, None), STREAM_SECONDS + self._timeout)
        ends, sent, more = time.monotonic() + STREAM_SECONDS, 0, True
        try:
            while True:
                while more and sent < UNDER_WAY and time.monotonic() < ends:
                    if sent == len(self._waiting):
                        if (batch := next(batches, None)) is None:
                            more = False
                            break
                        self._waiting.append(batch)
                    if (batch := self._waiting[sent]).items:
                        queue.put(_message(batch))
                    sent += 1
                if not sent:
                    break
                batch = self._waiting[0]
                yield batch, self._results(batch, responses) if batch.items else ()
                self._waiting.popleft()
                sent -= 1
                self._has_moved()
            queue.put(None)
            if next(responses, None) is not None:
                raise StreamEndedError("the service answered what was not asked")
        finally:
            queue.put(None)
            responses.close()
        return more

    def _results(self, batch: Batch, responses: Iterator[object]) -> Sequence[TokenizeResult]:
        response = next(responses, None)
        results: Sequence[TokenizeResult] = getattr(response, "results", ())
        if len(results) != len(batch.items) or getattr(response, "request_id", "") != batch.request_id:
            raise StreamEndedError("the service ended the stream, or answered another batch")
        for result in results:
            if result.error.code in _PASSING:  # not the item's fault: the batch is sent again
                trace_id = self._remote.session.trace.trace_id
                raise CallError(self._remote.service, StatusCode[result.error.code], trace_id=trace_id)
        return results

    def _has_moved(self) -> None:
        self._moved, self._pause = time.monotonic(), 0.1


def _message(batch: Batch) -> StreamTokenizeRequest:
    return StreamTokenizeRequest(request_id=batch.request_id, items=[item for _, item in batch.items])

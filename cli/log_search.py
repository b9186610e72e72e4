"""Asks the processing logs of all services at once and merges what they say.

Each service keeps its own log, so one that is down hides its part and no other. What is missing is named.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from onggi.processing_log.v1.processing_log_service_pb2 import Entry, SearchEntriesRequest
from onggi.processing_log.v1.processing_log_service_pb2_grpc import ProcessingLogServiceStub

from cli import error_view
from cli.config import SERVICES
from cli.exit_codes import ExitCode
from cli.failures import CommandError, IncompleteError
from cli.paging import collect
from cli.session import Remote, Session

PAGE_SIZE: Final = 200
NO_LIMIT: Final = 2**31


@dataclass
class Found:
    """Entries, newest first; `more` when the limit left some out; the services that failed, by name."""

    entries: list[Entry] = field(default_factory=list)
    more: bool = False
    failures: Mapping[str, CommandError] = field(default_factory=dict)

    def raise_if_incomplete(self, session: Session) -> None:
        """Shows each failure and ends the command: exit 3 for a service without an answer, else its failure's code."""
        for name, failure in self.failures.items():
            error_view.show(failure, as_json=session.options.json)
            if not session.options.json:
                session.note(f"INCOMPLETE: the log of {name} is missing")
        codes = [failure.exit_code for failure in self.failures.values()]
        if codes:
            others = [code for code in codes if code is not ExitCode.UNAVAILABLE]
            raise IncompleteError(others[0] if others else ExitCode.UNAVAILABLE)


def search(session: Session, request: SearchEntriesRequest, limit: int = NO_LIMIT) -> Found:
    """The entries of all services that match, newest first, at most `limit`. Raises UsageError; no CallError."""
    remotes = [session.remote(name) for name in SERVICES]
    with ThreadPoolExecutor(len(remotes)) as pool:
        logs = list(pool.map(lambda remote: _one(remote, request, limit), remotes))
    entries = sorted((entry for log in logs for entry in log.entries), key=_age, reverse=True)
    failures = {name: failure for log in logs for name, failure in log.failures.items()}
    return Found(entries[:limit], len(entries) > limit or any(log.more for log in logs), failures)


def _one(remote: Remote, request: SearchEntriesRequest, limit: int) -> Found:
    found = Found()
    stub = ProcessingLogServiceStub(remote.channel)
    try:
        found.more = collect(
            remote,
            stub.SearchEntries,
            request,
            lambda response: response.entries,
            into=found.entries,
            limit=limit,
            page_size=PAGE_SIZE,
        )
    except CommandError as failure:
        found.failures = {remote.service: failure}
    return found


def _age(entry: Entry) -> tuple[int, int, str]:
    return entry.occurred_at.seconds, entry.occurred_at.nanos, entry.record_id

"""One entry of the processing log (접속기록) while its call is under way.

The five items that the standard asks for (안전성 확보조치 기준 제2조 3호, LG-01): who (식별자), when (접속일시), from where
(접속지), whose data (처리한 정보주체), what was done (수행업무).
"""

import os
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from chassis.errors import DomainError, reason_name

MAX_SUBJECTS = 1000
# A record's id needs to differ, not to be unguessable: who may read the log is access.toml's affair.
_RANDOM = random.Random(os.urandom(32))  # noqa: S311
ACCESS, OUTCOME = "ACCESS", "OUTCOME"


def new_record_id() -> str:
    """Return a UUID version 7 (RFC 9562): random, and in order of time to the millisecond."""
    value = (time.time_ns() // 1_000_000 << 80) | _RANDOM.getrandbits(80)
    spelt = f"{value & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62:032x}"
    return f"{spelt[:8]}-{spelt[8:12]}-{spelt[12:16]}-{spelt[16:20]}-{spelt[20:]}"


@dataclass(slots=True)
class Entry:
    """The row of one access.

    ``sent`` is true while a flush or a change has it under way, ``written`` turns true when it is durable.

    ``lookup`` is the id or index that a read asks for; a row whose lookup is not found gets ``missing_status`` and
    ``missing_reason``, decided by the very statement that looks.
    """

    rpc_method: str
    action: str
    trace_id: str
    span_id: str
    parent_span_id: str
    policy_version: str
    actor: str = "unidentified"
    actor_type: str = "SERVICE"
    peer_address: str = "unknown"
    subject_ids: list[str] = field(default_factory=list)
    resource_ids: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    purpose: str = ""
    reason: str = ""
    ticket: str = ""
    request_id: str = ""
    status: str = "OK"
    error_reason: str = ""
    phase: str = ACCESS
    lookup: str | None = None
    missing_status: str = "NOT_FOUND"
    missing_reason: str = ""
    occurred_ns: int = field(default_factory=time.time_ns)
    record_id: str = field(default_factory=new_record_id)
    sent: bool = False
    written: bool = False

    def about(self, subjects: Iterable[str]) -> None:
        """Add data subjects, each once."""
        self.subject_ids = list(dict.fromkeys((*self.subject_ids, *subjects)))

    def seek(self, lookup: str, missing: type[DomainError]) -> None:
        """Note what the read asks for, and what its row says where that is not found."""
        self.lookup, self.missing_status, self.missing_reason = lookup, missing.code.name, reason_name(missing.reason)

    def settled(self, answered: type[DomainError]) -> None:
        """Note with which error the call ends, where the very statement that decided it has written the row so."""
        self.lookup, self.missing_reason = self.lookup or "", reason_name(answered.reason)

    def outcome(self, status: str, reason: str) -> "Entry":
        """Return a second row that tells that the call failed after its first row was durable."""
        return replace(
            self,
            status=status,
            error_reason=reason,
            phase=OUTCOME,
            lookup=None,
            items=[],
            occurred_ns=time.time_ns(),
            record_id=new_record_id(),
            sent=False,
            written=False,
        )

    def following(self) -> "Entry":
        """Return the row of the next message of this call's stream: an access of its own, under the same why."""
        return replace(
            self,
            span_id=f"{_RANDOM.getrandbits(64) or 1:016x}",
            parent_span_id=self.span_id,
            subject_ids=[],
            resource_ids=[],
            items=[],
            request_id="",
            lookup=None,
            occurred_ns=time.time_ns(),
            record_id=new_record_id(),
            sent=False,
            written=False,
        )

    def columns(self) -> dict[str, Any]:
        """Return the row as the ledger's insert takes it."""
        return {
            "record_id": self.record_id,
            "occurred_at": datetime.fromtimestamp(self.occurred_ns / 1e9, UTC).isoformat(),
            "actor": self.actor,
            "actor_type": self.actor_type,
            "peer_address": self.peer_address,
            "subject_ids": self.subject_ids[:MAX_SUBJECTS],
            "subject_count": len(self.subject_ids),
            "resource_ids": self.resource_ids[:MAX_SUBJECTS],
            "action": self.action,
            "rpc_method": self.rpc_method,
            "status": self.status,
            "error_reason": self.error_reason,
            "items": self.items,
            "purpose": self.purpose,
            "reason": self.reason,
            "ticket": self.ticket,
            "request_id": self.request_id,
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "parent_span_id": self.parent_span_id,
            "policy_version": self.policy_version,
            "phase": self.phase,
            "lookup": self.lookup,
            "missing_status": self.missing_status,
            "missing_reason": self.missing_reason,
        }


@contextmanager
def carried(entries: Sequence[Entry]) -> Iterator[None]:
    """Say that the entries are under way with what the block does; when it ends well, they are durable."""
    for entry in entries:
        entry.sent = True
    try:
        yield
        for entry in entries:
            entry.written = True
    finally:
        for entry in entries:
            entry.sent = False


def rows(entries: Iterable[Entry]) -> str:
    """Return the rows as the JSON text that the ledger's insert takes as its one parameter."""
    return orjson.dumps([entry.columns() for entry in entries]).decode()

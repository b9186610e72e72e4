"""Holders of personal data for the tests of the retention service: small, real PurgeService servers over mutual TLS.

They keep sets of units in memory, fence by epoch as a holder must, and can be told to fail.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from onggi.purge.v1 import purge_service_pb2 as api
from onggi.purge.v1 import purge_service_pb2_grpc as rpc

from chassis.purge import digest
from dev.identities import Credentials

PAGE = 1000


@dataclass
class Kept:
    """What a holder keeps of one category.

    ``rows``: rows of each unit; ``subjects``: whether units are subjects; ``conflicts``: what a law keeps longer.
    """

    table: str
    due: list[str] = field(default_factory=list)
    rows: int = 1
    subjects: bool = True
    follows: bool = False
    conflicts: int = 0


@dataclass
class Fixed:
    """One plan's set of one category here."""

    epoch: int
    units: dict[str, str] = field(default_factory=dict)

    def count(self, state: str) -> int:
        return sum(known == state for known in self.units.values())


class Holder(rpc.PurgeServiceServicer):
    """A holder.

    ``failures``: how many of the coming ExecutePurge calls fail; ``left``: what the verification finds; ``kept``: what it
    tells of whomever it is asked for; ``holds``: by id, true while one stands; ``held``: units that it leaves alone.
    """

    def __init__(self, categories: dict[str, Kept], page: int = PAGE) -> None:
        self.categories = categories
        self.page = page
        self.sets: dict[tuple[str, str], Fixed] = {}
        self.failures = 0
        self.down = False
        self.left = 0
        self.kept: list[api.Kept] = []
        self.holds: dict[str, bool] = {}
        self.held: set[str] = set()
        self.before_kept: Callable[[], Awaitable[object]] | None = None
        self.idle = False
        self.pause = 0.0
        self.executing = asyncio.Event()
        self.calls: list[tuple[str, Any, dict[str, str]]] = []

    async def PreparePurge(self, request: api.PreparePurgeRequest, context: Any) -> api.PreparePurgeResponse:  # noqa: N802
        await self._begin("PreparePurge", request, context)
        kept = self.categories[request.category]
        known = self.sets.setdefault((request.plan_id, request.category), Fixed(request.epoch))
        await self._fence(known, request.epoch, context)
        if not request.page_token:
            for unit in request.subject_ids if kept.follows else kept.due:
                known.units.setdefault(unit, "DUE")
        units = sorted(known.units)
        start = int(request.page_token or 0)
        shown = units[start : start + self.page]
        more = start + self.page < len(units)
        return api.PreparePurgeResponse(
            counts=[api.TableCount(table=kept.table, rows=len(units) * kept.rows)], units=len(units),
            digest=digest(units), subject_ids=shown if kept.subjects else [],
            next_page_token=str(start + self.page) if more else "", conflicts=0 if start else kept.conflicts,
        )  # fmt: skip

    async def ExecutePurge(self, request: api.ExecutePurgeRequest, context: Any) -> api.ExecutePurgeResponse:  # noqa: N802
        await self._begin("ExecutePurge", request, context)
        known = self.sets[request.plan_id, request.category]
        await self._fence(known, request.epoch, context)
        if self.failures:
            self.failures -= 1
            await _abort(context, grpc.StatusCode.INTERNAL, "INTERNAL")
        self.executing.set()
        await asyncio.sleep(self.pause)
        due = sorted(unit for unit, state in known.units.items() if state == "DUE")
        for unit in [] if self.idle else due[: request.limit]:
            known.units[unit] = "HELD" if unit in self.held else "DESTROYED"
        kept = self.categories[request.category]
        kept.due = [unit for unit in kept.due if known.units.get(unit) != "DESTROYED"]
        rows = known.count("DESTROYED") * kept.rows
        return api.ExecutePurgeResponse(
            destroyed=[api.TableCount(table=kept.table, rows=rows)],
            remaining=known.count("DUE"),
            held=known.count("HELD"),
        )

    async def VerifyPurge(self, request: api.VerifyPurgeRequest, context: Any) -> api.VerifyPurgeResponse:  # noqa: N802
        await self._begin("VerifyPurge", request, context)
        known = self.sets[request.plan_id, request.category]
        await self._fence(known, request.epoch, context)
        name = f"rows left in {self.categories[request.category].table}"
        check = api.PurgeCheck(name=name, examined=len(known.units), left=self.left, passed=not self.left)
        return api.VerifyPurgeResponse(checks=[check], clean=check.passed)

    async def ListKept(self, request: api.ListKeptRequest, context: Any) -> api.ListKeptResponse:  # noqa: N802
        await self._begin("ListKept", request, context)
        if self.before_kept is not None:
            await self.before_kept()
        start = int(request.page_token or 0)
        more = start + self.page < len(self.kept)
        shown = self.kept[start : start + self.page]
        return api.ListKeptResponse(kept=shown, next_page_token=str(start + self.page) if more else "")

    async def SetHold(self, request: api.SetHoldRequest, context: Any) -> api.SetHoldResponse:  # noqa: N802
        await self._begin("SetHold", request, context)
        self.holds[request.hold_id] = self.holds.get(request.hold_id, True) and not request.released
        return api.SetHoldResponse()

    async def ConfirmHolds(self, request: api.ConfirmHoldsRequest, context: Any) -> api.ConfirmHoldsResponse:  # noqa: N802
        await self._begin("ConfirmHolds", request, context)
        for hold in request.standing:
            if not self.holds.setdefault(hold.hold_id, True):
                await _abort(context, grpc.StatusCode.FAILED_PRECONDITION, "HOLD_STATE")
        for hold in request.released:
            if hold.hold_id in self.holds:
                self.holds[hold.hold_id] = False
        return api.ConfirmHoldsResponse()

    async def _begin(self, name: str, request: Any, context: Any) -> None:
        self.calls.append((name, request, dict(context.invocation_metadata())))
        if self.down:
            await _abort(context, grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")

    async def _fence(self, known: Fixed, epoch: int, context: Any) -> None:
        if epoch < known.epoch:
            await _abort(context, grpc.StatusCode.FAILED_PRECONDITION, "STALE_EPOCH")
        known.epoch = epoch

    def of(self, name: str, plan_id: str) -> list[tuple[Any, dict[str, str]]]:
        """The calls of one method for one plan: request and metadata."""
        return [
            (request, data) for called, request, data in self.calls if called == name and request.plan_id == plan_id
        ]

    def states(self, plan_id: str, category: str) -> Counter[str]:
        """How many units of a set are in which state."""
        return Counter(self.sets[plan_id, category].units.values())


async def _abort(context: Any, code: grpc.StatusCode, reason: str) -> None:
    info = Packed()
    info.Pack(ErrorInfo(reason=reason, domain="onggi"))
    status = Status(code=code.value[0], message=reason, details=[info])
    await context.abort(code, reason, (("grpc-status-details-bin", status.SerializeToString()),))


async def serve(holder: Holder, address: str, files: Credentials) -> grpc.aio.Server:
    """Serve a holder at the address that the stack has for it, with its own certificate."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    rpc.add_PurgeServiceServicer_to_server(holder, server)
    pair = (files.key.read_bytes(), files.certificate.read_bytes())
    credentials = grpc.ssl_server_credentials([pair], files.ca.read_bytes(), require_client_auth=True)
    assert server.add_secure_port(address, credentials)
    await server.start()
    return server

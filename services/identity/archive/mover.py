"""Moves into the archive what only its bases still keep once the member has left (법 제21조 제3항). Runs in identity.

Two databases and no common commit: a record is put into the archive first and destroyed here after that, while its rows
are locked here. Killed in between, it is in both, and the next look finds it here and does it again; the archive takes
it once. So it is never in neither, and in the end in one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from onggi.identity.v1.record_service_pb2 import Record
from onggi.options.v1 import options_pb2 as options
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import errors, holds
from chassis.background import Background, Rhythm
from chassis.database import DATABASE_ERRORS, DatabaseRefused, constraint, is_refusal, reading, sqlstate
from chassis.entry import Entry
from chassis.job import job_entry
from chassis.ledger import append_within
from services.identity.archive import left_records
from services.identity.archive.depositor import Depositor, Outcome
from services.identity.archive.left_records import Looked
from services.identity.archive.reseal import Parcel, Resealer
from services.identity.archive.standings import Share, Standings

log = structlog.get_logger()

# SQLSTATE classes of what is wrong with the data itself: data exception, integrity constraint violation.
_OF_DATA = ("22", "23")
RPC = "onggi.identity.v1.ArchiveService/Move"  # no RPC: what identity does by itself, under a name of that kind


@dataclass(frozen=True, slots=True)
class Pace:
    """Records a batch, records a page of the look, seconds between looks, and until what cannot move is tried again."""

    batch: int = 100
    page: int = 500
    look_seconds: float = 5.0
    again_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Actor:
    """Who moves: identity's SPIFFE id. ``policy_version``: tells the version of the policy that is in force."""

    spiffe_id: str
    policy_version: Callable[[], str]


class Mover(Background):
    """Works from ``start`` to ``close``. Several may: each record is moved by whoever has it locked."""

    def __init__(
        self, engine: AsyncEngine, depositor: Depositor, resealer: Resealer, standings: Standings, actor: Actor,
        *, pace: Pace | None = None,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._depositor = depositor
        self._resealer = resealer
        self._standings = standings
        self._actor = actor
        self._pace = pace or Pace()
        super().__init__("mover", "moves wait", Rhythm(self._pace.look_seconds, self._pace.look_seconds))
        self._resting: dict[str, float] = {}

    async def look(self) -> bool:
        """Move all that is to be moved. Raises DatabaseUnavailable, KeyServiceUnavailable."""
        after = ""
        while True:
            async with reading(self._engine) as connection:
                page = await left_records.look(connection, after, self._pace.page)
            moving = [
                item.record_id for item in page if self._share(item) is not None and not self._rests(item.record_id)
            ]
            for start in range(0, len(moving), self._pace.batch):
                await self._move(moving[start : start + self._pace.batch])
            if len(page) < self._pace.page:
                return True
            after = page[-1].record_id

    async def _move(self, record_ids: Sequence[str]) -> None:
        """Read and reseal without a lock, since that asks the key service; then lock, compare, put in, destroy."""
        async with reading(self._engine) as connection:
            found = await left_records.read(connection, record_ids)
        shares = [(record, share) for record in found.values() if (share := self._share(record)) is not None]
        parcels, broken = await self._resealer.reseal(shares)
        for record_id in broken:
            self._rest(record_id, "a record that is to be moved does not open")
        if parcels:
            await self._hand_over(parcels)

    async def _hand_over(self, parcels: Sequence[Parcel]) -> None:
        """Hand over a batch; where a database refuses it for what is in it, find what that is: the rest goes its way."""
        try:
            await self._hand_over_all(parcels)
            return
        except DatabaseRefused as error:
            if error.state[:2] not in _OF_DATA:
                raise
        if len(parcels) == 1:
            self._rest(parcels[0].left.record_id, "a record that is to be moved is refused")
            return
        middle = len(parcels) // 2
        await self._hand_over(parcels[:middle])
        await self._hand_over(parcels[middle:])

    async def _hand_over_all(self, parcels: Sequence[Parcel]) -> None:
        try:
            async with self._engine.begin() as connection:
                await holds.keep_out_new(connection)
                locked = await left_records.read_locked(connection, [parcel.left.record_id for parcel in parcels])
                same = [parcel for parcel in parcels if locked.get(parcel.left.record_id) == parcel.left]
                there = await self._deposit(same)
                if there:
                    # The row goes first: a change of personal data without one is refused by the database.
                    await append_within(connection, [self._entry(there)])
                    await left_records.destroy(connection, [parcel.left for parcel in there])
        except DATABASE_ERRORS as error:
            if is_refusal(error):
                log.error("move refused", sqlstate=sqlstate(error))
                raise DatabaseRefused(sqlstate(error), constraint(error)) from None
            raise errors.DatabaseUnavailable from None

    async def _deposit(self, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
        """Put the parcels in; return those that are in, by this attempt or by an earlier one."""
        while parcels:
            outcomes = await self._depositor.deposit(parcels, self._entry(parcels))
            others = {record_id for record_id, outcome in outcomes.items() if outcome is Outcome.OTHER}
            if not others:
                break
            for record_id in others:
                self._rest(record_id, "the archive has something else under this id")
            parcels = [parcel for parcel in parcels if parcel.left.record_id not in others]
        return parcels

    def _share(self, record: Looked) -> Share | None:
        return self._standings.moving(record.kind, record.bases, record.policy_version, held=record.held)

    def _entry(self, parcels: Sequence[Parcel]) -> Entry:
        records = [parcel.left.record_id for parcel in parcels]
        entry = job_entry(self._actor.spiffe_id, self._actor.policy_version(), RPC, "ARCHIVE", records)
        entry.about(parcel.left.member_id for parcel in parcels)
        entry.items = sorted({item_of(parcel.left.kind, field.field) for parcel in parcels for field in parcel.fields})
        return entry

    def _rest(self, record_id: str, what: str) -> None:
        """Call an operator, and leave the record alone for a while: it is looked at every few seconds."""
        self._resting[record_id] = time.monotonic() + self._pace.again_seconds
        log.error(what, record_id=record_id)

    def _rests(self, record_id: str) -> bool:
        if self._resting.get(record_id, 0.0) > time.monotonic():
            return True
        self._resting.pop(record_id, None)
        return False


def item_of(kind: str, field: str) -> str:
    """Return the policy's name of what a field of a kind of record holds."""
    message = Record.DESCRIPTOR.fields_by_name[kind].message_type
    assert message is not None
    return str(message.fields_by_name[field].GetOptions().Extensions[options.personal].item)

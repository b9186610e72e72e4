"""PurgeService for any holder: the plan's fixed set, the fence, the counts and the verification.

What belongs to a category (which rows, which salts) is the service's own and comes as a ``Category``; the order of things
and the promises are the same for every holder and stand here.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import contract, errors, page
from chassis.call import Call
from chassis.cutoffs import Cutoffs, texts
from chassis.database import DATABASE_ERRORS, is_refusal, reading, sqlstate
from chassis.detached import detached
from chassis.entry import carried
from chassis.erasure_keys import ErasureKeys, Place, context
from chassis.errors import Code, Violation
from chassis.kept import Keeper, list_kept
from chassis.ledger import append_within
from chassis.transit import Sealed, Transit

log = structlog.get_logger()

PAGE = 1000


class CategoryUnknown(errors.DomainError):
    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_CATEGORY_UNKNOWN
    message = "this holder keeps nothing of that category"

    def __init__(self) -> None:
        super().__init__([Violation("category", "unknown")])


class StaleEpoch(errors.DomainError):
    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_STALE_EPOCH
    message = "a newer attempt of this purge is known here"


class PlanChanged(errors.DomainError):
    code, reason = Code.ABORTED, reasons.ERROR_REASON_PLAN_CHANGED
    message = "the set is not the approved one"


class PlanUnknown(errors.DomainError):
    code, reason = Code.NOT_FOUND, reasons.ERROR_REASON_PLAN_NOT_FOUND
    message = "no such purge plan here"


@dataclass(frozen=True, slots=True)
class Sample:
    """A ciphertext kept until the verification, which must fail to decrypt it; without the salt, of course."""

    key: str
    unit: str
    place: Place
    ciphertext: str


@dataclass(slots=True)
class Destroyed:
    """What one batch did: rows by table, the units that were no longer due, and one ciphertext as a sample."""

    rows: dict[str, int]
    skipped: list[str] = field(default_factory=list)
    sample: Sample | None = None


class Category(Protocol):
    """What a service knows of one category. Every method works within the transaction of the connection."""

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the units that are due: their event date is the cut-off or earlier, or their subject is given."""
        ...

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the rows of these units, by table."""
        ...

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """Destroy salts, then rows, of those units that are still due; lock them before looking."""
        ...

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return the ids of the data subjects among the units; none where a unit is not a subject."""
        ...

    async def left(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return what is left of destroyed units and must not be, by what it is: rows by table, and living salts.

        This is right where the units are the erasure units themselves and end whole; a category that ends by parts has
        its own.
        """
        rows = await self.count(connection, units)
        salts = await connection.scalar(_LIVE_SALTS, {"units": list(units)})
        return {f"rows left in {table}": number for table, number in rows.items()} | {"salts left": salts or 0}


_RUN = text("""
INSERT INTO purge_run (plan_id, category, epoch, through, cutoffs)
VALUES (CAST(:plan AS uuid), :category, :epoch, :through, CAST(:cutoffs AS jsonb))
ON CONFLICT (plan_id, category) DO UPDATE SET epoch = greatest(purge_run.epoch, excluded.epoch)
RETURNING epoch, through, cutoffs
""")
_ADD_ITEMS = text("""
INSERT INTO purge_item (plan_id, category, unit) SELECT CAST(:plan AS uuid), :category, unnest(CAST(:units AS text[]))
ON CONFLICT DO NOTHING
""")
_FENCE = text("""
UPDATE purge_run SET epoch = greatest(epoch, :epoch)
WHERE plan_id = CAST(:plan AS uuid) AND category = :category RETURNING epoch, through, cutoffs, destroyed, digest
""")
_ALL_UNITS = text("""
SELECT unit FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category ORDER BY unit
""")
_PLANNED = text("""
UPDATE purge_run SET planned = CAST(:planned AS jsonb), digest = :digest
WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
_NEXT = text("""
SELECT unit FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category AND state = 'DUE'
ORDER BY unit LIMIT :size FOR UPDATE SKIP LOCKED
""")
_DONE = text("""
UPDATE purge_item SET state = CASE WHEN unit = ANY(CAST(:skipped AS text[])) THEN 'SKIPPED' ELSE 'DESTROYED' END
WHERE plan_id = CAST(:plan AS uuid) AND category = :category AND unit = ANY(CAST(:units AS text[]))
""")
_TALLY = text("""
UPDATE purge_run SET destroyed = CAST(:destroyed AS jsonb), sample = coalesce(sample, CAST(:sample AS jsonb))
WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
_LOOK = text("""
SELECT epoch, sample FROM purge_run WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
_LEFT = text("""
SELECT count(*) FILTER (WHERE state = 'DUE') AS due, count(*) FILTER (WHERE state = 'SKIPPED') AS skipped
FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
_DESTROYED_UNITS = text("""
SELECT unit FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category AND state = 'DESTROYED'
""")
_LIVE_SALTS = text(
    "SELECT count(*) FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) AND wrapped_salt IS NOT NULL"
)
_SALT = text("SELECT wrapped_salt FROM erasure_key WHERE unit = :unit")


class PurgeServicer:
    """Servicer of PurgeService. ``auditor`` is an engine under another role, for the verification alone."""

    def __init__(
        self, engine: AsyncEngine, auditor: AsyncEngine, categories: Mapping[str, Category], keys: ErasureKeys,
        transit: Transit, *, keeper: Keeper,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._auditor = auditor
        self._categories = categories
        self._keys = keys
        self._transit = transit
        self._keeper = keeper

    async def prepare_purge(self, request: api.PreparePurgeRequest, call: Call) -> api.PreparePurgeResponse:
        """Fix the set. Raises CategoryUnknown, StaleEpoch, InvalidField, DatabaseUnavailable."""
        category = self._category(request.category)
        [after] = page.key(request.page_token, page.unit) or [""]
        cutoffs = Cutoffs.read(request.through, request.cutoffs)
        everything, counts = await detached(self._fix(category, request, call, cutoffs))
        shown = [unit for unit in everything if unit > after][:PAGE]
        return api.PreparePurgeResponse(
            counts=_counts(counts),
            units=len(everything),
            digest=digest(everything),
            subject_ids=category.subjects(shown),
            next_page_token=page.token(shown[-1]) if len(shown) == PAGE and shown[-1] != everything[-1] else "",
        )

    async def _fix(
        self, category: Category, request: api.PreparePurgeRequest, call: Call, asked: Cutoffs
    ) -> tuple[Sequence[str], Mapping[str, int]]:
        key = {"plan": request.plan_id, "category": request.category}
        async with self._recorded(call) as connection:
            cutoffs = {"through": asked.through, "cutoffs": json.dumps(texts(asked.by_version))}
            run = (await connection.execute(_RUN, {**key, "epoch": request.epoch, **cutoffs})).one()
            self._fence(run.epoch, request.epoch)
            if not request.page_token:
                fixed = Cutoffs.stored(run.through, run.cutoffs)
                units = await category.collect(connection, fixed, request.subject_ids)
                await connection.execute(_ADD_ITEMS, {**key, "units": list(units)})
            everything = list((await connection.scalars(_ALL_UNITS, key)).all())
            counts = await category.count(connection, everything)
            planned = {**key, "planned": json.dumps(dict(counts)), "digest": digest(everything)}
            await connection.execute(_PLANNED, planned)
            await append_within(connection, [call.entry])
        return everything, counts

    async def execute_purge(self, request: api.ExecutePurgeRequest, call: Call) -> api.ExecutePurgeResponse:
        """Destroy a part of the set. Raises CategoryUnknown, PlanUnknown, PlanChanged, StaleEpoch, DatabaseUnavailable."""
        return await detached(self._execute(self._category(request.category), request, call))

    async def _execute(
        self, category: Category, request: api.ExecutePurgeRequest, call: Call
    ) -> api.ExecutePurgeResponse:
        key = {"plan": request.plan_id, "category": request.category}
        async with self._recorded(call) as connection:
            run = (await connection.execute(_FENCE, {**key, "epoch": request.epoch})).one_or_none()
            if run is None:
                raise PlanUnknown
            self._fence(run.epoch, request.epoch)
            if run.digest != request.digest:
                raise PlanChanged
            units = list((await connection.scalars(_NEXT, {**key, "size": request.limit})).all())
            call.entry.about(category.subjects(units))
            # The row goes first: a change of personal data without one is refused by the database.
            await append_within(connection, [call.entry])
            destroyed = dict(run.destroyed)
            if units:
                batch = await category.destroy(connection, Cutoffs.stored(run.through, run.cutoffs), units)
                tables = destroyed | batch.rows
                destroyed = {table: destroyed.get(table, 0) + batch.rows.get(table, 0) for table in tables}
                await connection.execute(_DONE, {**key, "units": units, "skipped": batch.skipped})
                tally = {**key, "destroyed": json.dumps(destroyed), "sample": _sample(batch.sample)}
                await connection.execute(_TALLY, tally)
            left = (await connection.execute(_LEFT, key)).one()
        self._keys.forget(units)
        return api.ExecutePurgeResponse(destroyed=_counts(destroyed), remaining=left.due, skipped=left.skipped)

    @asynccontextmanager
    async def _recorded(self, call: Call) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that carries the call's log row; what breaks is DatabaseUnavailable."""
        try:
            with carried([call.entry]):
                async with self._engine.begin() as connection:
                    yield connection
        except DATABASE_ERRORS as error:
            if is_refusal(error):
                log.error("purge statement refused", sqlstate=sqlstate(error))
            raise errors.DatabaseUnavailable from None

    async def verify_purge(self, request: api.VerifyPurgeRequest, call: Call) -> api.VerifyPurgeResponse:
        """Look whether anything is left, under another role. Raises CategoryUnknown, PlanUnknown, DatabaseUnavailable."""
        category = self._category(request.category)
        key = {"plan": request.plan_id, "category": request.category}
        async with reading(self._auditor) as connection:
            run = (await connection.execute(_LOOK, key)).one_or_none()
            if run is None:
                raise PlanUnknown
            self._fence(run.epoch, request.epoch)
            units = list((await connection.scalars(_DESTROYED_UNITS, key)).all())
            left = await category.left(connection, units)
            due = (await connection.execute(_LEFT, key)).one().due
            checks = [_check(name, len(units), number) for name, number in left.items()]
            checks.append(_check("units of the plan not destroyed", len(units) + due, due))
            if run.sample is not None:
                checks.append(await self._decrypts(connection, _sample_from(run.sample)))
        return api.VerifyPurgeResponse(checks=checks, clean=all(check.passed for check in checks))

    async def list_kept(self, request: api.ListKeptRequest, call: Call) -> api.ListKeptResponse:
        """Tell what is kept, under which basis and since when. Raises PageTokenInvalid, DatabaseUnavailable."""
        answer = await list_kept(self._engine, self._keeper, request)
        call.entry.about(contract.subjects(answer))  # of a record, whose it is stands in the answer alone (LG-01)
        return answer

    async def _decrypts(self, connection: AsyncConnection, sample: Sample) -> api.PurgeCheck:
        """Try to decrypt the kept ciphertext with what is left of its salt; and prove that decryption itself works."""
        wrapped = await connection.scalar(_SALT, {"unit": sample.unit})
        salts: list[bytes] = [bytes(32), b""]
        if wrapped is not None:
            salts += [salt for salt in await self._keys.unwrap([wrapped]) if isinstance(salt, bytes)]
        tries = [Sealed(sample.ciphertext, context(salt, sample.place)) for salt in salts]
        opened = [item for item in await self._transit.decrypt(sample.key, tries) if isinstance(item, bytes)]
        return _check("kept ciphertext that still decrypts", len(tries), len(opened))

    def _category(self, name: str) -> Category:
        if (category := self._categories.get(name)) is None:
            raise CategoryUnknown
        return category

    @staticmethod
    def _fence(known: int, given: int) -> None:
        if given < known:
            raise StaleEpoch


def digest(units: Sequence[str]) -> str:
    """Return SHA-256 over the sorted units, one a line, in hexadecimal. Units are random ids and days, not personal."""
    return hashlib.sha256("\n".join(sorted(units)).encode()).hexdigest()


def _counts(rows: Mapping[str, int]) -> list[api.TableCount]:
    return [api.TableCount(table=table, rows=number) for table, number in sorted(rows.items())]


def _sample(sample: Sample | None) -> str | None:
    if sample is None:
        return None
    return json.dumps({"key": sample.key, "unit": sample.unit, "place": sample.place, "ciphertext": sample.ciphertext})


def _sample_from(data: Mapping[str, Any]) -> Sample:
    return Sample(data["key"], data["unit"], Place(*data["place"]), data["ciphertext"])


def _check(name: str, examined: int, left: int) -> api.PurgeCheck:
    return api.PurgeCheck(name=name, examined=examined, left=left, passed=left == 0)

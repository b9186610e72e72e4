"""PurgeService for any holder: the plan's fixed set, the fence, the counts and the verification.

What belongs to a category (which rows, which salts) is the service's own and comes as a ``Category``; the order of things
and the promises are the same for every holder and stand here.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors, holds, page
from chassis import purge_tables as tables
from chassis.call import Call
from chassis.contents import contents
from chassis.cutoffs import Cutoffs, texts
from chassis.database import DATABASE_ERRORS, is_refusal, reading, sqlstate
from chassis.detached import detached
from chassis.entry import carried
from chassis.erasure_keys import ErasureKeys, Place, context
from chassis.errors import Code, Violation
from chassis.hold_confirmation import Said
from chassis.kept import Keeper, Key, Part, list_kept
from chassis.ledger import append_within
from chassis.purge_category import Category, Sample, destroy, summed
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
        everything, counts, conflicts = await detached(self._fix(category, request, call, cutoffs))
        shown = [unit for unit in everything if unit > after][:PAGE]
        return api.PreparePurgeResponse(
            counts=_counts(counts),
            units=len(everything),
            digest=digest(everything),
            subject_ids=category.subjects(shown),
            next_page_token=page.token(shown[-1]) if len(shown) == PAGE and shown[-1] != everything[-1] else "",
            conflicts=len(conflicts),
        )

    async def _fix(
        self, category: Category, request: api.PreparePurgeRequest, call: Call, asked: Cutoffs
    ) -> tuple[Sequence[str], Mapping[str, int], Sequence[str]]:
        key = {"plan": request.plan_id, "category": request.category}
        conflicts: Sequence[str] = []
        async with self._recorded(call) as connection:
            cutoffs = {"through": asked.through, "cutoffs": json.dumps(texts(asked.by_version))}
            run = (await connection.execute(tables.RUN, {**key, "epoch": request.epoch, **cutoffs})).one()
            self._fence(run.epoch, request.epoch)
            if not request.page_token:
                fixed = Cutoffs.stored(run.through, run.cutoffs)
                units = await category.collect(connection, fixed, request.subject_ids)
                await connection.execute(tables.ADD_ITEMS, {**key, "units": list(units)})
                conflicts = await category.conflicts(connection, fixed)
            everything = list((await connection.scalars(tables.ALL_UNITS, key)).all())
            counts = await category.count(connection, everything)
            planned = {**key, "planned": json.dumps(dict(counts)), "digest": digest(everything)}
            await connection.execute(tables.PLANNED, planned)
            await append_within(connection, [call.entry])
        for start in range(0, len(conflicts), PAGE):
            told = list(conflicts[start : start + PAGE])
            log.warning("laws contradict, a person has to decide", category=request.category, record_ids=told)
        return everything, counts, conflicts

    async def execute_purge(self, request: api.ExecutePurgeRequest, call: Call) -> api.ExecutePurgeResponse:
        """Destroy a part of the set. Raises CategoryUnknown, PlanUnknown, PlanChanged, StaleEpoch, DatabaseUnavailable."""
        return await detached(self._execute(self._category(request.category), request, call))

    async def _execute(
        self, category: Category, request: api.ExecutePurgeRequest, call: Call
    ) -> api.ExecutePurgeResponse:
        key = {"plan": request.plan_id, "category": request.category}
        async with self._recorded(call) as connection:
            await holds.keep_out_new(connection)
            run = (await connection.execute(tables.FENCE, {**key, "epoch": request.epoch})).one_or_none()
            if run is None:
                raise PlanUnknown
            self._fence(run.epoch, request.epoch)
            if run.digest != request.digest:
                raise PlanChanged
            units = list((await connection.scalars(tables.NEXT, {**key, "size": request.limit})).all())
            call.entry.about(category.subjects(units))
            # The row goes first: a change of personal data without one is refused by the database.
            await append_within(connection, [call.entry])
            destroyed = dict(run.destroyed)
            if units:
                batch = await destroy(connection, category, Cutoffs.stored(run.through, run.cutoffs), units)
                destroyed = summed(destroyed, batch.rows)
                states = {"units": units, "skipped": batch.skipped, "held": batch.held}
                await connection.execute(tables.DONE, {**key, **states})
                tally = {**key, "destroyed": json.dumps(destroyed), "sample": _sample(batch.sample)}
                await connection.execute(tables.TALLY, tally)
            left = (await connection.execute(tables.LEFT, key)).one()
        self._keys.forget(units)
        await self._finish(category)
        return api.ExecutePurgeResponse(
            destroyed=_counts(destroyed), remaining=left.due, skipped=left.skipped, held=left.held
        )

    async def _finish(self, category: Category) -> None:
        """What is destroyed and recorded stays so if this breaks: the caller is told to ask again."""
        try:
            await category.finish(self._engine)
        except DATABASE_ERRORS as error:
            log.warning("destroyed, not finished", error=type(error).__name__, sqlstate=sqlstate(error))
            raise errors.DatabaseUnavailable from None

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
            run = (await connection.execute(tables.LOOK, key)).one_or_none()
            if run is None:
                raise PlanUnknown
            self._fence(run.epoch, request.epoch)
            units = list((await connection.scalars(tables.DESTROYED_UNITS, key)).all())
            left = await category.left(connection, units)
            due = (await connection.execute(tables.LEFT, key)).one().due
            checks = [_check(name, len(units), number) for name, number in left.items()]
            checks.append(_check("units of the plan not destroyed", len(units) + due, due))
            if run.sample is not None:
                checks.append(await self._decrypts(connection, _sample_from(run.sample)))
        return api.VerifyPurgeResponse(checks=checks, clean=all(check.passed for check in checks))

    async def set_hold(self, request: api.SetHoldRequest, call: Call) -> api.SetHoldResponse:
        """Set a legal hold or release it. Raises InvalidField, HoldState, DatabaseUnavailable."""
        await detached(self._set_hold(request, call))
        return api.SetHoldResponse()

    async def _set_hold(self, request: api.SetHoldRequest, call: Call) -> None:
        async with self._recorded(call) as connection:
            if request.record_id:
                call.entry.about(await self._whose(connection, request.record_id))
            await append_within(connection, [call.entry])
            await holds.set_hold(connection, request)

    async def confirm_holds(self, request: api.ConfirmHoldsRequest, call: Call) -> api.ConfirmHoldsResponse:
        """See that holds are here as the register says. Raises InvalidField, HoldState, DatabaseUnavailable."""
        await detached(self._confirm_holds(Said.read(request), call))
        return api.ConfirmHoldsResponse()

    async def _confirm_holds(self, said: Said, call: Call) -> None:
        async with self._recorded(call) as connection:
            wrong = await said.compare(connection)
            call.entry.about(wrong.members)
            for record_id in sorted(wrong.records):
                call.entry.about(await self._whose(connection, record_id))
            await append_within(connection, [call.entry])
            if wrong:
                await said.make_so(connection, wrong)

    async def _whose(self, connection: AsyncConnection, record_id: str) -> list[str]:
        """Return the members that a record is of: whose it is only its holder can say (LG-01)."""
        of_record = await self._keeper.kept(connection, None, record_id, Part(Key(), 1))
        return [item.member_id for item in of_record]

    async def list_kept(self, request: api.ListKeptRequest, call: Call) -> api.ListKeptResponse:
        """Tell what is kept, under which basis and since when. Raises PageTokenInvalid, DatabaseUnavailable."""
        answer = await list_kept(self._engine, self._keeper, request)
        call.entry.about(contents(answer).subjects)  # of a record, whose it is stands in the answer alone (LG-01)
        return answer

    async def _decrypts(self, connection: AsyncConnection, sample: Sample) -> api.PurgeCheck:
        """Try to decrypt the kept ciphertext with what is left of its salt; and prove that decryption itself works."""
        wrapped = await connection.scalar(tables.SALT, {"unit": sample.unit})
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

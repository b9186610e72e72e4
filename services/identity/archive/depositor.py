"""The way into the archive, under a login that puts in and selects nothing.

A record goes in as a whole or not at all (``deposit_records`` in the migration): an attempt that was broken off may be
made again, with other salts, and never mixes with the first.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from enum import StrEnum

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors, trace_context
from chassis.database import DATABASE_ERRORS, DatabaseRefused, constraint, is_refusal, sqlstate
from chassis.entry import Entry, new_record_id
from chassis.ledger import append_within
from services.identity.archive.reseal import Parcel

log = structlog.get_logger()

_DEPOSIT = text("SELECT deposited, outcome FROM deposit_records(CAST(:batch AS jsonb))")
_END = text("""
INSERT INTO consent_end (member_id, category, ended_on)
SELECT CAST(:member_id AS uuid), unnest(CAST(:categories AS text[])), CAST(:on AS date)
""")


class Outcome(StrEnum):
    """What became of a record that was put in."""

    NEW = "NEW"
    SAME = "SAME"
    """An earlier attempt has put it in."""
    OTHER = "OTHER"
    """The archive has, or had, something else under its id: a person has to look."""


class Depositor:
    """Puts records in, and ends the bases of withdrawn consents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def deposit(self, parcels: Sequence[Parcel], entry: Entry) -> Mapping[str, Outcome]:
        """Put the records in, with the log row; return what became of each. May be repeated.

        If one is OTHER, nothing is put in: the row would name a record that is not there. Raises DatabaseRefused where
        nothing is put in either, DatabaseUnavailable where that is unknown, and asking again tells.
        """
        batch = json.dumps([parcel.as_json() for parcel in parcels])
        async with self._recorded(entry) as connection:
            found = (await connection.execute(_DEPOSIT, {"batch": batch})).all()
            outcomes = {str(row.deposited): Outcome(row.outcome) for row in found}
            if Outcome.OTHER in outcomes.values():
                await connection.rollback()
        return outcomes

    async def end_consent(self, member_id: str, categories: Sequence[str], on: date, entry: Entry) -> None:
        """End the bases of these categories of whatever the archive has of a former member; may be repeated.

        ``entry``: the call's, of which the archive's log gets a row of its own. It is carried out at once and not kept for
        what comes later: the caller has the member's records in identity locked, so that none is on its way. Raises
        DatabaseUnavailable.
        """
        row = replace(
            entry, record_id=new_record_id(), span_id=trace_context.new_span_id(), parent_span_id=entry.span_id,
            subject_ids=[member_id], items=[], lookup=None,
        )  # fmt: skip
        async with self._recorded(row) as connection:
            await connection.execute(_END, {"member_id": member_id, "categories": list(categories), "on": on})

    @asynccontextmanager
    async def _recorded(self, entry: Entry) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that has the log row already: the database refuses a change without one."""
        try:
            async with self._engine.begin() as connection:
                await append_within(connection, [entry])
                yield connection
        except DATABASE_ERRORS as error:
            if is_refusal(error):
                log.error("the archive refused a deposit", sqlstate=sqlstate(error))
                raise DatabaseRefused(sqlstate(error), constraint(error)) from None
            raise errors.DatabaseUnavailable from None

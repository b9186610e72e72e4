"""What the vault keeps of a member, for the explanation of its retention: one line a kind, and never a token.

A token opens a number to whoever may reveal it, so it is not named here.
"""

from collections.abc import Mapping, Sequence

from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.contents import items_held
from chassis.holds import Standing
from chassis.kept import Part, hold_entry
from services.payment_vault import purge_tokens

KIND = "token"

_KINDS = text("SELECT DISTINCT kind FROM token WHERE member_id = CAST(:member_id AS uuid)")
_ITEMS: Mapping[str, frozenset[str]] = {
    "card": items_held(instruments.Card.DESCRIPTOR),
    "bank_account": items_held(instruments.BankAccount.DESCRIPTOR),
    "cash_receipt": items_held(instruments.CashReceiptIdentifier.DESCRIPTOR),
}


class Tokens:
    """The keeper of this service in chassis.kept."""

    async def kept(
        self, connection: AsyncConnection, member_id: str | None, record_id: str | None, part: Part | None = None
    ) -> Sequence[api.Kept]:
        """Return one entry while the member has tokens, and its holds; nothing for a record, since there are none here.

        When the member leaves (the start event) is known to identity alone, so no date is told.
        """
        if member_id is None:
            return []
        kinds = list(await connection.scalars(_KINDS, {"member_id": member_id}))
        if not kinds:
            return []
        items = frozenset[str]().union(*(_ITEMS[kind] for kind in kinds))
        holds = (await Standing.read(connection)).of(member_id)
        of_tokens = api.Kept(kind=KIND, category=purge_tokens.CATEGORY, items=sorted(items))
        return [of_tokens, *(hold_entry(hold, KIND, "", items) for hold in holds)]

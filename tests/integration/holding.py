"""Legal holds set at the holders as the retention service sets them, for the tests of what the holders then leave alone."""

from dataclasses import dataclass

from onggi.purge.v1 import purge_service_pb2 as purge

from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.memberships import today
from tests.integration.purges import PURGE

ARTICLE = "형사소송법 제215조"
HOLDERS = ("identity", "archive", "payment_vault")
WHY = examples.access("legal_hold", reason="a test")


@dataclass(frozen=True)
class Hold:
    """One hold, of a member or of a record."""

    clients: Clients
    hold_id: str
    member_id: str = ""
    record_id: str = ""

    @classmethod
    def of(cls, clients: Clients, member_id: str = "", record_id: str = "") -> "Hold":
        """A hold that is not set anywhere yet."""
        return cls(clients, examples.new_id(), member_id, record_id)

    async def set(self, *holders: str, released: bool = False) -> None:
        """Set it at the holders, or at all."""
        for holder in holders or HOLDERS:
            assert (await self.ask(holder, released=released)).message is not None

    async def release(self, *holders: str) -> None:
        """Release it."""
        await self.set(*holders, released=True)

    async def ask(self, holder: str, *, released: bool = False, placed_on: str = "", article: str = ARTICLE) -> Outcome:
        """SetHold at one holder."""
        whose = {"member_id": self.member_id} if self.member_id else {"record_id": self.record_id}
        request = purge.SetHoldRequest(
            access=WHY, hold_id=self.hold_id, article=article, placed_on=placed_on or str(today()), released=released,
            **whose,
        )  # fmt: skip
        return await self.clients.call("retention", f"{PURGE}/SetHold", request, service=holder)

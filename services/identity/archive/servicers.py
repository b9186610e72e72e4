"""Between the contract and the archive's domain: no SQL, no rules."""

from onggi.identity.v1 import archive_service_pb2 as api

from chassis.call import Call
from services.identity.archive.reading import ArchiveReader


class ArchiveServicer:
    """onggi.identity.v1.ArchiveService."""

    def __init__(self, reader: ArchiveReader) -> None:
        self._reader = reader

    async def get_archived(self, request: api.GetArchivedRequest, call: Call) -> api.GetArchivedResponse:
        return api.GetArchivedResponse(record=await self._reader.get(call, request.record_id))

    async def list_archived(self, request: api.ListArchivedRequest, call: Call) -> api.ListArchivedResponse:
        records, token = await self._reader.list(call, request)
        return api.ListArchivedResponse(records=records, next_page_token=token)

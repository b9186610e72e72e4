"""The archive's process: opens what a purpose has a key for, destroys what has ended, and puts nothing in."""

from onggi.identity.v1 import archive_service_pb2
from onggi.keys.v1 import key_service_pb2
from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.purge.v1 import purge_service_pb2

from chassis.erasure_keys import ErasureKeys, Place, context
from chassis.errors import SealBroken
from chassis.key_service import Holder, KeyServicer
from chassis.log_reader import LogReader
from chassis.process import Process
from chassis.purge import PurgeServicer
from chassis.transit import Plain, Sealed, Transit
from services.identity import categories, stocks
from services.identity.archive import key_places, keys
from services.identity.archive.reading import ArchiveReader
from services.identity.archive.servicers import ArchiveServicer
from services.identity.archive.settings import Settings
from services.identity.archive.standings import Standings
from services.identity.archive.store import ArchiveStore
from services.identity.kept import KeptRecords

_PROBE = context(bytes(32), Place(keys.SERVICE, "readiness", "", ""))


async def serve(settings: Settings) -> None:
    """Put the parts together and serve until a signal."""
    async with Process(keys.SERVICE, settings) as process:
        policy = process.privacy_policy
        process.keep(*stocks.of_archive(policy))
        transit = Transit(settings.vault, settings.tls, keys.VAULT_ROLE)
        await transit.start()
        process.on_close(transit.close)
        erasure_keys = ErasureKeys(transit, keys.EPOCH_KEY, process.hot("salts"))
        reader = ArchiveReader(ArchiveStore(process.hot("archive")), transit, erasure_keys, Standings(policy))
        held = categories.of_archive(policy, keys.SERVICE, keys.RECORD_KEY)
        keeper = KeptRecords(policy, keys.SERVICE)
        purge = PurgeServicer(process.engine, process.auditor, held, erasure_keys, transit, keeper=keeper)
        holder = Holder(
            process.engine, key_places.COLUMNS, lambda: Transit(settings.vault, settings.tls, key_places.KEYS_ROLE),
            transit, keys.INDEX_KEY, erasure_keys,
        )  # fmt: skip
        await process.serve(
            [
                (archive_service_pb2.DESCRIPTOR.services_by_name["ArchiveService"], ArchiveServicer(reader)),
                (key_service_pb2.DESCRIPTOR.services_by_name["KeyService"], KeyServicer(holder)),
                (purge_service_pb2.DESCRIPTOR.services_by_name["PurgeService"], purge),
                (
                    processing_log_service_pb2.DESCRIPTOR.services_by_name["ProcessingLogService"],
                    LogReader(keys.SERVICE, process.auditor),
                ),
            ],
            {"key service": lambda: _opens(transit)},
        )


async def _opens(transit: Transit) -> None:
    """Seal and open something, as every read does: a key service that answers and refuses is not ready."""
    [sealed] = await transit.encrypt(keys.RECORD_KEY, [Plain(b"ready", _PROBE)])
    [opened] = await transit.decrypt(keys.RECORD_KEY, [Sealed(sealed, _PROBE)])
    if opened != b"ready":
        raise SealBroken

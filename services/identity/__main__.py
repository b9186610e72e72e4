"""The identity service: ``python -m services.identity`` serves, ``python -m services.identity migrate`` migrates.

The only place that knows how the parts are put together.
"""

import sys
from pathlib import Path

from onggi.identity.v1 import contact_service_pb2, member_service_pb2, record_service_pb2
from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.purge.v1 import purge_service_pb2

from chassis.erasure_keys import ErasureKeys
from chassis.log_reader import LogReader
from chassis.migrate import upgrade
from chassis.mutation import Mutations
from chassis.process import Process, run
from chassis.purge import Category, PurgeServicer
from chassis.settings import MigrationSettings, refuse_unknown_names
from chassis.transit import Transit
from services.identity import keys, purge_logins, purge_members
from services.identity.contacts import Contacts
from services.identity.members import Members
from services.identity.reading import MemberReader
from services.identity.records import Records
from services.identity.servicers import ContactServicer, MemberServicer, RecordServicer
from services.identity.settings import Settings


async def serve(settings: Settings) -> None:
    """Put the parts together and serve until a signal."""
    async with Process(keys.SERVICE, settings) as process:
        transit = Transit(settings.vault, settings.tls, keys.VAULT_ROLE)
        await transit.start()
        process.on_close(transit.close)
        erasure_keys = ErasureKeys(transit, keys.EPOCH_KEY, process.hot("salts"))
        mutations = Mutations(process.engine)
        reader = MemberReader(process.hot("reads"), transit, erasure_keys)
        process.on_close(reader.close)
        members = Members(process.engine, mutations, transit, erasure_keys)
        contacts = Contacts(process.engine, process.hot("contacts"), mutations, transit, erasure_keys)
        records = Records(process.engine, process.hot("records"), mutations, transit, erasure_keys)
        categories: dict[str, Category] = {
            purge_members.CATEGORY: purge_members.WithdrawnMembers(),
            purge_logins.CATEGORY: purge_logins.EndedLogins(),
        }
        purge = PurgeServicer(process.engine, process.auditor, categories, erasure_keys, transit)
        await process.serve(
            [
                (member_service_pb2.DESCRIPTOR.services_by_name["MemberService"], MemberServicer(members, reader)),
                (contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"], ContactServicer(contacts)),
                (record_service_pb2.DESCRIPTOR.services_by_name["RecordService"], RecordServicer(records)),
                (purge_service_pb2.DESCRIPTOR.services_by_name["PurgeService"], purge),
                (
                    processing_log_service_pb2.DESCRIPTOR.services_by_name["ProcessingLogService"],
                    LogReader(keys.SERVICE, process.auditor),
                ),
            ],
            {"key service": lambda: transit.hmac(keys.INDEX_KEY, [b"ready"])},
        )


def main(arguments: list[str]) -> None:
    """Migrate or serve. Raises pydantic's ValidationError, which names a missing setting and prints no value."""
    if arguments == ["migrate"]:
        upgrade(MigrationSettings().database, Path(__file__).parent / "migrations")
        return
    refuse_unknown_names(Settings)
    settings = Settings()
    run(lambda: serve(settings), settings.log_level)


if __name__ == "__main__":
    main(sys.argv[1:])

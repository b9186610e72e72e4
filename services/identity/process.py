"""Identity's process: the only place that knows how its parts are put together."""

from onggi.identity.v1 import consent_service_pb2, contact_service_pb2, member_service_pb2, record_service_pb2
from onggi.keys.v1 import key_service_pb2
from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.purge.v1 import purge_service_pb2

from chassis.database import connect
from chassis.erasure_keys import ErasureKeys
from chassis.job import own_spiffe_id
from chassis.key_service import Holder, KeyServicer
from chassis.log_reader import LogReader
from chassis.mutation import Mutations
from chassis.process import Process
from chassis.purge import PurgeServicer
from chassis.transit import Transit
from services.identity import categories, key_places, keys, purge_log_records, stocks
from services.identity.archive.depositor import Depositor
from services.identity.archive.mover import Actor, Mover
from services.identity.archive.reseal import Resealer
from services.identity.archive.standings import Standings
from services.identity.consents import Consents
from services.identity.contacts import Contacts
from services.identity.kept import KeptRecords
from services.identity.members import Members
from services.identity.reading import MemberReader
from services.identity.record_events import RecordEvents
from services.identity.records import Records
from services.identity.servicers import ConsentServicer, ContactServicer, MemberServicer, RecordServicer
from services.identity.settings import Settings
from services.identity.withdrawal import Withdrawals


async def serve(settings: Settings) -> None:
    """Put the parts together and serve until a signal."""
    async with Process(keys.SERVICE, settings) as process:
        process.keep(*stocks.of_identity(process.privacy_policy))
        transit = Transit(settings.vault, settings.tls, keys.VAULT_ROLE)
        await transit.start()
        process.on_close(transit.close)
        erasure_keys = ErasureKeys(transit, keys.EPOCH_KEY, process.hot("salts"))
        mutations = Mutations(process.engine)
        reader = MemberReader(process.hot("reads"), transit, erasure_keys, process.policy.consent_for)
        process.on_close(reader.close)
        members = Members(process.engine, mutations, transit, erasure_keys)
        lists = process.hot("contacts and consents")
        contacts = Contacts(process.engine, lists, mutations, transit, erasure_keys)
        policy = process.privacy_policy
        records = Records(process.engine, process.hot("records"), mutations, transit, erasure_keys, policy=policy)
        events = RecordEvents(mutations, transit, policy)
        held = categories.of_identity(policy)
        process.keep_house(purge_log_records.REMOVE)
        purge = PurgeServicer(process.engine, process.auditor, held, erasure_keys, transit, keeper=KeptRecords(policy))
        holder = Holder(
            process.engine, key_places.COLUMNS, lambda: Transit(settings.vault, settings.tls, key_places.KEYS_ROLE),
            transit, keys.INDEX_KEY, erasure_keys,
        )  # fmt: skip
        archive = connect(settings.archive)
        process.on_close(archive.dispose)
        depositor = Depositor(archive)
        actor = Actor(own_spiffe_id(settings.tls.certificate_file), process.policy.version)
        mover = Mover(process.engine, depositor, Resealer(transit), Standings(policy), actor)
        process.on_close(mover.close)
        mover.start()
        consents = Consents(lists, mutations, transit, policy, depositor)
        withdrawals = Withdrawals(mutations, transit, policy, mover.wake)
        await process.serve(
            [
                (
                    member_service_pb2.DESCRIPTOR.services_by_name["MemberService"],
                    MemberServicer(members, reader, withdrawals),
                ),
                (consent_service_pb2.DESCRIPTOR.services_by_name["ConsentService"], ConsentServicer(consents)),
                (contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"], ContactServicer(contacts)),
                (record_service_pb2.DESCRIPTOR.services_by_name["RecordService"], RecordServicer(records, events)),
                (key_service_pb2.DESCRIPTOR.services_by_name["KeyService"], KeyServicer(holder)),
                (purge_service_pb2.DESCRIPTOR.services_by_name["PurgeService"], purge),
                (
                    processing_log_service_pb2.DESCRIPTOR.services_by_name["ProcessingLogService"],
                    LogReader(keys.SERVICE, process.auditor),
                ),
            ],
            {"key service": lambda: transit.hmac(keys.INDEX_KEY, [b"ready"])},
        )

"""What identity and the archive keep under which category, for chassis.policy_coverage."""

from collections.abc import Iterator

from onggi.identity.v1.record_service_pb2 import Record
from sqlalchemy import text

from chassis.policy.faults import Fault, PolicyRefused
from chassis.policy.privacy_policy import FILES, PrivacyPolicy
from chassis.policy_coverage import Stock
from services.identity import keys
from services.identity.archive import keys as archive_keys
from services.identity.kept import CONSENT, LOG_LIKE, MEMBER

# From one category to the next by the index over them: what is counted is what nobody names, and nothing else is read.
_OF_RECORDS = text("""
WITH RECURSIVE there AS (
    SELECT min(category) AS category FROM record_basis
    UNION ALL
    SELECT (SELECT min(b.category) FROM record_basis AS b WHERE b.category > there.category) FROM there
    WHERE there.category IS NOT NULL)
SELECT there.category, (SELECT count(*) FROM record_basis AS b WHERE b.category = there.category) AS rows
FROM there WHERE there.category <> ALL(CAST(:held AS text[]))
""")
_OF_ONE = """
SELECT '{category}' AS category, count(*) AS rows FROM {table}
WHERE '{category}' <> ALL(CAST(:held AS text[])) HAVING count(*) > 0
"""


def of_identity(policy: PrivacyPolicy) -> Iterator[Stock]:
    """Yield the stocks of identity; it holds nothing but what the policy names it as a holder of.

    Raises PolicyRefused for a policy without a kind of record that the contract has.
    """
    _refuse_unknown_kinds(policy)
    held = policy.retention.held_by(keys.SERVICE)
    yield Stock("record_basis", _OF_RECORDS, held)
    tables = {"member": MEMBER, "contact": MEMBER, "consent": CONSENT}
    tables |= {table: policy.retention.records[kind].stands_under[0] for kind, table in LOG_LIKE.items()}
    for table, category in tables.items():
        yield Stock(table, text(_OF_ONE.format(table=table, category=category)), held)


def of_archive(policy: PrivacyPolicy) -> Iterator[Stock]:
    """Yield the stock of the archive: what a legal hold has brought in stands under categories of identity alone too.

    Raises PolicyRefused as ``of_identity`` does.
    """
    _refuse_unknown_kinds(policy)
    held = policy.retention.held_by(archive_keys.SERVICE)
    yield Stock("record_basis", _OF_RECORDS, {*held, *policy.retention.brought_by_holds()})


def _refuse_unknown_kinds(policy: PrivacyPolicy) -> None:
    kinds = {field.name for field in Record.DESCRIPTOR.oneofs_by_name["body"].fields}
    if lacking := sorted(kinds - policy.retention.records.keys()):
        reason = "is missing: the contract has this kind of record"
        raise PolicyRefused([Fault(FILES["retention"], f"records.{kind}", reason) for kind in lacking])

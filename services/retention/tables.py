"""The tables of the retention service, as the migrations make them; no personal data stands in them but random ids."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


plan = Table(
    "plan", metadata,
    Column("plan_id", Uuid(as_uuid=False), primary_key=True),
    Column("state", Text),
    Column("day", Date),
    Column("categories", ARRAY(Text)),
    Column("epoch", BigInteger),
    Column("digest", Text),
    Column("exceeds_forecast", Boolean),
    Column("requested_by", Text),
    Column("approved_by", Text),
    _instant("approved_at"),
    Column("started_by", Text),
    _instant("executed_from"),
    _instant("executed_to"),
    _instant("verified_at"),
    Column("policy_version", Text),
    Column("trouble", Text),
    Column("trace_id", Text),
    Column("span_id", Text),
    _instant("created_at"),
    _instant("updated_at"),
)  # fmt: skip

plan_part = Table(
    "plan_part", metadata,
    Column("plan_id", Uuid(as_uuid=False), primary_key=True),
    Column("position", Integer),
    Column("category", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("through", Date),
    Column("cutoffs", JSONB),
    Column("planned", JSONB),
    Column("units", BigInteger),
    Column("digest", Text),
    Column("destroyed", JSONB),
    Column("remaining", BigInteger),
    Column("skipped", BigInteger),
    Column("held", BigInteger),
    Column("conflicts", BigInteger),
    Column("checks", JSONB),
)  # fmt: skip

certificate = Table(
    "certificate", metadata,
    Column("plan_id", Uuid(as_uuid=False), primary_key=True),
    Column("statement", LargeBinary),
    Column("signature", LargeBinary),
    Column("key_id", Text),
    Column("public_key_pem", Text),
    _instant("issued_at"),
)  # fmt: skip

schedule_run = Table(
    "schedule_run", metadata,
    Column("day", Date, primary_key=True),
    Column("plan_id", Uuid(as_uuid=False)),
    Column("epoch", BigInteger),
    _instant("started_at"),
    _instant("finished_at"),
)  # fmt: skip

legal_hold = Table(
    "legal_hold", metadata,
    Column("hold_id", Uuid(as_uuid=False), primary_key=True),
    Column("state", Text),
    Column("member_id", Uuid(as_uuid=False)),
    Column("record_id", Uuid(as_uuid=False)),
    Column("authority", Text),
    Column("document_number", Text),
    Column("article", Text),
    Column("placed_on", Date),
    Column("review_on", Date),
    Column("placed_by", Text),
    Column("approved_by", Text),
    Column("released_by", Text),
    Column("released_on", Date),
    Column("trace_id", Text),
    Column("span_id", Text),
    _instant("created_at"),
    _instant("updated_at"),
)  # fmt: skip

legal_hold_holder = Table(
    "legal_hold_holder", metadata,
    Column("hold_id", Uuid(as_uuid=False), primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("told", Text),
)  # fmt: skip

schedule_since = Table("schedule_since", metadata, Column("only_row", Boolean, primary_key=True), _instant("since"))

"""Records by kind, usage records in month partitions, consents."""

from pathlib import Path

from alembic import op

from chassis.migrate import split

revision = "0002"
down_revision = "0001"

_RECORDS = Path(__file__).resolve().parents[2] / "schema" / "records.sql"

# As login_record: one sealed body a row, under the salt of its day.
_USAGE = """
CREATE TABLE usage_record (
    record_id  uuid NOT NULL,
    member_id  uuid NOT NULL,
    event_date date NOT NULL,
    sealed     text NOT NULL,
    PRIMARY KEY (event_date, record_id)
) PARTITION BY RANGE (event_date);
CREATE INDEX usage_record_member ON usage_record (member_id, event_date DESC, record_id DESC);

CREATE FUNCTION ensure_usage_record_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name  text := 'usage_record_' || to_char(first, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(name));
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF usage_record FOR VALUES FROM (%L) TO (%L)',
                       name, first, (first + interval '1 month')::date);
        PERFORM guard_with_log(name::regclass);
    END IF;
END $$;

CREATE FUNCTION drop_usage_record_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM processing_log
                   WHERE recorded_at = transaction_timestamp() AND xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'personal data changed without a processing-log row' USING ERRCODE = 'ON001';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', 'usage_record_' || to_char(date_trunc('month', month), 'YYYY_MM'));
END $$;

SELECT guard_with_log('usage_record');
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_record TO identity;
GRANT SELECT ON usage_record TO identity_auditor;
REVOKE ALL ON FUNCTION ensure_usage_record_partition(date), drop_usage_record_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_usage_record_partition(date), drop_usage_record_partition(date) TO identity;

-- Days of log-like records that a purge plan has counted: they take nothing more, so that the count holds.
CREATE TABLE closed_day (
    unit text   PRIMARY KEY,
    rows bigint NOT NULL
);
GRANT SELECT, INSERT, DELETE ON closed_day TO identity;
GRANT SELECT ON closed_day TO identity_auditor;
"""

# Consents (동의) are never changed but for their one withdrawal; proof of both is kept.
_CONSENTS = """
CREATE TABLE consent (
    consent_id     uuid        PRIMARY KEY,
    member_id      uuid        NOT NULL, -- no reference: the proof is kept after the member has left
    name           text        NOT NULL CHECK (name ~ '^[a-z_]+$'),
    policy_version text        NOT NULL CHECK (policy_version <> ''),
    channel        text        NOT NULL CHECK (channel <> ''),
    given_at       timestamptz NOT NULL DEFAULT transaction_timestamp(),
    withdrawn_at   timestamptz,
    withdrawn_on   date, -- in Korea
    CHECK ((withdrawn_at IS NULL) = (withdrawn_on IS NULL))
);
CREATE UNIQUE INDEX consent_living ON consent (member_id, name) WHERE withdrawn_at IS NULL;
CREATE INDEX consent_member ON consent (member_id, given_at DESC);
CREATE INDEX consent_given_under ON consent (name, policy_version, consent_id) WHERE withdrawn_at IS NULL;
CREATE INDEX consent_withdrawn ON consent (withdrawn_on) WHERE withdrawn_on IS NOT NULL;
SELECT guard_with_log('consent');
GRANT SELECT, INSERT, DELETE, UPDATE (withdrawn_at, withdrawn_on) ON consent TO identity;
GRANT SELECT ON consent TO identity_auditor;
"""


def upgrade() -> None:
    """Make them."""
    records = _RECORDS.read_text().replace("{service}", "identity").replace("{auditor}", "identity_auditor")
    for source in (records, _USAGE, _CONSENTS):
        for statement in split(source):
            op.execute(statement)

"""Members, contacts and log-in records; the processing log, the salts and the purge tables beneath them."""

from alembic import op

from chassis.migrate import schema, split

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE member (
    member_id                 uuid        PRIMARY KEY,
    state                     text        NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'WITHDRAWN')),
    sealed                    text        NOT NULL,
    sealed_password           text        NOT NULL,
    email_index               text        NOT NULL,
    organization_number_index text        NOT NULL,
    business_number_index     text        NOT NULL,
    version                   integer     NOT NULL DEFAULT 1,
    registered_at             timestamptz NOT NULL DEFAULT transaction_timestamp(),
    withdrawn_on              date,
    CHECK ((state = 'WITHDRAWN') = (withdrawn_on IS NOT NULL))
);
CREATE UNIQUE INDEX member_email ON member (email_index) WHERE state = 'ACTIVE';
CREATE UNIQUE INDEX member_organization_number ON member (organization_number_index) WHERE state = 'ACTIVE';
CREATE UNIQUE INDEX member_business_number ON member (business_number_index) WHERE state = 'ACTIVE';
CREATE INDEX member_withdrawn ON member (withdrawn_on) WHERE state = 'WITHDRAWN';

CREATE TABLE contact (
    contact_id uuid        PRIMARY KEY,
    member_id  uuid        NOT NULL REFERENCES member,
    sealed     text        NOT NULL,
    version    integer     NOT NULL DEFAULT 1,
    added_at   timestamptz NOT NULL DEFAULT transaction_timestamp()
);
CREATE INDEX contact_member ON contact (member_id, added_at, contact_id);

-- No reference to member: the law keeps a log-in record for its period after the member has left (R-12).
CREATE TABLE login_record (
    record_id  uuid NOT NULL,
    member_id  uuid NOT NULL,
    event_date date NOT NULL,
    sealed     text NOT NULL,
    PRIMARY KEY (event_date, record_id)
) PARTITION BY RANGE (event_date);
CREATE INDEX login_record_member ON login_record (member_id, event_date DESC, record_id DESC);

CREATE FUNCTION ensure_login_record_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name  text := 'login_record_' || to_char(first, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(name));
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF login_record FOR VALUES FROM (%L) TO (%L)',
                       name, first, (first + interval '1 month')::date);
        PERFORM guard_with_log(name::regclass);
    END IF;
END $$;

-- Drops a whole month; like every change of personal data only in a transaction that has its log row.
CREATE FUNCTION drop_login_record_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM processing_log
                   WHERE recorded_at = transaction_timestamp() AND xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'personal data changed without a processing-log row' USING ERRCODE = 'ON001';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', 'login_record_' || to_char(date_trunc('month', month), 'YYYY_MM'));
END $$;

SELECT guard_with_log('member');
SELECT guard_with_log('contact');
SELECT guard_with_log('login_record');

GRANT SELECT, INSERT, UPDATE, DELETE ON member, contact, login_record TO identity;
GRANT SELECT ON member, contact, login_record TO identity_auditor;
REVOKE ALL ON FUNCTION ensure_login_record_partition(date), drop_login_record_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_login_record_partition(date), drop_login_record_partition(date) TO identity;
"""


def upgrade() -> None:
    """Make everything."""
    for name in ("ledger", "erasure_key", "purge"):
        for statement in schema(name, "identity"):
            op.execute(statement)
    for statement in split(TABLES):
        op.execute(statement)

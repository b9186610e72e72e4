"""Plans, what each holder destroys under them, their certificates, and the days that were planned."""

from alembic import op

from chassis.migrate import schema, split

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE plan (
    plan_id          uuid        PRIMARY KEY,
    state            text        NOT NULL CHECK (state IN ('PREPARING', 'PLANNED', 'APPROVED', 'DESTROYING',
                                                           'DESTROYED', 'VERIFIED', 'CERTIFIED', 'NEEDS_OPERATOR')),
    day              date        NOT NULL,
    categories       text[]      NOT NULL,
    epoch            bigint      NOT NULL,
    digest           text        NOT NULL DEFAULT '',
    exceeds_forecast boolean     NOT NULL DEFAULT false,
    requested_by     text        NOT NULL CHECK (requested_by <> ''),
    approved_by      text        NOT NULL DEFAULT '',
    approved_at      timestamptz,
    started_by       text        NOT NULL DEFAULT '',
    executed_from    timestamptz,
    executed_to      timestamptz,
    verified_at      timestamptz,
    policy_version   text        NOT NULL,
    trouble          text        NOT NULL DEFAULT '',
    trace_id         text        NOT NULL DEFAULT '',
    span_id          text        NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL DEFAULT transaction_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT transaction_timestamp(),
    -- What the service promises, said once more where no defect of the service can pass it by.
    CONSTRAINT plan_approver_is_another CHECK (approved_by <> requested_by),
    CONSTRAINT plan_approved CHECK (state IN ('PREPARING', 'PLANNED')
                                    OR (approved_by <> '' AND approved_at IS NOT NULL)),
    CONSTRAINT plan_fixed CHECK (state = 'PREPARING' OR digest <> ''),
    CONSTRAINT plan_trouble CHECK ((state = 'NEEDS_OPERATOR') = (trouble <> ''))
);
CREATE INDEX plan_newest ON plan (created_at DESC, plan_id DESC);
CREATE INDEX plan_running ON plan (created_at) WHERE state IN ('DESTROYING', 'DESTROYED', 'VERIFIED');

CREATE TABLE plan_part (
    plan_id   uuid   NOT NULL REFERENCES plan,
    position  int    NOT NULL,
    category  text   NOT NULL,
    holder    text   NOT NULL,
    through   date   NOT NULL,
    cutoffs   jsonb  NOT NULL DEFAULT '{}',
    planned   jsonb  NOT NULL,
    units     bigint NOT NULL,
    digest    text   NOT NULL,
    destroyed jsonb  NOT NULL DEFAULT '{}',
    remaining bigint NOT NULL,
    skipped   bigint NOT NULL DEFAULT 0,
    checks    jsonb  NOT NULL DEFAULT '[]',
    PRIMARY KEY (plan_id, category, holder)
);

-- The destruction register (파기관리대장). Rows are added, never changed.
CREATE TABLE certificate (
    plan_id        uuid        PRIMARY KEY REFERENCES plan,
    statement      bytea       NOT NULL,
    signature      bytea       NOT NULL,
    key_id         text        NOT NULL,
    public_key_pem text        NOT NULL,
    issued_at      timestamptz NOT NULL DEFAULT transaction_timestamp()
);

-- One row for each day that the schedule has planned; without a plan where nothing was due.
CREATE TABLE schedule_run (
    day         date        PRIMARY KEY,
    plan_id     uuid,
    epoch       bigint      NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT transaction_timestamp(),
    finished_at timestamptz
);

-- Since when there is a schedule: what lies before was not missed.
CREATE TABLE schedule_since (
    only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    since    timestamptz NOT NULL DEFAULT transaction_timestamp()
);
INSERT INTO schedule_since DEFAULT VALUES;

GRANT SELECT, INSERT, UPDATE ON plan, plan_part, schedule_run TO retention;
GRANT SELECT, INSERT ON certificate TO retention;
GRANT SELECT ON schedule_since TO retention;
GRANT SELECT ON plan, plan_part, certificate, schedule_run, schedule_since TO retention_auditor;
"""


def upgrade() -> None:
    """Make the tables."""
    connection = op.get_bind()
    for statement in [*schema("ledger", "retention"), *split(TABLES)]:
        connection.exec_driver_sql(statement)

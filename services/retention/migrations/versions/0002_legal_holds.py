"""The register of legal holds, what each holder has been told of them, and what they keep of a plan."""

from alembic import op

from chassis.migrate import split

revision = "0002"
down_revision = "0001"

HOLDS = """
-- Orders to preserve (보존 조치). Rows are added and changed, never taken out.
CREATE TABLE legal_hold (
    hold_id         uuid        PRIMARY KEY,
    state           text        NOT NULL CHECK (state IN ('PLACING', 'STANDING', 'RELEASING', 'RELEASED')),
    member_id       uuid,
    record_id       uuid,
    authority       text        NOT NULL CHECK (authority <> ''),
    document_number text        NOT NULL CHECK (document_number <> ''),
    article         text        NOT NULL CHECK (article <> ''),
    placed_on       date        NOT NULL,
    review_on       date        NOT NULL,
    placed_by       text        NOT NULL CHECK (placed_by <> ''),
    approved_by     text        NOT NULL DEFAULT '',
    released_by     text        NOT NULL DEFAULT '',
    released_on     date,
    trace_id        text        NOT NULL DEFAULT '',
    span_id         text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT transaction_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT transaction_timestamp(),
    -- What the service promises, said once more where no defect of the service can pass it by.
    -- Once it is released, a subject's id must not outlive what is kept of the subject; the processing log has it.
    CONSTRAINT legal_hold_of_one CHECK (
        num_nonnulls(member_id, record_id) = CASE WHEN state = 'RELEASED' THEN 0 ELSE 1 END),
    CONSTRAINT legal_hold_approver_is_another CHECK (approved_by <> placed_by),
    CONSTRAINT legal_hold_releaser_is_another CHECK (released_by <> placed_by),
    CONSTRAINT legal_hold_released CHECK (
        (state IN ('RELEASING', 'RELEASED')) = (released_by <> '')
        AND (released_by <> '') = (released_on IS NOT NULL))
);
CREATE INDEX legal_hold_newest ON legal_hold (created_at DESC, hold_id DESC);
CREATE INDEX legal_hold_under_way ON legal_hold (created_at) WHERE state IN ('PLACING', 'RELEASING');
CREATE INDEX legal_hold_review ON legal_hold (review_on) WHERE state IN ('PLACING', 'STANDING');
SELECT guard_with_log('legal_hold');

-- What each holder of data has answered: '' is nothing yet.
CREATE TABLE legal_hold_holder (
    hold_id uuid NOT NULL REFERENCES legal_hold,
    holder  text NOT NULL,
    told    text NOT NULL DEFAULT '' CHECK (told IN ('', 'STANDING', 'RELEASED')),
    PRIMARY KEY (hold_id, holder)
);

GRANT SELECT, INSERT, UPDATE ON legal_hold, legal_hold_holder TO retention;
GRANT SELECT ON legal_hold, legal_hold_holder TO retention_auditor;

ALTER TABLE plan_part ADD COLUMN held bigint NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    """Make the tables."""
    connection = op.get_bind()
    for statement in split(HOLDS):
        connection.exec_driver_sql(statement)

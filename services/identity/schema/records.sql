-- Records kept by field, here and in the archive alike: {service} is the role that works, {auditor} the one that reads.
-- A field lives while a basis lives that keeps it; ends are never stored, they follow from the policy (법 제21조 제1항).

CREATE TABLE record (
    record_id      uuid        PRIMARY KEY,
    member_id      uuid        NOT NULL, -- no reference: a law keeps the record after the member has left
    kind           text        NOT NULL CHECK (kind <> ''),
    occurred_on    date        NOT NULL,
    policy_version text        NOT NULL CHECK (policy_version <> ''),
    state          text        NOT NULL DEFAULT 'LIVE' CHECK (state IN ('LIVE', 'LEFT')), -- LEFT: its member has left
    added_at       timestamptz NOT NULL DEFAULT transaction_timestamp()
);
CREATE INDEX record_member ON record (member_id, kind, occurred_on DESC, record_id DESC);
CREATE INDEX record_left ON record (record_id) WHERE state = 'LEFT';

-- The bases (보유 근거) that a record stands under, each until its row is gone.
CREATE TABLE record_basis (
    record_id  uuid NOT NULL REFERENCES record ON DELETE CASCADE,
    category   text NOT NULL CHECK (category ~ '^R-[0-9]{2}[a-z]?$'),
    event_date date, -- null while the start event has not come
    ended_on   date, -- the consent that it stands on was withdrawn, or what it is about was removed
    PRIMARY KEY (record_id, category)
);
CREATE INDEX record_basis_event ON record_basis (category, event_date);
CREATE INDEX record_basis_ended ON record_basis (category, ended_on) WHERE ended_on IS NOT NULL;

-- One sealed value a field, each under a salt of its own (erasure unit "record:<record_id>:<field>").
CREATE TABLE record_field (
    record_id uuid NOT NULL REFERENCES record ON DELETE CASCADE,
    field     text NOT NULL CHECK (field ~ '^[a-z_]+$'),
    sealed    text NOT NULL,
    PRIMARY KEY (record_id, field)
);

SELECT guard_with_log('record');
SELECT guard_with_log('record_basis');
SELECT guard_with_log('record_field');
GRANT SELECT ON record, record_basis, record_field TO {service}, {auditor};
GRANT INSERT, UPDATE, DELETE ON record, record_basis, record_field TO {service};

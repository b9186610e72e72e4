-- What a purge plan fixes at this holder. Units are random ids or days, never personal data.
CREATE TABLE purge_run (
    plan_id    uuid        NOT NULL,
    category   text        NOT NULL,
    epoch      bigint      NOT NULL,
    through    date        NOT NULL,
    cutoffs    jsonb       NOT NULL DEFAULT '{}', -- version of the policy -> the date that is due instead of "through"
    planned    jsonb       NOT NULL DEFAULT '{}',
    digest     text        NOT NULL DEFAULT '',
    destroyed  jsonb       NOT NULL DEFAULT '{}',
    sample     jsonb,
    created_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    PRIMARY KEY (plan_id, category)
);

CREATE TABLE purge_item (
    plan_id  uuid NOT NULL,
    category text NOT NULL,
    unit     text NOT NULL,
    state    text NOT NULL DEFAULT 'DUE' CHECK (state IN ('DUE', 'DESTROYED', 'SKIPPED')),
    PRIMARY KEY (plan_id, category, unit),
    FOREIGN KEY (plan_id, category) REFERENCES purge_run
);
CREATE INDEX purge_item_due ON purge_item (plan_id, category) WHERE state = 'DUE';

GRANT SELECT, INSERT, UPDATE ON purge_run, purge_item TO {service};
GRANT SELECT ON purge_run, purge_item TO {auditor};

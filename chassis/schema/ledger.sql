-- The processing log (접속기록, 안전성 확보조치 기준 제8조). Partitioned by month; kept for two years (R-13).
-- {service} is the service's role, {auditor} the role that reads.

CREATE TABLE processing_log (
    record_id      uuid        NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT transaction_timestamp(),
    xid            xid8        NOT NULL DEFAULT pg_current_xact_id(),
    occurred_at    timestamptz NOT NULL,
    actor          text        NOT NULL CHECK (actor <> ''),
    actor_type     text        NOT NULL CHECK (actor_type IN ('HUMAN', 'SERVICE', 'JOB')),
    peer_address   text        NOT NULL CHECK (peer_address <> ''),
    subject_ids    uuid[]      NOT NULL,
    subject_count  bigint      NOT NULL,
    resource_ids   text[]      NOT NULL,
    action         text        NOT NULL CHECK (action <> ''),
    rpc_method     text        NOT NULL CHECK (rpc_method <> ''),
    status         text        NOT NULL CHECK (status <> ''),
    error_reason   text        NOT NULL,
    items          text[]      NOT NULL,
    purpose        text        NOT NULL,
    reason         text        NOT NULL,
    ticket         text        NOT NULL,
    request_id     text        NOT NULL,
    trace_id       text        NOT NULL,
    span_id        text        NOT NULL,
    parent_span_id text        NOT NULL,
    policy_version text        NOT NULL,
    phase          text        NOT NULL CHECK (phase IN ('ACCESS', 'OUTCOME')),
    PRIMARY KEY (recorded_at, record_id)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX processing_log_xid ON processing_log (xid, record_id);
CREATE INDEX processing_log_subject ON processing_log USING gin (subject_ids) WITH (fastupdate = on);
CREATE INDEX processing_log_trace ON processing_log (trace_id);

-- Nothing is lost when a month's partition is missing: the rows go here, and on-call is told by its not being empty.
CREATE TABLE processing_log_default PARTITION OF processing_log DEFAULT;

-- Makes the partitions of this month and the coming ones. Called at start and daily.
CREATE FUNCTION ensure_log_partitions(months_ahead int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month timestamptz;
BEGIN
    FOR i IN 0..months_ahead LOOP
        month := date_trunc('month', transaction_timestamp(), 'UTC') + make_interval(months => i);
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS processing_log_%s PARTITION OF processing_log FOR VALUES FROM (%L) TO (%L)',
            to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'), month, month + interval '1 month');
    END LOOP;
END $$;
SELECT ensure_log_partitions(3);

-- Refuses a change of personal data in a transaction that has no log row. Statement level, so one look per statement.
CREATE FUNCTION require_log_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM processing_log
                   WHERE recorded_at = transaction_timestamp() AND xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'personal data changed without a processing-log row' USING ERRCODE = 'ON001';
    END IF;
    RETURN NULL;
END $$;

-- Puts that trigger on a table of personal data.
CREATE FUNCTION guard_with_log(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER log_row_required AFTER INSERT OR UPDATE OR DELETE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION require_log_row()', guarded);
    EXECUTE format('CREATE TRIGGER log_row_required_truncate AFTER TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION require_log_row()', guarded);
END $$;

-- How far the access spans have been sent.
CREATE TABLE span_export_cursor (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    xid       xid8 NOT NULL,
    record_id uuid NOT NULL
);
INSERT INTO span_export_cursor (xid, record_id) VALUES ('0', '00000000-0000-0000-0000-000000000000');

-- The first answer to each request_id (AIP-155). No personal data: keyed digests and random ids.
CREATE TABLE idempotency (
    caller     text        NOT NULL,
    request_id uuid        NOT NULL,
    digest     text        NOT NULL,
    answer     jsonb       NOT NULL,
    subject_id uuid,
    created_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    PRIMARY KEY (caller, request_id)
);
CREATE INDEX idempotency_subject ON idempotency (subject_id);
CREATE INDEX idempotency_age ON idempotency USING brin (created_at);

-- The service writes the log and cannot read, change or delete it; time and transaction are the database's own words.
GRANT INSERT (record_id, occurred_at, actor, actor_type, peer_address, subject_ids, subject_count, resource_ids, action,
              rpc_method, status, error_reason, items, purpose, reason, ticket, request_id, trace_id, span_id,
              parent_span_id, policy_version, phase) ON processing_log TO {service};
GRANT SELECT, INSERT, DELETE, UPDATE (answer) ON idempotency TO {service};
GRANT SELECT ON processing_log, span_export_cursor, idempotency TO {auditor};
GRANT UPDATE ON span_export_cursor TO {auditor};
REVOKE ALL ON FUNCTION ensure_log_partitions(int), require_log_row(), guard_with_log(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_log_partitions(int) TO {service};

-- Makes the log's partitions of this month and the coming ones. Called at start and daily.
-- Beside the log, and then attached: CREATE TABLE … PARTITION OF locks all of it. Behind that one, every call would wait for
-- whoever reads the log, such as a backup. Of ATTACH PARTITION the default partition alone is locked, where rows do not go; but
-- a change looks for its row in all partitions and stands behind that lock. So it is waited for but a moment, and asked for
-- again a minute later: the month is made three months ahead.
CREATE OR REPLACE FUNCTION ensure_log_partitions(months_ahead int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
    month timestamptz;
    name  text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('processing_log')) THEN
        RETURN; -- another replica is at it
    END IF;
    FOR i IN 0..months_ahead LOOP
        month := date_trunc('month', transaction_timestamp(), 'UTC') + make_interval(months => i);
        name := 'processing_log_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE processing_log INCLUDING ALL)', name);
            EXECUTE format('ALTER TABLE processing_log ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           name, month, month + interval '1 month');
        END IF;
    END LOOP;
END $$;

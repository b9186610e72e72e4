"""A destroyed month leaves the data at once, and its files go after that commit: to free them takes the file system long."""

from alembic import op

from chassis.migrate import split

revision = "0004"
down_revision = "0003"

# In place of a pair of functions for log-ins and another for usage records: the kind is a parameter.
_MONTHS = r"""
-- Months out of the data whose files are there still. Their days' salts are gone, and nobody has a right to them.
CREATE VIEW destroyed_month AS
    SELECT relname::text AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
      AND relname ~ '^[a-z]+_record_\d{4}_\d\d_destroyed$';

CREATE FUNCTION ensure_month(kind text, month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name  text := kind || '_record_' || to_char(first, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(name));
    IF to_regclass(quote_ident(name)) IS NULL THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                       name, kind || '_record', first, (first + interval '1 month')::date);
        PERFORM guard_with_log(quote_ident(name)::regclass);
    END IF;
END $$;

-- Opens days that a plan has counted, and takes their month out of the data if no day of it has a salt; such a day may have
-- rows. Returns the rows of these days as they were counted, or NULL where the month stays. Like every change of personal
-- data only in a transaction that has its log row. Nobody adds to any month while the table is locked. It is for a moment:
-- what a month holds makes no difference; and it is not waited for longer than an autovacuum takes to give way.
CREATE FUNCTION detach_month(kind text, month date, units text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    first    timestamp := date_trunc('month', month::timestamp);
    name     text      := kind || '_record_' || to_char(first, 'YYYY_MM');
    all_days text[]    := ARRAY(SELECT kind || ':' || to_char(day, 'YYYY-MM-DD') FROM generate_series(
                                first, first + interval '1 month' - interval '1 day', interval '1 day') AS day);
    days     bigint;
    counted  bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM processing_log
                   WHERE recorded_at = transaction_timestamp() AND xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'personal data changed without a processing-log row' USING ERRCODE = 'ON001';
    END IF;
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', kind || '_record');
    WITH opened AS (DELETE FROM closed_day WHERE unit = ANY(units) RETURNING rows)
    SELECT count(*), coalesce(sum(rows), 0) INTO days, counted FROM opened;
    IF days < cardinality(units)
       OR EXISTS (SELECT 1 FROM erasure_key WHERE unit = ANY(all_days) AND wrapped_salt IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        EXECUTE format('DROP TABLE IF EXISTS %I', name || '_destroyed'); -- of a run that stopped half way
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', kind || '_record', name);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', name, name || '_destroyed');
    END IF;
    RETURN counted;
END $$;

-- Removes the files. What was destroyed, the transaction that took it out of the data has recorded.
CREATE FUNCTION remove_destroyed_months() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found text;
BEGIN
    FOR found IN SELECT name FROM destroyed_month ORDER BY name LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', found); -- it may be gone: another process removes the same
    END LOOP;
END $$;

DROP FUNCTION ensure_login_record_partition(date), ensure_usage_record_partition(date),
    drop_login_record_partition(date), drop_usage_record_partition(date);
REVOKE ALL ON FUNCTION ensure_month(text, date), detach_month(text, date, text[]), remove_destroyed_months() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_month(text, date), detach_month(text, date, text[]), remove_destroyed_months() TO identity;
GRANT SELECT ON destroyed_month TO identity, identity_auditor;
"""


def upgrade() -> None:
    """Make them."""
    for statement in split(_MONTHS):
        op.execute(statement)

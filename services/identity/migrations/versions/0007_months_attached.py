"""A month's partition is made beside the table and then attached: what reads and writes the table is not waited for."""

from alembic import op

from chassis.migrate import split

revision = "0007"
down_revision = "0006"

# CREATE TABLE … PARTITION OF locks the whole table against reads too. It waited for a backup as long as that took, and
# everybody behind it. ATTACH PARTITION goes beside both.
_ENSURE = """
CREATE OR REPLACE FUNCTION ensure_month(kind text, month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name  text := kind || '_record_' || to_char(first, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(name));
    IF to_regclass(quote_ident(name)) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, kind || '_record');
        PERFORM guard_with_log(quote_ident(name)::regclass);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       kind || '_record', name, first, (first + interval '1 month')::date);
    END IF;
END $$;
"""


def upgrade() -> None:
    """Put the function in the place of the one that locked."""
    for statement in split(_ENSURE):
        op.execute(statement)

"""The archive (분리보관): records that a law or a lasting consent alone still keeps, and the one way in.

Three roles: ``archive`` reads and destroys and adds nothing, ``archive_auditor`` reads, ``archive_depositor`` is
identity's login: it puts whole records in through one function, ends consents, and selects nothing.
"""

from pathlib import Path

from alembic import op

from chassis.migrate import schema, split

revision = "0001"
down_revision = None

_RECORDS = Path(__file__).resolve().parents[2] / "schema" / "records.sql"
_LOG_COLUMNS = (
    "record_id, occurred_at, actor, actor_type, peer_address, subject_ids, subject_count, resource_ids, action, "
    "rpc_method, status, error_reason, items, purpose, reason, ticket, request_id, trace_id, span_id, parent_span_id, "
    "policy_version, phase"
)

_WAYS_IN = f"""
-- Puts records in: each as a whole, or not at all. NEW: it is in. SAME: an earlier deposit of it is in, with these bases
-- among its own, and stays as it is. OTHER: it cannot be put in beside what is here; nothing was done.
-- A record that was here and whose salts are gone is not put in again.
CREATE FUNCTION deposit_records(batch jsonb) RETURNS TABLE (deposited uuid, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    fresh uuid[];
BEGIN
    -- One lock a former member, as end_bases takes it: an end of a consent waits for what is still being committed here.
    PERFORM pg_advisory_xact_lock(hashtextextended(m.member_id::text, 0))
    FROM (SELECT DISTINCT g.member_id FROM jsonb_to_recordset(batch) AS g(member_id uuid) ORDER BY 1) AS m;

    WITH given AS (
        SELECT * FROM jsonb_to_recordset(batch) AS g(
            record_id uuid, member_id uuid, kind text, occurred_on date, policy_version text,
            bases jsonb, fields jsonb)),
    field AS (
        SELECT given.record_id, f.field, f.sealed, f.wrapped_salt,
               'record:' || given.record_id || ':' || f.field AS unit
        FROM given, jsonb_to_recordset(given.fields) AS f(field text, sealed text, wrapped_salt text)),
    added AS (
        INSERT INTO record (record_id, member_id, kind, occurred_on, policy_version, state)
        SELECT record_id, member_id, kind, occurred_on, policy_version, 'LEFT' FROM given
        WHERE jsonb_array_length(bases) > 0 AND NOT EXISTS (
            SELECT FROM field JOIN erasure_key USING (unit) WHERE field.record_id = given.record_id)
        ON CONFLICT DO NOTHING RETURNING record.record_id),
    basis AS (
        INSERT INTO record_basis (record_id, category, event_date)
        SELECT record_id, b.category, b.event_date
        FROM added JOIN given USING (record_id),
             jsonb_to_recordset(given.bases) AS b(category text, event_date date)),
    salt AS (
        INSERT INTO erasure_key (unit, wrapped_salt) SELECT unit, wrapped_salt FROM added JOIN field USING (record_id)),
    value AS (
        INSERT INTO record_field (record_id, field, sealed) SELECT record_id, field, sealed
        FROM added JOIN field USING (record_id))
    SELECT coalesce(array_agg(record_id), ARRAY[]::uuid[]) INTO fresh FROM added;

    RETURN QUERY
    SELECT g.record_id, CASE
        WHEN g.record_id = ANY(fresh) THEN 'NEW'
        WHEN EXISTS (SELECT FROM record AS r WHERE r.record_id = g.record_id) AND NOT EXISTS (
            SELECT b.category, b.event_date FROM jsonb_to_recordset(g.bases) AS b(category text, event_date date)
            EXCEPT SELECT h.category, h.event_date FROM record_basis AS h WHERE h.record_id = g.record_id) THEN 'SAME'
        ELSE 'OTHER' END
    FROM jsonb_to_recordset(batch) AS g(record_id uuid, bases jsonb);
END $$;

-- The letter box for consents that a former member withdraws: what is put in is carried out at once and not kept, since
-- the consent itself stands in identity, and a subject's id must not outlive the last record.
CREATE TABLE consent_end (
    member_id uuid NOT NULL,
    category  text NOT NULL CHECK (category ~ '^R-[0-9]{{2}}[a-z]?$'),
    ended_on  date NOT NULL -- in Korea
);
CREATE FUNCTION end_bases() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.member_id::text, 0));
    UPDATE record_basis AS b SET ended_on = NEW.ended_on FROM record AS r
    WHERE r.record_id = b.record_id AND r.member_id = NEW.member_id AND b.category = NEW.category
      AND b.ended_on IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER carry_out BEFORE INSERT ON consent_end FOR EACH ROW EXECUTE FUNCTION end_bases();
SELECT guard_with_log('consent_end');

-- The process opens, shows and destroys; it adds no record and makes no salt.
REVOKE INSERT ON record, record_basis, record_field, erasure_key FROM archive;
GRANT SELECT ON consent_end TO archive, archive_auditor;

REVOKE ALL ON FUNCTION deposit_records(jsonb), end_bases() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION deposit_records(jsonb) TO archive_depositor;
GRANT INSERT ON consent_end TO archive_depositor;
GRANT INSERT ({_LOG_COLUMNS}) ON processing_log TO archive_depositor;
"""


def upgrade() -> None:
    """Make everything."""
    for name in ("ledger", "erasure_key", "purge"):
        for statement in schema(name, "archive"):
            op.execute(statement)
    records = _RECORDS.read_text().replace("{service}", "archive").replace("{auditor}", "archive_auditor")
    for source in (records, _WAYS_IN):
        for statement in split(source):
            op.execute(statement)

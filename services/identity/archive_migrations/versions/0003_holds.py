"""Legal holds: what no destruction touches while an authority wants it kept, and what comes in because of them."""

from alembic import op

from chassis.migrate import schema, split

revision = "0003"
down_revision = "0002"

# A held record comes in with all its bases, also those that a withdrawn consent has ended: they must not live again.
_WAY_IN = """
CREATE OR REPLACE FUNCTION deposit_records(batch jsonb) RETURNS TABLE (deposited uuid, outcome text)
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
        INSERT INTO record_basis (record_id, category, event_date, ended_on)
        SELECT record_id, b.category, b.event_date, b.ended_on
        FROM added JOIN given USING (record_id),
             jsonb_to_recordset(given.bases) AS b(category text, event_date date, ended_on date)),
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
"""


def upgrade() -> None:
    """Make them."""
    for statement in [*schema("legal_hold", "archive"), *split(_WAY_IN)]:
        op.execute(statement)

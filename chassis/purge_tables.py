"""What a plan fixes at a holder (purge_run, purge_item), and the salts that a verification looks at: single statements."""

from sqlalchemy import text

RUN = text("""
INSERT INTO purge_run (plan_id, category, epoch, through, cutoffs)
VALUES (CAST(:plan AS uuid), :category, :epoch, :through, CAST(:cutoffs AS jsonb))
ON CONFLICT (plan_id, category) DO UPDATE SET epoch = greatest(purge_run.epoch, excluded.epoch)
RETURNING epoch, through, cutoffs
""")
ADD_ITEMS = text("""
INSERT INTO purge_item (plan_id, category, unit) SELECT CAST(:plan AS uuid), :category, unnest(CAST(:units AS text[]))
ON CONFLICT DO NOTHING
""")
FENCE = text("""
UPDATE purge_run SET epoch = greatest(epoch, :epoch)
WHERE plan_id = CAST(:plan AS uuid) AND category = :category RETURNING epoch, through, cutoffs, destroyed, digest
""")
ALL_UNITS = text("""
SELECT unit FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category ORDER BY unit
""")
PLANNED = text("""
UPDATE purge_run SET planned = CAST(:planned AS jsonb), digest = :digest
WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
NEXT = text("""
SELECT unit FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category AND state = 'DUE'
ORDER BY unit LIMIT :size FOR UPDATE SKIP LOCKED
""")
DONE = text("""
UPDATE purge_item SET state = CASE WHEN unit = ANY(CAST(:held AS text[])) THEN 'HELD'
    WHEN unit = ANY(CAST(:skipped AS text[])) THEN 'SKIPPED' ELSE 'DESTROYED' END
WHERE plan_id = CAST(:plan AS uuid) AND category = :category AND unit = ANY(CAST(:units AS text[]))
""")
TALLY = text("""
UPDATE purge_run SET destroyed = CAST(:destroyed AS jsonb), sample = coalesce(sample, CAST(:sample AS jsonb))
WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
LOOK = text("""
SELECT epoch, sample FROM purge_run WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
LEFT = text("""
SELECT count(*) FILTER (WHERE state = 'DUE') AS due, count(*) FILTER (WHERE state = 'SKIPPED') AS skipped,
       count(*) FILTER (WHERE state = 'HELD') AS held
FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category
""")
DESTROYED_UNITS = text("""
SELECT unit FROM purge_item WHERE plan_id = CAST(:plan AS uuid) AND category = :category AND state = 'DESTROYED'
""")
LIVE_SALTS = text(
    "SELECT count(*) FROM erasure_key WHERE unit = ANY(CAST(:units AS text[])) AND wrapped_salt IS NOT NULL"
)
SALT = text("SELECT wrapped_salt FROM erasure_key WHERE unit = :unit")

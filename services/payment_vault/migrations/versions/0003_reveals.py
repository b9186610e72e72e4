"""Reveals: rationed, approved by a second person where they are many, and watched by honey tokens."""

from alembic import op

from chassis.migrate import split

revision = "0003"
down_revision = "0002"

TABLES = """
-- A token that nobody has a reason to reveal; whoever does is suspended.
ALTER TABLE token ADD COLUMN honey boolean NOT NULL DEFAULT false;

-- How many subjects each caller has revealed in its running hour and day (Korean clock). Whoever counts holds the row.
CREATE TABLE reveal_budget (
    caller    text        PRIMARY KEY,
    hour      timestamptz NOT NULL,
    hour_used int         NOT NULL,
    day       timestamptz NOT NULL,
    day_used  int         NOT NULL
) WITH (fillfactor = 50);

-- Which subjects those were, so that each counts once; "hour" is the last one that it was counted in. Gone with the day.
CREATE TABLE reveal_subject (
    caller  text        NOT NULL,
    day     timestamptz NOT NULL,
    subject uuid        NOT NULL,
    hour    timestamptz NOT NULL,
    PRIMARY KEY (caller, day, subject)
);
CREATE INDEX reveal_subject_day ON reveal_subject USING brin (day);

-- Reveals that were asked for. No token and no subject: a keyed digest of the exact list.
CREATE TABLE reveal_request (
    approval_id  uuid        PRIMARY KEY,
    requested_by text        NOT NULL,
    purpose      text        NOT NULL,
    digest       text        NOT NULL,
    tokens       int         NOT NULL,
    subjects     int         NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    expires_at   timestamptz NOT NULL DEFAULT transaction_timestamp() + interval '15 minutes',
    approved_by  text        NOT NULL DEFAULT '' CHECK (approved_by <> requested_by),
    used_at      timestamptz CHECK (used_at IS NULL OR approved_by <> '')
);
CREATE INDEX reveal_request_expiry ON reveal_request (expires_at);

-- Callers who have touched a honey token; "record_id" is the entry of the processing log that tells of it.
CREATE TABLE reveal_suspension (
    caller    text        PRIMARY KEY,
    record_id uuid        NOT NULL,
    since     timestamptz NOT NULL DEFAULT transaction_timestamp()
);

GRANT SELECT, INSERT, UPDATE, DELETE ON reveal_budget, reveal_subject TO payment_vault;
GRANT SELECT, INSERT, DELETE, UPDATE (approved_by, used_at) ON reveal_request TO payment_vault;
GRANT SELECT, INSERT, DELETE ON reveal_suspension TO payment_vault;
GRANT SELECT ON reveal_budget, reveal_subject, reveal_request, reveal_suspension TO payment_vault_auditor;
"""

# A function, because each of its statements sees what others have committed by then, also while it waited for a lock. A
# statement sees one moment, that of its beginning: two replicas would each find room for the last subject.
FUNCTIONS = """
-- Those of the subjects that do not count yet, in the hour, and how many of them not even in the day.
CREATE FUNCTION uncounted_subjects(
    by_caller text, candidates uuid[], in_hour timestamptz, in_day timestamptz, OUT fresh uuid[], OUT new_in_day int
) LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(c.subject), '{}'), (count(*) FILTER (WHERE c.counted IS NULL))::int
    FROM (SELECT u.subject, (
              -- As a subquery, this is one probe of the index a subject, whatever the planner knows of the table.
              SELECT s.hour FROM reveal_subject AS s WHERE s.caller = by_caller AND s.day = in_day AND s.subject = u.subject
          ) AS counted FROM (SELECT DISTINCT unnest(candidates) AS subject) AS u OFFSET 0) AS c
    WHERE c.counted IS NULL OR c.counted < in_hour
$$;

-- Says of each item whether it may be revealed, and counts what may. The caller of this function reveals and records, in
-- the same statement. One entry a call: records, callers, hour_limits, day_limits. One entry an item: calls (subscripts of
-- the former), tokens, members. An approval, and the limit without one, are of a call that is alone.
-- known: the token is there, is this member's, and may be revealed. reason: why nothing of the call may; else "".
-- trapped: this call has touched a honey token. retry: seconds until there is room again.
CREATE FUNCTION ration_reveals(
    records uuid[], callers text[], hour_limits int[], day_limits int[], alone_limit int, approval uuid, list_digest text,
    stated_purpose text, calls int[], tokens text[], members uuid[]
) RETURNS TABLE (item int, record_id uuid, known boolean, reason text, trapped boolean, retry double precision)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    there   boolean[];
    honey   boolean[];
    once    boolean;
    locked  boolean := false;
    reasons text[] := array_fill(''::text, ARRAY[cardinality(callers)]);
    traps   boolean[] := array_fill(false, ARRAY[cardinality(callers)]);
    retries double precision[] := array_fill(NULL::double precision, ARRAY[cardinality(callers)]);
    one     int;
    who     record;
    wanted  uuid[];
    counted record;
    budget  reveal_budget;
    hour_now timestamptz := date_trunc('hour', clock_timestamp(), 'Asia/Seoul');
    day_now  timestamptz := date_trunc('day', clock_timestamp(), 'Asia/Seoul');
BEGIN
    LOOP
        SELECT array_agg(t.token IS NOT NULL ORDER BY w.item), array_agg(coalesce(t.honey, false) ORDER BY w.item),
               coalesce(bool_or(t.one_time), false)
        INTO there, honey, once
        FROM unnest(tokens, members) WITH ORDINALITY AS w (token, member_id, item)
        LEFT JOIN LATERAL (
            SELECT t.token, t.honey, t.one_time FROM token AS t
            JOIN erasure_key AS k ON k.unit = 'member:' || t.member_id AND k.wrapped_salt IS NOT NULL
            WHERE t.token = w.token AND t.member_id = w.member_id
            AND (t.expires_at IS NULL OR t.expires_at > transaction_timestamp())
        ) AS t ON true;
        EXIT WHEN locked OR NOT once;
        -- Whoever waits here for another's reveal looks again when that one has taken the token away.
        PERFORM 1 FROM token AS t WHERE t.token = ANY (tokens) AND t.one_time ORDER BY t.token FOR UPDATE;
        locked := true;
    END LOOP;
    IF once THEN
        FOR one IN
            SELECT w.item FROM (
                SELECT w.item, row_number() OVER (PARTITION BY w.token ORDER BY w.item) AS place
                FROM unnest(tokens, there) WITH ORDINALITY AS w (token, there, item)
                JOIN token AS t ON t.token = w.token AND t.one_time WHERE w.there) AS w
            WHERE w.place > 1
        LOOP
            there[one] := false;
        END LOOP;
    END IF;

    IF EXISTS (SELECT 1 FROM reveal_suspension AS s WHERE s.caller = ANY (callers)) THEN
        FOR one IN
            SELECT c.call FROM unnest(callers) WITH ORDINALITY AS c (caller, call) JOIN reveal_suspension USING (caller)
        LOOP
            reasons[one] := 'CALLER_SUSPENDED';
        END LOOP;
    END IF;
    IF true = ANY (honey) THEN
        FOR one IN
            SELECT DISTINCT w.call FROM unnest(calls, honey) AS w (call, honey) WHERE w.honey AND reasons[w.call] = ''
        LOOP
            traps[one] := true;
        END LOOP;
        INSERT INTO reveal_suspension (caller, record_id)
        SELECT DISTINCT ON (c.caller) c.caller, c.record
        FROM unnest(callers, records, traps) WITH ORDINALITY AS c (caller, record, trapped, call)
        WHERE c.trapped ORDER BY c.caller, c.call
        ON CONFLICT DO NOTHING;
        FOR one IN
            SELECT c.call FROM unnest(callers) WITH ORDINALITY AS c (caller, call)
            WHERE c.caller IN (SELECT t.caller FROM unnest(callers, traps) AS t (caller, trapped) WHERE t.trapped)
        LOOP
            reasons[one] := 'CALLER_SUSPENDED';
        END LOOP;
    END IF;

    IF approval IS NOT NULL THEN
        PERFORM 1 FROM reveal_request AS r
        WHERE r.approval_id = approval AND r.requested_by = callers[1] AND r.purpose = stated_purpose
        AND r.digest = list_digest AND r.approved_by <> '' AND r.used_at IS NULL AND r.expires_at > clock_timestamp()
        FOR UPDATE;
        IF NOT FOUND AND reasons[1] = '' THEN
            reasons[1] := 'APPROVAL_NOT_FOUND';
        END IF;
    ELSIF alone_limit IS NOT NULL AND reasons[1] = ''
          AND (SELECT count(DISTINCT m.member_id) FROM unnest(members) AS m (member_id)) > alone_limit THEN
        reasons[1] := 'APPROVAL_REQUIRED';
    END IF;

    FOR who IN
        SELECT c.caller, min(c.hours) AS hour_limit, min(c.days) AS day_limit
        FROM unnest(callers, hour_limits, day_limits) AS c (caller, hours, days) GROUP BY c.caller ORDER BY c.caller
    LOOP
        SELECT array_agg(w.member_id) INTO wanted FROM unnest(calls, members, there) AS w (call, member_id, there)
        WHERE w.there AND reasons[w.call] = '' AND callers[w.call] = who.caller;
        CONTINUE WHEN wanted IS NULL;
        SELECT * INTO counted FROM uncounted_subjects(who.caller, wanted, hour_now, day_now);
        CONTINUE WHEN counted.fresh = '{}';  -- all count already, and what is counted stays so: no need to wait

        SELECT * INTO budget FROM reveal_budget AS b WHERE b.caller = who.caller FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO reveal_budget VALUES (who.caller, hour_now, 0, day_now, 0) ON CONFLICT DO NOTHING;
            SELECT * INTO budget FROM reveal_budget AS b WHERE b.caller = who.caller FOR UPDATE;
        END IF;
        -- Another may have begun the next window while this one waited: windows never go back.
        IF budget.hour < hour_now THEN
            budget.hour := hour_now;
            budget.hour_used := 0;
        END IF;
        IF budget.day < day_now THEN
            budget.day := day_now;
            budget.day_used := 0;
        END IF;
        SELECT * INTO counted FROM uncounted_subjects(who.caller, wanted, budget.hour, budget.day);
        IF budget.hour_used + cardinality(counted.fresh) <= who.hour_limit
           AND budget.day_used + counted.new_in_day <= who.day_limit THEN
            PERFORM count_subjects(who.caller, counted.fresh, budget.hour, budget.day);
            budget.hour_used := budget.hour_used + cardinality(counted.fresh);
            budget.day_used := budget.day_used + counted.new_in_day;
        ELSE
            -- Not all have room: call by call, in the order of their coming, each in whole or not at all.
            FOR one IN
                SELECT c.call FROM unnest(callers) WITH ORDINALITY AS c (caller, call)
                WHERE c.caller = who.caller AND reasons[c.call] = '' ORDER BY c.call
            LOOP
                SELECT array_agg(w.member_id) INTO wanted FROM unnest(calls, members, there) AS w (call, member_id, there)
                WHERE w.there AND w.call = one;
                SELECT * INTO counted FROM uncounted_subjects(who.caller, wanted, budget.hour, budget.day);
                IF budget.day_used + counted.new_in_day > who.day_limit THEN
                    reasons[one] := 'BUDGET_EXHAUSTED';
                    retries[one] := extract(epoch FROM budget.day + interval '1 day' - clock_timestamp());
                ELSIF budget.hour_used + cardinality(counted.fresh) > who.hour_limit THEN
                    reasons[one] := 'BUDGET_EXHAUSTED';
                    retries[one] := extract(epoch FROM budget.hour + interval '1 hour' - clock_timestamp());
                ELSE
                    PERFORM count_subjects(who.caller, counted.fresh, budget.hour, budget.day);
                    budget.hour_used := budget.hour_used + cardinality(counted.fresh);
                    budget.day_used := budget.day_used + counted.new_in_day;
                END IF;
            END LOOP;
        END IF;
        UPDATE reveal_budget AS b
        SET hour = budget.hour, hour_used = budget.hour_used, day = budget.day, day_used = budget.day_used
        WHERE b.caller = who.caller;
    END LOOP;

    IF approval IS NOT NULL AND reasons[1] = '' THEN
        UPDATE reveal_request AS r SET used_at = clock_timestamp() WHERE r.approval_id = approval;
    END IF;
    RETURN QUERY
        SELECT w.item::int, records[w.call], w.there AND reasons[w.call] = '', reasons[w.call], traps[w.call],
               greatest(retries[w.call], 1)
        FROM unnest(calls, there) WITH ORDINALITY AS w (call, there, item);
END $$;

-- Counts subjects in an hour and a day; those that count in the day already move to the hour.
CREATE FUNCTION count_subjects(by_caller text, subjects uuid[], in_hour timestamptz, in_day timestamptz) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO reveal_subject (caller, day, subject, hour)
    SELECT by_caller, in_day, s.subject, in_hour FROM unnest(subjects) AS s (subject)
    ON CONFLICT (caller, day, subject) DO UPDATE SET hour = excluded.hour
$$;
REVOKE ALL ON FUNCTION uncounted_subjects(text, uuid[], timestamptz, timestamptz),
    count_subjects(text, uuid[], timestamptz, timestamptz),
    ration_reveals(uuid[], text[], int[], int[], int, uuid, text, text, int[], text[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION uncounted_subjects(text, uuid[], timestamptz, timestamptz),
    count_subjects(text, uuid[], timestamptz, timestamptz),
    ration_reveals(uuid[], text[], int[], int[], int, uuid, text, text, int[], text[], uuid[]) TO payment_vault;
"""


def upgrade() -> None:
    """Make everything."""
    for source in (TABLES, FUNCTIONS):
        for statement in split(source):
            op.execute(statement)

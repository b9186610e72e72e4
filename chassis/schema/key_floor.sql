-- Where the ciphertexts of each key stand. The service reads it and cannot add to it: what is written here becomes a rule
-- of a table. applies: for which rows.
CREATE TABLE key_place (
    key     text NOT NULL,
    guarded name NOT NULL,
    sealed  name NOT NULL,
    applies text NOT NULL DEFAULT 'true',
    PRIMARY KEY (key, guarded, sealed)
);
GRANT SELECT ON key_place TO {service}, {auditor};

-- From now on the table takes nothing under a version before the floor. Whoever sealed before the key was rotated and
-- writes only now is refused, instead of leaving a row that nobody will ever open once the version is gone.
-- It waits a moment for the table, so that a long transaction makes it fail and not everybody wait; then it is called again.
CREATE FUNCTION set_key_floor(of_key text, of_table name, of_column name, floor integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
    condition text;
    rule      name := of_column || '_of_' || of_key;
BEGIN
    SELECT applies INTO STRICT condition FROM key_place
    WHERE key = of_key AND guarded = of_table AND sealed = of_column;
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I, '
                   'ADD CONSTRAINT %I CHECK (NOT (%s) OR key_version(%I) >= %s) NOT VALID',
                   of_table, rule, rule, condition, of_column, floor);
END $$;
REVOKE ALL ON FUNCTION set_key_floor(text, name, name, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_key_floor(text, name, name, integer) TO {service};

-- The salt of each erasure unit: what dies at once. Its loss makes every value of the unit undecryptable.
CREATE TABLE erasure_key (
    unit         text        PRIMARY KEY,
    wrapped_salt text,
    created_at   timestamptz NOT NULL DEFAULT transaction_timestamp(),
    destroyed_at timestamptz,
    CHECK ((wrapped_salt IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE TRIGGER log_row_required AFTER UPDATE OR DELETE ON erasure_key
    FOR EACH STATEMENT EXECUTE FUNCTION require_log_row();
GRANT SELECT, INSERT, UPDATE ON erasure_key TO {service};
GRANT SELECT ON erasure_key TO {auditor};

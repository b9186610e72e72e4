"""Legal holds: what no destruction touches while an authority wants it kept."""

from alembic import op

from chassis.migrate import schema, split

revision = "0005"
down_revision = "0004"

_FUNCTIONS = """
-- Those of the members that are held; no other hold comes to stand before the transaction ends. For statements that
-- destroy: as it is VOLATILE, what it has waited for is seen, which the statement around it would not see.
CREATE FUNCTION held_members(candidates uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(candidates) = 0 THEN
        RETURN;
    END IF;
    LOCK TABLE legal_hold IN SHARE MODE;
    RETURN QUERY SELECT DISTINCT h.member_id FROM legal_hold AS h
        WHERE h.member_id = ANY (candidates) AND NOT h.released;
END $$;
REVOKE ALL ON FUNCTION held_members(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION held_members(uuid[]) TO payment_vault;
"""


def upgrade() -> None:
    """Make them."""
    for statement in [*schema("legal_hold", "payment_vault"), *split(_FUNCTIONS)]:
        op.execute(statement)

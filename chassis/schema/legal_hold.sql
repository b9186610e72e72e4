-- Legal holds (보존 조치, LC-13) as this holder has them: whom, or which record, no destruction touches while they stand.
-- Why somebody ordered one and until when its need is looked at again stands in the retention service's register.
CREATE TABLE legal_hold (
    hold_id   uuid    PRIMARY KEY,
    member_id uuid,
    record_id uuid,
    article   text    NOT NULL CHECK (article <> ''),
    placed_on date    NOT NULL, -- in Korea
    released  boolean NOT NULL DEFAULT false,
    -- Once it is released, the row tells only that it is: a subject's id must not outlive what is kept of the subject.
    CHECK (num_nonnulls(member_id, record_id) = CASE WHEN released THEN 0 ELSE 1 END)
);
CREATE INDEX legal_hold_member ON legal_hold (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX legal_hold_record ON legal_hold (record_id) WHERE record_id IS NOT NULL;
SELECT guard_with_log('legal_hold');

-- UPDATE on the whole table is what LOCK TABLE asks for: whoever destroys keeps new holds out until it has committed.
GRANT SELECT, INSERT, UPDATE ON legal_hold TO {service};
GRANT SELECT ON legal_hold TO {auditor};

-- Units of a plan that a hold keeps, apart from those that are not due any more.
ALTER TABLE purge_item DROP CONSTRAINT purge_item_state_check;
ALTER TABLE purge_item ADD CONSTRAINT purge_item_state_check
    CHECK (state IN ('DUE', 'DESTROYED', 'SKIPPED', 'HELD'));

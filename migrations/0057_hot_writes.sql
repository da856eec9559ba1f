-- Verbs that people wait for look less up.
SET LOCAL ROLE timebank_owner;

-- A browser that scanned two people is found by an index, not by reading the visits of two days. Visits are added all day and each
-- check-out asks, so the index keeps no list of entries that still have to be sorted in.
CREATE INDEX visit_marks ON visit USING gin (marks) WITH (fastupdate = off);

-- The visits of other people that one of these browsers or sessions scanned. Row-level security would keep the serving role from using
-- the index, so the owner reads, in a community that the transaction sees.
CREATE FUNCTION visits_marked(p_community uuid, p_person uuid, p_marks bytea[], p_begin timestamptz, p_end timestamptz)
    RETURNS TABLE (in_at timestamptz, out_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN QUERY SELECT v.in_at, v.out_at FROM visit v WHERE v.marks && p_marks AND v.community_id = p_community
        AND v.person_id <> p_person AND v.in_at > p_begin AND v.in_at < p_end;
END
$$;
REVOKE EXECUTE ON FUNCTION visits_marked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visits_marked TO timebank_app;

-- Every policy asks this. Its text is parsed here and put into the statement that asks, so that no search path has to be set for it.
CREATE OR REPLACE FUNCTION visible_communities() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('timebank.communities', true), '')::uuid[];

-- A row that refers to another row of its community need not refer to the community as well: the other row does, or the one that it
-- refers to. Each of these was looked up, and its region locked by everybody at once, for every row that is written.
ALTER TABLE attachment DROP CONSTRAINT attachment_community_id_fkey;
ALTER TABLE booking DROP CONSTRAINT booking_community_id_fkey;
ALTER TABLE card DROP CONSTRAINT card_community_id_fkey;
ALTER TABLE claim DROP CONSTRAINT claim_community_id_fkey;
ALTER TABLE class_payment DROP CONSTRAINT class_payment_community_id_fkey;
ALTER TABLE class_purchase DROP CONSTRAINT class_purchase_community_id_fkey;
ALTER TABLE code_reading DROP CONSTRAINT code_reading_community_id_fkey;
ALTER TABLE counter_confirmation DROP CONSTRAINT counter_confirmation_community_id_fkey;
ALTER TABLE counter_sign_on DROP CONSTRAINT counter_sign_on_community_id_fkey;
ALTER TABLE course DROP CONSTRAINT course_community_id_fkey;
ALTER TABLE deed DROP CONSTRAINT deed_community_id_fkey;
ALTER TABLE device DROP CONSTRAINT device_community_id_fkey;
ALTER TABLE good_price DROP CONSTRAINT good_price_community_id_fkey;
ALTER TABLE guardianship DROP CONSTRAINT guardianship_community_id_fkey;
ALTER TABLE household DROP CONSTRAINT household_community_id_fkey;
ALTER TABLE household_move DROP CONSTRAINT household_move_community_id_fkey;
ALTER TABLE import_row DROP CONSTRAINT import_row_community_id_fkey;
ALTER TABLE import_work DROP CONSTRAINT import_work_community_id_fkey;
ALTER TABLE lesson DROP CONSTRAINT lesson_community_id_fkey;
ALTER TABLE message DROP CONSTRAINT message_community_id_fkey;
ALTER TABLE objection DROP CONSTRAINT objection_community_id_fkey;
ALTER TABLE person_merge DROP CONSTRAINT person_merge_community_id_fkey;
ALTER TABLE person_merge_row DROP CONSTRAINT person_merge_row_community_id_fkey;
ALTER TABLE redemption DROP CONSTRAINT redemption_community_id_fkey;
ALTER TABLE role_grant DROP CONSTRAINT role_grant_community_id_fkey;
ALTER TABLE service_record DROP CONSTRAINT service_record_community_id_fkey;
ALTER TABLE shift DROP CONSTRAINT shift_community_id_fkey;
ALTER TABLE sign_up DROP CONSTRAINT sign_up_community_id_fkey;
ALTER TABLE spending_rest DROP CONSTRAINT spending_rest_community_id_fkey;
ALTER TABLE stock DROP CONSTRAINT stock_community_id_fkey;
ALTER TABLE stock_move DROP CONSTRAINT stock_move_community_id_fkey;
ALTER TABLE transfer DROP CONSTRAINT transfer_community_id_fkey;
ALTER TABLE visit DROP CONSTRAINT visit_community_id_fkey;

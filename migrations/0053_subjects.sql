-- Objections name any subject by kind and id. A deed or a service record may be the consequence of a confirmed row, its
-- source; a rule says which trigger brings its deeds and how long these are published; a role grant may be paid.

SET LOCAL ROLE timebank_owner;

-- ------------------------------------------------------------------------------------------------------------ objection

ALTER TABLE objection ADD COLUMN subject_kind varchar(24);   -- a noun that a capability declares as a subject
ALTER TABLE objection ADD COLUMN subject_id uuid;            -- no foreign key: rows of several tables; they are never deleted
UPDATE objection SET subject_kind = CASE WHEN deed_id IS NULL THEN 'service_record' ELSE 'deed' END,
                     subject_id = coalesce(deed_id, service_record_id);
ALTER TABLE objection ALTER COLUMN subject_kind SET NOT NULL, ALTER COLUMN subject_id SET NOT NULL;
ALTER TABLE objection DROP CONSTRAINT objection_once, DROP CONSTRAINT objection_one_subject,
    DROP CONSTRAINT objection_deed, DROP CONSTRAINT objection_record,
    DROP COLUMN deed_id, DROP COLUMN service_record_id,
    ADD CONSTRAINT objection_once UNIQUE (community_id, subject_kind, subject_id, person_id);

-- As before, with the subject's pair of columns; a deed or record stays behind where the kept record has one of the same source.
CREATE OR REPLACE FUNCTION person_links() RETURNS TABLE (noun text, field text, holds text) LANGUAGE sql IMMUTABLE AS $$
    VALUES ('visit', 'person_id', 'true'),
        ('service_record', 'person_id', 'NOT EXISTS (SELECT FROM service_record o WHERE o.community_id = $1 AND o.person_id = $3
            AND (o.source_kind, o.source_id) = (r.source_kind, r.source_id))'),
        ('deed', 'person_id', 'r.witness_id IS DISTINCT FROM $3 AND NOT EXISTS (SELECT FROM deed o WHERE o.community_id = $1 AND o.person_id = $3
            AND (o.source_kind, o.source_id, o.rule_code, o.area_id) = (r.source_kind, r.source_id, r.rule_code, r.area_id))'),
        ('deed', 'witness_id', 'r.person_id <> $3'),
        ('redemption', 'person_id', 'true'), ('class_purchase', 'guardian_id', 'true'), ('class_purchase', 'child_id', 'true'),
        ('booking', 'guardian_id', 'true'), ('booking', 'child_id', 'true'), ('household_move', 'person_id', 'true'),
        ('person', 'merged_into', 'r.id <> $3'),
        ('guardianship', 'guardian_id', 'r.child_id <> $3 AND NOT EXISTS (SELECT FROM guardianship o WHERE o.community_id = $1
            AND o.guardian_id = $3 AND o.child_id = r.child_id)'),
        ('guardianship', 'child_id', 'r.guardian_id <> $3 AND NOT EXISTS (SELECT FROM guardianship o WHERE o.community_id = $1
            AND o.child_id = $3 AND o.guardian_id = r.guardian_id)'),
        ('sign_up', 'person_id', 'NOT EXISTS (SELECT FROM sign_up o WHERE o.community_id = $1 AND o.shift_id = r.shift_id AND o.person_id = $3)'),
        ('message', 'person_id', 'NOT EXISTS (SELECT FROM message o WHERE o.community_id = $1 AND o.key = r.key AND o.person_id = $3)'),
        ('objection', 'person_id', 'NOT EXISTS (SELECT FROM objection o WHERE o.community_id = $1 AND o.person_id = $3
            AND (o.subject_kind, o.subject_id) = (r.subject_kind, r.subject_id))'),
        ('role_grant', 'person_id', 'r.region_id IS NULL AND NOT EXISTS (SELECT FROM role_grant o WHERE o.community_id = $1 AND o.person_id = $3
            AND o.ended_at IS NULL AND (o.role, o.area_id, o.station_id) IS NOT DISTINCT FROM (r.role, r.area_id, r.station_id))')
$$;

-- ----------------------------------------------------------------------------------------- deeds and hours that follow

ALTER TABLE deed ADD COLUMN source_kind varchar(24);         -- the noun of the confirmed row that it follows from
ALTER TABLE deed ADD COLUMN source_id uuid;
ALTER TABLE deed ADD CONSTRAINT deed_source CHECK ((source_kind IS NULL) = (source_id IS NULL)),
    -- Nulls are distinct: deeds that somebody typed are not compared.
    ADD CONSTRAINT deed_source_once UNIQUE (community_id, source_kind, source_id, rule_code, person_id, area_id);

ALTER TABLE service_record ADD COLUMN source_kind varchar(24);
ALTER TABLE service_record ADD COLUMN source_id uuid;
ALTER TABLE service_record ADD CONSTRAINT service_record_source CHECK ((source_kind IS NULL) = (source_id IS NULL)),
    ADD CONSTRAINT service_record_source_once UNIQUE (community_id, source_kind, source_id, person_id);

ALTER TABLE rule ADD COLUMN trigger varchar(40);             -- what, once confirmed, is filed as a deed by this rule
ALTER TABLE rule ADD COLUMN notice_days integer;             -- null: the community's policy
ALTER TABLE rule ADD CONSTRAINT rule_of_deeds CHECK (kind = 'deed' OR (trigger IS NULL AND notice_days IS NULL)),
    ADD CONSTRAINT rule_notice_days CHECK (notice_days BETWEEN 0 AND 60);

-- Duty that is paid for: what its holder does in it is counted, and earns nothing.
ALTER TABLE role_grant ADD COLUMN paid boolean NOT NULL DEFAULT false;

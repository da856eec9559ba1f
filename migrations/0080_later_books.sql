-- A later book of matters says how those have ended that an earlier one had left open, a list of members brings skills, and two records of
-- one person become one also where both have reported in, joined, offered or followed.
SET LOCAL ROLE timebank_owner;

-- Those of these matters on which somebody has acted since they were imported, or that others refer to. What the clock has told alone
-- does not count, nor that a later book says how one has ended.
CREATE OR REPLACE FUNCTION imported_matters_used(p_community uuid, p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    RETURN QUERY
        SELECT s.matter_id FROM matter_step s WHERE s.community_id = p_community AND s.matter_id = ANY (p_ids)
            AND s.verb NOT IN ('import', 'import_end') AND s.by_kind <> 'system'
        UNION SELECT h.matter_id FROM matter_helper h WHERE h.community_id = p_community AND h.matter_id = ANY (p_ids)
        UNION SELECT f.matter_id FROM matter_follow f WHERE f.community_id = p_community AND f.matter_id = ANY (p_ids)
        UNION SELECT g.matter_id FROM rating g WHERE g.community_id = p_community AND g.matter_id = ANY (p_ids) AND g.how <> 'import'
        UNION SELECT k.noun_id FROM spot_check k WHERE k.community_id = p_community AND k.noun = 'matter' AND k.noun_id = ANY (p_ids)
        UNION SELECT t.noun_id FROM attachment t WHERE t.community_id = p_community AND t.noun = 'matter' AND t.noun_id = ANY (p_ids)
        UNION SELECT m.merged_into FROM matter m WHERE m.community_id = p_community AND m.merged_into = ANY (p_ids);
END
$$;

-- Removes those of these matters that the import has made and on which nobody has acted since; says which. One that a later book has
-- ended is taken back after that book.
CREATE OR REPLACE FUNCTION forget_imported_matters(p_community uuid, p_run uuid, p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    unused uuid[];
BEGIN
    IF NOT undoes_import(p_community, p_run) THEN
        RAISE EXCEPTION 'nobody who undoes this import' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Every verb locks the matter first: whoever was before this is seen below, whoever comes after finds no matter.
    PERFORM FROM matter m WHERE m.community_id = p_community AND m.id = ANY (p_ids) ORDER BY m.id FOR UPDATE;
    unused := ARRAY(
        SELECT m.id FROM matter m JOIN import_row r ON r.community_id = p_community AND r.run_id = p_run AND r.noun = 'matter' AND r.noun_id = m.id
        WHERE m.community_id = p_community AND m.id = ANY (p_ids) AND m.channel = 'import'
          AND NOT EXISTS (SELECT FROM matter_step s WHERE s.community_id = p_community AND s.matter_id = m.id AND s.verb = 'import_end')
          AND m.id NOT IN (SELECT u.id FROM imported_matters_used(p_community, p_ids) AS u (id)));
    DELETE FROM matter_step s WHERE s.community_id = p_community AND s.matter_id = ANY (unused);
    DELETE FROM rating g WHERE g.community_id = p_community AND g.matter_id = ANY (unused);
    RETURN QUERY DELETE FROM matter m WHERE m.community_id = p_community AND m.id = ANY (unused) RETURNING m.id;
END
$$;

-- Lets the matters that an import has ended wait again, as an earlier book had left them, where nobody has acted on them since; says which.
-- `p_steps` are the steps by which it ended them.
CREATE FUNCTION reopen_imported_matters(p_community uuid, p_run uuid, p_steps uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended uuid[];
    unused uuid[];
BEGIN
    IF NOT undoes_import(p_community, p_run) THEN
        RAISE EXCEPTION 'nobody who undoes this import' USING ERRCODE = 'insufficient_privilege';
    END IF;
    ended := ARRAY(
        SELECT s.matter_id FROM matter_step s JOIN import_row r ON r.community_id = p_community AND r.run_id = p_run AND r.noun = 'matter_step'
            AND r.noun_id = s.id
        WHERE s.community_id = p_community AND s.id = ANY (p_steps) AND s.verb = 'import_end');
    PERFORM FROM matter m WHERE m.community_id = p_community AND m.id = ANY (ended) ORDER BY m.id FOR UPDATE;
    unused := ARRAY(
        SELECT m.id FROM matter m WHERE m.community_id = p_community AND m.id = ANY (ended) AND m.channel = 'import'
          AND m.id NOT IN (SELECT u.id FROM imported_matters_used(p_community, ended) AS u (id)));
    DELETE FROM matter_step s WHERE s.community_id = p_community AND s.matter_id = ANY (unused) AND s.verb = 'import_end';
    DELETE FROM rating g WHERE g.community_id = p_community AND g.matter_id = ANY (unused) AND g.how = 'import';
    RETURN QUERY UPDATE matter m SET status = 'received', unit_id = NULL, done_at = NULL, closed_at = NULL, done_days = NULL, result = NULL,
            refused_because = NULL
        WHERE m.community_id = p_community AND m.id = ANY (unused) RETURNING m.id;
END
$$;

-- Removes those of these skills that the import has entered and about which nobody has said anything since; says which.
CREATE FUNCTION forget_imported_skills(p_community uuid, p_run uuid, p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT undoes_import(p_community, p_run) THEN
        RAISE EXCEPTION 'nobody who undoes this import' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY DELETE FROM person_skill k WHERE k.community_id = p_community AND k.id = ANY (p_ids) AND NOT k.findable AND k.note = ''
        AND num_nonnulls(k.withdrawn_at, k.proof_seen_at) = 0
        AND EXISTS (SELECT FROM import_row r WHERE r.community_id = p_community AND r.run_id = p_run AND r.noun = 'person_skill'
                    AND r.noun_id = k.id)
        RETURNING k.id;
END
$$;

-- Counts the followers of the matters whose followers a merge has changed.
CREATE FUNCTION followers_counted(p_community uuid, p_merge uuid) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE matter m SET followers = (SELECT count(*) FROM matter_follow f WHERE f.community_id = p_community AND f.matter_id = m.id
        AND f.kind = 'same')
    WHERE m.community_id = p_community AND m.id IN (SELECT x.row_id FROM person_merge_row x WHERE x.community_id = p_community
        AND x.merge_id = p_merge AND x.noun IN ('follow', 'follow.merged'));
END
$$;

-- As before, with what people report, do and offer where both records have it. A condition of person_links with an OR stands in brackets:
-- without them the rows of everybody were led to the kept record.
-- Lets two records be one: the ledger by transfers, all else by leading its rows to the kept record. Whoever spends through the kept
-- record's login waits as after a change of phone: each of the logins is told, and for p_rest nothing is spent through any.
CREATE OR REPLACE FUNCTION person_merge(p_community uuid, e ledger_entry, p_kept uuid, p_merged uuid, p_reason text, p_by_login uuid, p_rest interval,
                             OUT verdict text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    m person;
    k person;
    l record;
    before uuid[];
    ka affiliation;
    ma affiliation;
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT is_acting_login(p_by_login) OR NOT is_acting(e.actor_id)
       OR NOT may_merge(p_community, p_by_login, p_kept, p_merged) THEN
        RAISE EXCEPTION 'somebody else merges people here' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM person WHERE community_id = p_community AND id IN (p_kept, p_merged) ORDER BY id FOR NO KEY UPDATE;
    SELECT * INTO k FROM person WHERE community_id = p_community AND id = p_kept;
    SELECT * INTO m FROM person WHERE community_id = p_community AND id = p_merged;
    -- What somebody has earned comes to another name or another phone only as a second person agrees.
    IF (k.name_key <> m.name_key OR m.phone_index IS DISTINCT FROM k.phone_index OR m.phone_index IS NULL)
       AND (k.name_key <> m.name_key OR EXISTS (SELECT FROM account a WHERE a.community_id = p_community AND a.owner_id = p_merged)
            OR EXISTS (SELECT FROM service_record s WHERE s.community_id = p_community AND s.person_id = p_merged)
            OR EXISTS (SELECT FROM deed d WHERE d.community_id = p_community AND d.person_id = p_merged))
       AND NOT is_operator() AND NOT EXISTS (SELECT FROM agreed_now(p_community, '{person_merge}')) THEN
        RAISE EXCEPTION 'this merge waits for a second person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO person_merge (community_id, id, kept_id, merged_id, status_before, filled, reason, merged_at, merged_by)
        VALUES (p_community, e.source_id, p_kept, p_merged, m.status, array_remove(ARRAY[
            CASE WHEN k.sex IS NULL AND m.sex IS NOT NULL THEN 'sex' END, CASE WHEN k.born_on IS NULL AND m.born_on IS NOT NULL THEN 'born_on' END,
            CASE WHEN k.relation IS NULL AND m.relation IS NOT NULL AND k.household_id IS NULL THEN 'relation' END,
            CASE WHEN k.household_id IS NULL AND m.household_id IS NOT NULL THEN 'household_id' END,
            CASE WHEN k.identity_index IS NULL AND m.identity_index IS NOT NULL THEN 'identity' END,
            CASE WHEN k.phone_index IS NULL AND m.phone_index IS NOT NULL THEN 'phone' END], NULL), p_reason, e.posted_at, e.actor_id);
    verdict := ledger_merge(p_community, e, p_merged, p_kept, NULL);
    IF verdict <> 'posted' THEN RETURN; END IF;
    -- From one unit at a time: the later reporting-in goes on, and the earlier one ends when it began.
    SELECT * INTO ka FROM affiliation a WHERE a.community_id = p_community AND a.person_id = p_kept AND a.ended_on IS NULL;
    SELECT * INTO ma FROM affiliation a WHERE a.community_id = p_community AND a.person_id = p_merged AND a.ended_on IS NULL;
    IF ka.unit_id <> ma.unit_id THEN
        WITH led AS (UPDATE affiliation a SET ended_on = greatest(ka.reported_on, ma.reported_on) WHERE a.community_id = p_community
                     AND a.id = CASE WHEN ma.reported_on > ka.reported_on THEN ka.id ELSE ma.id END RETURNING a.id)
            INSERT INTO person_merge_row SELECT p_community, e.source_id, 'affiliation', 'ended_on', led.id FROM led;
    END IF;
    -- Of two who follow one matter, or of who follows what is their own report by now, none is a further neighbour.
    WITH led AS (DELETE FROM matter_follow f WHERE f.community_id = p_community AND (
            f.person_id = p_merged AND EXISTS (SELECT FROM matter_follow o WHERE o.community_id = p_community AND o.matter_id = f.matter_id
                AND o.person_id = p_kept)
            OR f.person_id IN (p_kept, p_merged) AND f.kind = 'same' AND EXISTS (SELECT FROM matter q WHERE q.community_id = p_community
                AND q.id = f.matter_id AND q.reporter_id IN (p_kept, p_merged)))
            RETURNING f.matter_id, f.person_id, f.kind, f.at)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, CASE led.person_id WHEN p_kept THEN 'follow' ELSE 'follow.merged' END, led.kind,
            led.matter_id, (extract(epoch FROM led.at) * 1000000)::bigint FROM led;
    PERFORM followers_counted(p_community, e.source_id);
    FOR l IN SELECT * FROM person_links() LOOP
        EXECUTE format('WITH led AS (UPDATE %1$I r SET %2$I = $3 WHERE r.community_id = $1 AND r.%2$I = $2 AND (%3$s) RETURNING r.id) '
                       'INSERT INTO person_merge_row (community_id, merge_id, noun, field, row_id) SELECT $1, $4, %1$L, %2$L, led.id FROM led',
                       l.noun, l.field, l.holds) USING p_community, p_merged, p_kept, e.source_id;
    END LOOP;
    -- From the same unit twice is once, since the earlier day, unless another unit came between. The second row stays behind and held no day.
    IF ka.unit_id = ma.unit_id THEN
        WITH led AS (UPDATE affiliation a SET ended_on = a.reported_on WHERE a.community_id = p_community AND a.id = ma.id RETURNING a.id)
            INSERT INTO person_merge_row SELECT p_community, e.source_id, 'affiliation', 'ended_on', led.id FROM led;
        WITH led AS (UPDATE affiliation a SET reported_on = greatest(ma.reported_on, (SELECT max(o.ended_on) FROM affiliation o
                         WHERE o.community_id = p_community AND o.person_id = p_kept AND o.ended_on <= ka.reported_on))
                     WHERE a.community_id = p_community AND a.id = ka.id AND ma.reported_on < ka.reported_on RETURNING a.id)
            INSERT INTO person_merge_row SELECT p_community, e.source_id, 'affiliation', 'reported_on', led.id, ka.reported_on - date '2000-01-01' FROM led;
    END IF;
    -- Who belongs to a team by one of the two records belongs to it; the second row stays behind and held no day.
    INSERT INTO person_merge_row SELECT p_community, e.source_id, 'team_member', was.field, o.id, was.value FROM team_member o
        JOIN team_member t ON t.community_id = o.community_id AND t.team_id = o.team_id AND t.person_id = p_merged
        CROSS JOIN LATERAL (VALUES ('joined_on', o.joined_on - date '2000-01-01'), ('left_on', o.left_on - date '2000-01-01'),
            ('leads', o.leads::integer)) AS was (field, value)
        WHERE o.community_id = p_community AND o.person_id = p_kept AND t.joined_on IS NOT NULL AND t.left_on IS NULL
          AND (o.joined_on IS NULL OR o.left_on IS NOT NULL OR t.leads AND NOT o.leads);
    UPDATE team_member o SET joined_on = CASE WHEN o.left_on IS NULL THEN coalesce(o.joined_on, t.joined_on) ELSE t.joined_on END, left_on = NULL,
            leads = t.leads OR o.leads AND o.left_on IS NULL, confirmed_by = coalesce(o.confirmed_by, t.confirmed_by)
        FROM team_member t JOIN person_merge_row x ON x.community_id = p_community AND x.merge_id = e.source_id AND x.noun = 'team_member'
            AND x.field = 'joined_on'
        WHERE t.community_id = p_community AND t.person_id = p_merged AND o.community_id = p_community AND o.id = x.row_id AND o.team_id = t.team_id;
    WITH led AS (UPDATE team_member t SET left_on = coalesce(t.joined_on, (t.asked_at AT TIME ZONE 'UTC')::date)
                 WHERE t.community_id = p_community AND t.person_id = p_merged AND t.left_on IS NULL RETURNING t.id)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, 'team_member', 'ended', led.id FROM led;
    -- A proof that was seen counts for the skill of the kept record too; whether to be found by it stays as that record says.
    WITH led AS (UPDATE person_skill o SET proof_seen_by = s.proof_seen_by, proof_seen_at = s.proof_seen_at, proof_until = s.proof_until
                 FROM person_skill s WHERE o.community_id = p_community AND o.person_id = p_kept AND o.proof_seen_at IS NULL
                   AND s.community_id = p_community AND s.person_id = p_merged AND s.skill_id = o.skill_id AND s.proof_seen_at IS NOT NULL
                   AND s.withdrawn_at IS NULL RETURNING o.id)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, 'person_skill', 'proof_seen_at', led.id FROM led;
    WITH led AS (UPDATE person_skill s SET withdrawn_at = e.posted_at WHERE s.community_id = p_community AND s.person_id = p_merged
                 AND s.withdrawn_at IS NULL RETURNING s.id)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, 'person_skill', 'withdrawn_at', led.id FROM led;
    WITH led AS (UPDATE free_time f SET person_id = p_kept WHERE f.community_id = p_community AND f.person_id = p_merged
                 AND NOT EXISTS (SELECT FROM free_time o WHERE o.community_id = p_community AND o.person_id = p_kept) RETURNING f.weekday, f.part)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, 'free_time', concat_ws(' ', led.weekday, led.part), p_kept FROM led;
    -- One person takes one place in an order: the second one is free, and nobody's minutes are counted twice.
    WITH led AS (UPDATE matter_helper h SET left_at = e.posted_at WHERE h.community_id = p_community AND h.person_id = p_merged
                 AND h.left_at IS NULL AND h.record_id IS NULL RETURNING h.id)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, 'matter_helper', 'left_at', led.id FROM led;
    -- A consent goes on where both were a guardian of one child, or a child of one guardian, and the kept one was only nominated.
    WITH led AS (UPDATE guardianship o SET consented_at = g.consented_at FROM guardianship g
                 WHERE o.community_id = p_community AND g.community_id = p_community AND o.consented_at IS NULL AND g.consented_at IS NOT NULL
                   AND num_nonnulls(o.ended_at, g.ended_at) = 0
                   AND (o.guardian_id = p_kept AND g.guardian_id = p_merged AND o.child_id = g.child_id
                        OR o.child_id = p_kept AND g.child_id = p_merged AND o.guardian_id = g.guardian_id)
                 RETURNING o.id)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, 'consent', 'consented_at', led.id FROM led;
    WITH led AS (UPDATE card c SET revoked_at = e.posted_at WHERE c.community_id = p_community AND c.person_id = p_merged AND c.revoked_at IS NULL
                 RETURNING c.id)
        INSERT INTO person_merge_row SELECT p_community, e.source_id, 'card', 'revoked_at', led.id FROM led;
    IF m.household_id IS NOT NULL AND m.household_id IS DISTINCT FROM k.household_id AND k.household_id IS NOT NULL THEN
        WITH led AS (INSERT INTO household_move (community_id, id, person_id, from_household, moved_at, moved_by)
                     VALUES (p_community, gen_random_uuid(), p_kept, m.household_id, e.posted_at, e.actor_id) RETURNING id)
            INSERT INTO person_merge_row SELECT p_community, e.source_id, 'lived', 'id', led.id FROM led;
    END IF;
    SELECT array_agg(x.login_id) INTO before FROM membership x WHERE x.community_id = p_community AND x.person_id = p_merged;
    IF EXISTS (SELECT FROM membership x WHERE x.community_id = p_community AND x.person_id = p_kept) THEN
        WITH led AS (DELETE FROM membership x WHERE x.community_id = p_community AND x.person_id = p_merged RETURNING x.login_id)
            INSERT INTO person_merge_row SELECT p_community, e.source_id, 'membership', 'ended', led.login_id FROM led;
    ELSE
        WITH led AS (UPDATE membership x SET person_id = p_kept WHERE x.community_id = p_community AND x.person_id = p_merged RETURNING x.login_id)
            INSERT INTO person_merge_row SELECT p_community, e.source_id, 'membership', 'person_id', led.login_id FROM led;
    END IF;
    INSERT INTO spending_rest (community_id, id, person_id, login_id, cause, since, until, by_login, from_login)
        SELECT p_community, gen_random_uuid(), p_kept, x.login_id, 'merge', e.posted_at, e.posted_at + greatest(p_rest, interval '72 hours'), p_by_login, f.login_id
        FROM (SELECT) AS one LEFT JOIN membership x ON x.community_id = p_community AND x.person_id = p_kept
        LEFT JOIN unnest(before) AS f (login_id) ON f.login_id IS DISTINCT FROM x.login_id;
    UPDATE person SET status = 'left', merged_into = p_kept, corrected_at = e.posted_at,
        identity_index = CASE WHEN k.identity_index IS NULL THEN NULL ELSE identity_index END,
        identity_sealed = CASE WHEN k.identity_index IS NULL THEN NULL ELSE identity_sealed END
        WHERE community_id = p_community AND id = p_merged;
    UPDATE person SET sex = coalesce(k.sex, m.sex), born_on = coalesce(k.born_on, m.born_on), household_id = coalesce(k.household_id, m.household_id),
        relation = CASE WHEN k.household_id IS NULL THEN coalesce(k.relation, m.relation) ELSE k.relation END,
        identity_index = coalesce(k.identity_index, m.identity_index), identity_sealed = coalesce(k.identity_sealed, m.identity_sealed),
        phone_index = coalesce(k.phone_index, m.phone_index), phone_sealed = coalesce(k.phone_sealed, m.phone_sealed),
        phone_last4 = coalesce(k.phone_last4, m.phone_last4), corrected_at = e.posted_at
        WHERE community_id = p_community AND id = p_kept;
    PERFORM ledger_close_owner(p_community, 'person', p_merged, e.posted_at);
END
$$;

-- Lets two records be two again: what has stayed with the kept one since it came goes back. Answers as ledger_merge does.
CREATE OR REPLACE FUNCTION person_unmerge(p_community uuid, e ledger_entry, p_merge uuid, p_by_login uuid, OUT verdict text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    j person_merge;
    k person;
    l record;
BEGIN
    PERFORM ledger_permit(p_community);
    SELECT * INTO j FROM person_merge WHERE community_id = p_community AND id = p_merge FOR NO KEY UPDATE;
    IF NOT is_acting_login(p_by_login) OR NOT is_acting(e.actor_id)
       OR NOT may_merge(p_community, p_by_login, j.kept_id, j.merged_id) THEN
        RAISE EXCEPTION 'somebody else merges people here' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM person WHERE community_id = p_community AND id IN (j.kept_id, j.merged_id) ORDER BY id FOR NO KEY UPDATE;
    SELECT * INTO k FROM person WHERE community_id = p_community AND id = j.kept_id;
    UPDATE person SET merged_into = NULL, status = j.status_before, corrected_at = e.posted_at,
        identity_index = CASE WHEN 'identity' = ANY (j.filled) THEN k.identity_index ELSE identity_index END,
        identity_sealed = CASE WHEN 'identity' = ANY (j.filled) THEN k.identity_sealed ELSE identity_sealed END
        WHERE community_id = p_community AND id = j.merged_id AND NOT 'identity' = ANY (j.filled);
    IF 'identity' = ANY (j.filled) THEN    -- one after the other: a number stands for one record at a time
        UPDATE person SET identity_index = NULL, identity_sealed = NULL WHERE community_id = p_community AND id = j.kept_id;
        UPDATE person SET merged_into = NULL, status = j.status_before, corrected_at = e.posted_at, identity_index = k.identity_index,
            identity_sealed = k.identity_sealed WHERE community_id = p_community AND id = j.merged_id;
    END IF;
    UPDATE person SET corrected_at = e.posted_at, sex = CASE WHEN 'sex' = ANY (j.filled) THEN NULL ELSE sex END,
        born_on = CASE WHEN 'born_on' = ANY (j.filled) THEN NULL ELSE born_on END,
        relation = CASE WHEN 'relation' = ANY (j.filled) THEN NULL ELSE relation END,
        household_id = CASE WHEN 'household_id' = ANY (j.filled) THEN NULL ELSE household_id END,
        phone_index = CASE WHEN 'phone' = ANY (j.filled) THEN NULL ELSE phone_index END,
        phone_sealed = CASE WHEN 'phone' = ANY (j.filled) THEN NULL ELSE phone_sealed END,
        phone_last4 = CASE WHEN 'phone' = ANY (j.filled) THEN NULL ELSE phone_last4 END
        WHERE community_id = p_community AND id = j.kept_id;
    PERFORM ledger_close_owner(p_community, 'person', j.merged_id, CASE j.status_before WHEN 'left' THEN e.posted_at END);
    verdict := ledger_merge(p_community, e, j.kept_id, j.merged_id, p_merge);
    IF verdict <> 'posted' THEN RETURN; END IF;
    FOR l IN SELECT * FROM person_links() LOOP
        EXECUTE format('UPDATE %1$I r SET %2$I = $3 WHERE r.community_id = $1 AND r.%2$I = $2 AND r.id IN (SELECT x.row_id '
                       'FROM person_merge_row x WHERE x.community_id = $1 AND x.merge_id = $4 AND x.noun = %1$L AND x.field = %2$L)%3$s',
                       l.noun, l.field, CASE l.noun WHEN 'redemption' THEN ' AND ledger_owner_of(r.community_id, r.entry_id) = $3'
                                        WHEN 'booking' THEN CASE l.field WHEN 'child_id' THEN
                                            ' AND (r.entry_id IS NULL OR ledger_owner_of(r.community_id, r.entry_id) = $3)' ELSE '' END ELSE '' END)
            USING p_community, j.kept_id, j.merged_id, p_merge;
    END LOOP;
    -- What the merge ended goes on, unless its person has reported in anew since.
    UPDATE affiliation a SET ended_on = NULL FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge
        AND x.noun = 'affiliation' AND x.field = 'ended_on' AND a.community_id = p_community AND a.id = x.row_id
        AND NOT EXISTS (SELECT FROM affiliation o WHERE o.community_id = p_community AND o.person_id = a.person_id AND o.ended_on IS NULL);
    UPDATE affiliation a SET reported_on = date '2000-01-01' + x.amount::integer FROM person_merge_row x WHERE x.community_id = p_community
        AND x.merge_id = p_merge AND x.noun = 'affiliation' AND x.field = 'reported_on' AND a.community_id = p_community AND a.id = x.row_id;
    -- Whoever has left a team since stays out of it.
    UPDATE team_member o SET joined_on = date '2000-01-01' + j1.amount::integer, leads = j3.amount = 1 AND j1.amount IS NOT NULL,
            left_on = coalesce(o.left_on, date '2000-01-01' + j2.amount::integer), confirmed_by = CASE WHEN j1.amount IS NOT NULL THEN o.confirmed_by END
        FROM person_merge_row j1 JOIN person_merge_row j2 ON j2.community_id = j1.community_id AND j2.merge_id = j1.merge_id AND j2.noun = j1.noun
            AND j2.row_id = j1.row_id AND j2.field = 'left_on'
        JOIN person_merge_row j3 ON j3.community_id = j1.community_id AND j3.merge_id = j1.merge_id AND j3.noun = j1.noun
            AND j3.row_id = j1.row_id AND j3.field = 'leads'
        WHERE j1.community_id = p_community AND j1.merge_id = p_merge AND j1.noun = 'team_member' AND j1.field = 'joined_on'
          AND o.community_id = p_community AND o.id = j1.row_id;
    UPDATE team_member t SET left_on = NULL FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge
        AND x.noun = 'team_member' AND x.field = 'ended' AND t.community_id = p_community AND t.id = x.row_id;
    UPDATE person_skill o SET proof_seen_by = NULL, proof_seen_at = NULL, proof_until = NULL FROM person_merge_row x
        WHERE x.community_id = p_community AND x.merge_id = p_merge AND x.noun = 'person_skill' AND x.field = 'proof_seen_at'
          AND o.community_id = p_community AND o.id = x.row_id;
    UPDATE person_skill s SET withdrawn_at = NULL FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge
        AND x.noun = 'person_skill' AND x.field = 'withdrawn_at' AND s.community_id = p_community AND s.id = x.row_id;
    UPDATE free_time f SET person_id = j.merged_id FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge
        AND x.noun = 'free_time' AND x.field = concat_ws(' ', f.weekday, f.part) AND f.community_id = p_community AND f.person_id = j.kept_id;
    UPDATE matter_helper h SET left_at = NULL FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge
        AND x.noun = 'matter_helper' AND x.field = 'left_at' AND h.community_id = p_community AND h.id = x.row_id;
    INSERT INTO matter_follow (community_id, id, matter_id, person_id, kind, at)
        SELECT p_community, gen_random_uuid(), x.row_id, CASE x.noun WHEN 'follow' THEN j.kept_id ELSE j.merged_id END, x.field,
               timestamptz 'epoch' + x.amount * interval '1 microsecond'
        FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge AND x.noun IN ('follow', 'follow.merged')
        ON CONFLICT DO NOTHING;
    PERFORM followers_counted(p_community, p_merge);
    UPDATE guardianship o SET consented_at = NULL FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge
        AND x.noun = 'consent' AND o.community_id = p_community AND o.id = x.row_id;
    UPDATE card c SET revoked_at = NULL FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge AND x.noun = 'card'
        AND c.community_id = p_community AND c.id = x.row_id AND c.revoked_at = j.merged_at;
    DELETE FROM household_move h USING person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge AND x.noun = 'lived'
        AND h.community_id = p_community AND h.id = x.row_id;
    DELETE FROM membership m USING person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_merge AND x.noun = 'membership'
        AND x.field = 'person_id' AND m.community_id = p_community AND m.login_id = x.row_id AND m.person_id = j.kept_id;
    INSERT INTO membership (community_id, login_id, person_id, created_at)
        SELECT p_community, x.row_id, j.merged_id, e.posted_at FROM person_merge_row x
        WHERE x.community_id = p_community AND x.merge_id = p_merge AND x.noun = 'membership' ON CONFLICT DO NOTHING;
    UPDATE person_merge SET undone_at = e.posted_at, undone_by = e.actor_id WHERE community_id = p_community AND id = p_merge;
END
$$;

REVOKE EXECUTE ON FUNCTION reopen_imported_matters, forget_imported_skills, followers_counted FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reopen_imported_matters, forget_imported_skills TO timebank_app;

-- Names are compared by a key that every spelling of one name has in common; two records of one person are merged.

SET LOCAL ROLE timebank_owner;

-- The key of a name (names.key), filled for those who are here already by the migration itself.
ALTER TABLE person ADD COLUMN name_key varchar(120);
CREATE INDEX person_name_key ON person (community_id, name_key);

-- -------------------------------------------------------------------------------------------- two records of one person

-- The record that a merged one was merged into, always one that stands: a later merge leads on what pointed there.
ALTER TABLE person
    ADD COLUMN merged_into uuid,
    ADD CONSTRAINT person_merged FOREIGN KEY (community_id, merged_into) REFERENCES person (community_id, id),
    ADD CONSTRAINT person_merged_left CHECK (merged_into IS NULL OR status = 'left');
CREATE INDEX person_merged_into ON person (community_id, merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE person_merge (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    kept_id     uuid NOT NULL,
    merged_id   uuid NOT NULL,
    status_before varchar(16) NOT NULL,        -- of the merged record
    filled      text[] NOT NULL,               -- what the kept record took over, having had nothing there
    reason      varchar(500) NOT NULL,
    merged_at   timestamptz NOT NULL,
    merged_by   uuid,
    undone_at   timestamptz,
    undone_by   uuid,
    PRIMARY KEY (community_id, id),
    CONSTRAINT person_merge_kept FOREIGN KEY (community_id, kept_id) REFERENCES person (community_id, id),
    CONSTRAINT person_merge_merged FOREIGN KEY (community_id, merged_id) REFERENCES person (community_id, id)
);
CREATE INDEX person_merge_kept_id ON person_merge (community_id, kept_id);
CREATE INDEX person_merge_merged_id ON person_merge (community_id, merged_id);
CALL protect_tenant_table('person_merge', 'SELECT');

-- Each row that now stands for the kept record, so that the undo finds it again.
CREATE TABLE person_merge_row (
    community_id uuid NOT NULL REFERENCES region (id),
    merge_id    uuid NOT NULL,
    noun        varchar(40) NOT NULL,
    field       varchar(40) NOT NULL,
    row_id      uuid NOT NULL,
    amount      bigint,                        -- what of a debt had been repaid by then
    PRIMARY KEY (community_id, merge_id, noun, field, row_id),
    CONSTRAINT person_merge_row_merge FOREIGN KEY (community_id, merge_id) REFERENCES person_merge (community_id, id)
);
CREATE INDEX person_merge_row_row_id ON person_merge_row (community_id, row_id);
CALL protect_tenant_table('person_merge_row', 'SELECT');

ALTER TABLE transfer DROP CONSTRAINT transfer_kind;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind CHECK (kind IN (
    'service', 'conversion', 'deed', 'hold', 'settle', 'void', 'purchase', 'donation', 'expiry', 'adjustment', 'reversal',
    'repayment', 'refund', 'move', 'merge'));

ALTER TABLE spending_rest DROP CONSTRAINT spending_rest_cause;
ALTER TABLE spending_rest ADD CONSTRAINT spending_rest_cause CHECK (cause IN ('code', 'phone', 'joined', 'merge'));

-- As before, and why: its phone was changed, or the record that it stood for was merged into one of another login.
DROP FUNCTION login_moved(bytea, timestamptz);
CREATE FUNCTION login_moved(p_token_hash bytea, p_now timestamptz) RETURNS TABLE (community_name varchar, cause varchar, since timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.name, r.cause, max(r.since) FROM session s
    JOIN spending_rest r ON r.from_login = s.login_id AND r.since > p_now - interval '30 days'
    JOIN region g ON g.id = r.community_id
    WHERE s.token_hash = p_token_hash AND s.ended_at IS NULL AND s.expires_at > p_now GROUP BY g.name, r.cause
$$;

-- Who has what an owner would have: the record that the owner's was merged into, else the owner.
CREATE FUNCTION ledger_heir(p_community uuid, p_owner_kind text, p_owner uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT p.merged_into FROM person p WHERE p_owner_kind = 'person' AND p.community_id = p_community AND p.id = p_owner),
                    p_owner)
$$;

-- The account of the heir that is like this one in all but its owner.
CREATE FUNCTION ledger_twin(p_community uuid, p_account uuid, p_owner uuid) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT ledger_account(p_community, a.owner_kind, p_owner, a.currency, a.bucket, a.subject_id, a.expires_on, a.grace_of)
    FROM account a WHERE a.community_id = p_community AND a.id = p_account
$$;

-- See 0003. What would come back to a merged record comes to the one that it was merged into.
CREATE OR REPLACE FUNCTION ledger_returning(p_community uuid, p_account uuid, p_today date, p_grace integer) RETURNS uuid
    LANGUAGE plpgsql AS $$
DECLARE
    a account;
    heir uuid;
BEGIN
    SELECT * INTO a FROM account WHERE community_id = p_community AND id = p_account;
    heir := ledger_heir(p_community, a.owner_kind, a.owner_id);
    IF heir <> a.owner_id THEN
        p_account := ledger_twin(p_community, p_account, heir);
    END IF;
    IF a.expires_on IS NULL OR a.expires_on >= p_today OR a.grace_of IS NOT NULL THEN
        RETURN p_account;
    END IF;
    RETURN ledger_account(p_community, a.owner_kind, heir, a.currency, a.bucket, a.subject_id, a.expires_on + p_grace, a.expires_on);
END
$$;

-- See 0028. What was credited to a merged record is taken from it and from the one that it was merged into, which owes the rest.
CREATE OR REPLACE FUNCTION ledger_take_back(p_community uuid, e ledger_entry, p_leg integer, t transfer, p_back_to uuid) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    owner account;
    heir uuid;
    a record;
    rest bigint := t.amount;
    part bigint;
    named uuid := t.id;
BEGIN
    SELECT * INTO owner FROM account WHERE community_id = p_community AND id = t.credit_account;
    heir := ledger_heir(p_community, owner.owner_kind, owner.owner_id);
    IF heir <> owner.owner_id THEN
        PERFORM ledger_lock(p_community, owner.owner_kind, ARRAY[heir], ARRAY[t.currency::text]);
    END IF;
    FOR a IN
        SELECT b.id, b.balance AS amount, NULL::uuid AS expiry,
               CASE WHEN (b.expires_on, b.grace_of) IS NOT DISTINCT FROM (owner.expires_on, owner.grace_of) THEN 1 ELSE 3 END AS turn,
               b.expires_on, b.grace_of
        FROM account b
        WHERE b.community_id = p_community AND b.owner_kind = owner.owner_kind AND b.owner_id IN (owner.owner_id, heir)
          AND b.currency = t.currency AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM owner.subject_id AND b.balance > 0
        UNION ALL
        SELECT x.credit_account, coalesce(ledger_lapsed(x), 0), x.id, 2, b.expires_on, b.grace_of
        FROM account b JOIN transfer x ON x.community_id = p_community AND x.debit_account = b.id AND x.kind = 'expiry'
             AND x.posted_at >= t.posted_at
        WHERE b.community_id = p_community AND b.owner_kind = owner.owner_kind AND b.owner_id IN (owner.owner_id, heir)
          AND b.currency = t.currency AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM owner.subject_id
          AND ((b.expires_on, b.grace_of) IS NOT DISTINCT FROM (owner.expires_on, owner.grace_of) OR b.grace_of = owner.expires_on)
        ORDER BY turn, expires_on NULLS LAST, grace_of NULLS LAST, expiry LOOP
        EXIT WHEN rest = 0;
        part := least(rest, a.amount);
        CONTINUE WHEN part = 0;
        PERFORM ledger_must_write(p_community, e, p_leg, 'reversal', t.currency, a.id, p_back_to, part, named, NULL, a.expiry);
        named := NULL;
        rest := rest - part;
        p_leg := p_leg + 1;
    END LOOP;
    IF rest > 0 THEN
        INSERT INTO debt (community_id, id, owner_kind, owner_id, currency, subject_id, amount, repaid, repay_to, reverses, entry_id, created_at,
                          key)
            VALUES (p_community, uuid_v7(e.posted_at), owner.owner_kind, heir, t.currency, owner.subject_id, rest, 0,
                    p_back_to, t.id, e.id, e.posted_at, e.key);
    END IF;
    RETURN p_leg;
END
$$;

-- Takes what is set aside for the open reservations and bookings of one owner back, or sets it aside for another. A hold is ended
-- and made anew; its points go back to just where they came from, which the merge then moves.
CREATE FUNCTION ledger_rehold(p_community uuid, e ledger_entry, p_hold uuid, p_owner uuid, p_kind text) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    h transfer;
    leg integer := 1;
BEGIN
    e.key := e.key || ':' || p_kind || ':' || p_hold;
    e.id := gen_random_uuid();
    e.kind := p_kind;
    FOR h IN SELECT * FROM transfer x WHERE x.community_id = p_community AND x.entry_id = p_hold AND x.kind = 'hold' ORDER BY x.leg LOOP
        e.source_kind := h.source_kind;
        e.source_id := h.source_id;
        e.memo := h.memo;
        IF p_kind = 'void' THEN
            PERFORM ledger_must_write(p_community, e, leg, 'void', h.currency, h.credit_account, h.debit_account, h.amount, NULL, h.id);
        ELSE
            PERFORM ledger_must_write(p_community, e, leg, 'hold', h.currency, ledger_twin(p_community, h.debit_account, p_owner),
                                      ledger_twin(p_community, h.credit_account, p_owner), h.amount, NULL, NULL, NULL, h.grace_days);
        END IF;
        leg := leg + 1;
    END LOOP;
    IF p_kind = 'hold' THEN
        UPDATE redemption r SET entry_id = e.id WHERE r.community_id = p_community AND r.entry_id = p_hold AND r.id = e.source_id;
        UPDATE booking b SET entry_id = e.id WHERE b.community_id = p_community AND b.entry_id = p_hold AND b.id = e.source_id;
    END IF;
END
$$;

-- Moves everything that a record has to another of the same person, its debts too, which are then repaid from what both have.
-- p_back: the merge that is undone; then what it had moved goes back, as long as all of it is there. Answers posted, closed, spent.
CREATE FUNCTION ledger_merge(p_community uuid, e ledger_entry, p_from uuid, p_to uuid, p_back uuid) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    every text[] := ARRAY['point', 'minute', 'class_minute'];
    holds uuid[];
    one uuid;
    a record;
    target uuid;
    leg integer := 1;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, 'person', ARRAY[p_from, p_to], every);
    IF ledger_closed(p_community, 'person', p_to) THEN RETURN 'closed'; END IF;
    -- What has been spent, reversed into a debt of the other record, or taken for a debt that came along, does not come back.
    IF p_back IS NOT NULL AND EXISTS (
        SELECT FROM debt d JOIN transfer t ON t.community_id = d.community_id AND t.id = d.reverses
        JOIN account c ON c.community_id = t.community_id AND c.id = t.credit_account
        LEFT JOIN person_merge_row x ON x.community_id = p_community AND x.merge_id = p_back AND x.noun = 'debt' AND x.row_id = d.id
        WHERE d.community_id = p_community AND d.owner_id = p_from
          AND CASE WHEN x.row_id IS NULL THEN c.owner_id = p_to ELSE d.repaid > x.amount END) THEN
        RETURN 'spent';
    END IF;
    IF p_back IS NULL THEN
        WITH led AS (UPDATE debt d SET owner_id = p_to WHERE d.community_id = p_community AND d.owner_kind = 'person' AND d.owner_id = p_from
                     AND d.repaid < d.amount RETURNING d.id, d.repaid)
            INSERT INTO person_merge_row SELECT p_community, e.source_id, 'debt', 'owner_id', led.id, led.repaid FROM led;
    ELSE
        UPDATE debt d SET owner_id = p_to FROM person_merge_row x WHERE x.community_id = p_community AND x.merge_id = p_back AND x.noun = 'debt'
            AND d.community_id = p_community AND d.id = x.row_id AND d.owner_id = p_from;
    END IF;
    SELECT array_agg(DISTINCT h.entry_id) INTO holds FROM transfer h
        JOIN account c ON c.community_id = h.community_id AND c.id = h.credit_account AND c.owner_kind = 'person' AND c.owner_id = p_from
        WHERE h.community_id = p_community AND h.kind = 'hold'
          AND NOT EXISTS (SELECT FROM transfer x WHERE x.community_id = p_community AND x.closes = h.id)
          AND (p_back IS NULL OR EXISTS (SELECT FROM person_merge_row m WHERE m.community_id = p_community AND m.merge_id = p_back
               AND m.row_id = h.source_id));
    FOREACH one IN ARRAY coalesce(holds, '{}') LOOP
        PERFORM ledger_rehold(p_community, e, one, p_from, 'void');
    END LOOP;
    FOR a IN
        SELECT b.id, b.currency, b.balance AS amount, b.balance FROM account b
            WHERE p_back IS NULL AND b.community_id = p_community AND b.owner_kind = 'person' AND b.owner_id = p_from
              AND b.bucket = 'available' AND b.balance > 0
        UNION ALL
        SELECT t.credit_account, t.currency, sum(t.amount)::bigint, b.balance FROM transfer t
            JOIN account b ON b.community_id = t.community_id AND b.id = t.credit_account
            WHERE t.community_id = p_community AND t.kind = 'merge'
              AND t.entry_id = (SELECT x.entry_id FROM transfer x WHERE x.community_id = p_community AND x.key = 'merge:' || p_back)
            GROUP BY t.credit_account, t.currency, b.balance
        ORDER BY 1 LOOP
        IF a.balance < a.amount THEN RETURN 'spent'; END IF;
        target := ledger_twin(p_community, a.id, p_to);
        PERFORM ledger_must_write(p_community, e, leg, 'merge', a.currency, a.id, target, a.amount);
        leg := leg + 1;
    END LOOP;
    FOREACH one IN ARRAY coalesce(holds, '{}') LOOP
        PERFORM ledger_rehold(p_community, e, one, p_to, 'hold');
        INSERT INTO person_merge_row (community_id, merge_id, noun, field, row_id) VALUES (p_community, e.source_id, 'hold', 'entry_id', one)
            ON CONFLICT DO NOTHING;
    END LOOP;
    FOR target IN
        SELECT b.id FROM account b WHERE b.community_id = p_community AND b.owner_kind = 'person' AND b.owner_id = p_to
            AND b.bucket = 'available' AND b.balance > 0 ORDER BY b.expires_on NULLS LAST, b.grace_of NULLS LAST, b.id LOOP
        leg := ledger_repay(p_community, e, leg, target);
    END LOOP;
    INSERT INTO expiry_announcement AS n (community_id, day, owner_id, currency, amount, announced_at)
        SELECT p_community, x.day, p_to, x.currency, x.amount, ledger_now() FROM expiry_announcement x
        WHERE x.community_id = p_community AND x.owner_id = p_from AND x.day >= (ledger_now() AT TIME ZONE 'UTC')::date - 1
        ON CONFLICT (community_id, day, owner_id, currency) DO UPDATE SET amount = n.amount + excluded.amount;
    RETURN 'posted';
END
$$;

-- ------------------------------------------------------------------------------------------------------- what stands for whom

-- What leads to a person, as table, column, key, and what must hold for a row to be led to $3 instead. What stays behind with a
-- merged record (a second sign-up for one shift, a role that is held already) has no effect: nobody acts by it.
CREATE FUNCTION person_links() RETURNS TABLE (noun text, field text, holds text) LANGUAGE sql IMMUTABLE AS $$
    VALUES ('visit', 'person_id', 'true'), ('service_record', 'person_id', 'true'),
        ('deed', 'person_id', 'r.witness_id IS DISTINCT FROM $3'), ('deed', 'witness_id', 'r.person_id <> $3'),
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
            AND (o.deed_id, o.service_record_id) IS NOT DISTINCT FROM (r.deed_id, r.service_record_id))'),
        ('role_grant', 'person_id', 'r.region_id IS NULL AND NOT EXISTS (SELECT FROM role_grant o WHERE o.community_id = $1 AND o.person_id = $3
            AND o.ended_at IS NULL AND (o.role, o.area_id, o.station_id) IS NOT DISTINCT FROM (r.role, r.area_id, r.station_id))')
$$;

-- Whether the acting login may merge these two or undo it: it administers their community, is neither of them nor of the household of
-- one, now or before, nor the guardian of one, nor has either in hand; records of two names only as who agrees just now to this merge.
CREATE FUNCTION may_merge(p_community uuid, p_login uuid, p_kept uuid, p_merged uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN is_operator() OR EXISTS (SELECT FROM agreed_now(p_community, '{person_merge}') w
               WHERE w.person_id = p_kept AND w.change->'do'->>'merged_id' = p_merged::text)
        OR may_administer(p_community) AND NOT EXISTS (
            SELECT FROM unnest(ARRAY[p_kept, p_merged]) AS one (id), agreement_side(p_community, NULL, one.id) whose,
                        agreement_side(p_community, p_login, NULL) me
            WHERE me.persons && whose.persons OR me.households && whose.households OR me.hands && whose.hands
               OR EXISTS (SELECT FROM guardianship g WHERE g.community_id = p_community AND g.child_id = one.id AND g.guardian_id = ANY (me.persons)));
END
$$;

-- Lets two records be one: the ledger by transfers, all else by leading its rows to the kept record. Whoever spends through the kept
-- record's login waits as after a change of phone: each of the logins is told, and for p_rest nothing is spent through any.
CREATE FUNCTION person_merge(p_community uuid, e ledger_entry, p_kept uuid, p_merged uuid, p_reason text, p_by_login uuid, p_rest interval,
                             OUT verdict text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    m person;
    k person;
    l record;
    before uuid[];
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
    FOR l IN SELECT * FROM person_links() LOOP
        EXECUTE format('WITH led AS (UPDATE %1$I r SET %2$I = $3 WHERE r.community_id = $1 AND r.%2$I = $2 AND %3$s RETURNING r.id) '
                       'INSERT INTO person_merge_row (community_id, merge_id, noun, field, row_id) SELECT $1, $4, %1$L, %2$L, led.id FROM led',
                       l.noun, l.field, l.holds) USING p_community, p_merged, p_kept, e.source_id;
    END LOOP;
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
CREATE FUNCTION person_unmerge(p_community uuid, e ledger_entry, p_merge uuid, p_by_login uuid, OUT verdict text)
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

-- Whose a hold is.
CREATE FUNCTION ledger_owner_of(p_community uuid, p_hold uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT a.owner_id FROM transfer h JOIN account a ON a.community_id = h.community_id AND a.id = h.credit_account
    WHERE h.community_id = p_community AND h.entry_id = p_hold AND h.kind = 'hold' AND h.leg = 1
$$;

DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'timebank_owner'::regrole LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', routine);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION person_merge, person_unmerge, login_moved TO timebank_app;

-- The ledger refuses by itself what no caller may ask of it, whoever calls; and what was announced before there were
-- announcements is known.

SET LOCAL ROLE timebank_owner;

-- An amount that moves nothing, or moves backwards, is no posting: a caller that asks for it is at fault.
CREATE FUNCTION ledger_positive(p_amount bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(p_amount, 0) <= 0 THEN
        RAISE EXCEPTION 'an amount of % is no posting', p_amount USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_amount';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION ledger_spend(p_community uuid, e ledger_entry, p_owner_kind text, p_owner uuid, p_currency text, p_subject uuid,
                                        p_amount bigint, p_to text, p_today date,
                                        OUT verdict text, OUT entry_id uuid, OUT available bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a account;
    rest bigint := p_amount;
    part bigint;
    target uuid;
    leg integer := 1;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_positive(p_amount);
    PERFORM ledger_lock(p_community, p_owner_kind, ARRAY[p_owner], ARRAY[p_currency]);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_owner, p_currency, p_amount);
    IF verdict IS NOT NULL THEN RETURN; END IF;
    IF ledger_closed(p_community, p_owner_kind, p_owner) THEN verdict := 'closed'; RETURN; END IF;
    SELECT coalesce(sum(b.balance), 0) INTO available FROM account b
        WHERE b.community_id = p_community AND b.owner_kind = p_owner_kind AND b.owner_id = p_owner AND b.currency = p_currency
          AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM p_subject AND (b.expires_on IS NULL OR b.expires_on >= p_today);
    IF available < p_amount THEN verdict := 'insufficient'; RETURN; END IF;
    FOR a IN SELECT * FROM account b
             WHERE b.community_id = p_community AND b.owner_kind = p_owner_kind AND b.owner_id = p_owner AND b.currency = p_currency
               AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM p_subject AND b.balance > 0
               AND (b.expires_on IS NULL OR b.expires_on >= p_today) ORDER BY b.expires_on NULLS LAST, b.grace_of NULLS LAST LOOP
        EXIT WHEN rest = 0;
        part := least(rest, a.balance);
        IF p_to = 'held' THEN
            target := ledger_account(p_community, p_owner_kind, p_owner, p_currency, 'held', p_subject, a.expires_on, a.grace_of);
        ELSE
            target := ledger_system(p_community, p_currency, p_to);
        END IF;
        PERFORM ledger_must_write(p_community, e, leg, e.kind, p_currency, a.id, target, part);
        rest := rest - part;
        leg := leg + 1;
    END LOOP;
    verdict := 'posted'; entry_id := e.id; available := available - p_amount;
END
$$;

CREATE OR REPLACE FUNCTION ledger_spend_many(p_community uuid, e ledger_entry, p_ids uuid[], p_keys text[], p_hashes bytea[],
                                             p_actors uuid[], p_sources uuid[], p_memos text[], p_owners uuid[], p_amounts bigint[],
                                             p_currency text, p_to text, p_today date,
                                             OUT verdict text, OUT entry_id uuid, OUT available bigint) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    accounts uuid[];
    target uuid;
    emptied integer;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_positive(u) FROM unnest(p_amounts) u;
    PERFORM ledger_lock(p_community, 'person', (SELECT array_agg(DISTINCT o) FROM unnest(p_owners) o), ARRAY[p_currency]);
    WITH asked AS (
        SELECT * FROM unnest(p_owners, p_amounts) WITH ORDINALITY AS u (owner_id, amount, n)
    ), first AS (
        SELECT DISTINCT ON (a.owner_id) a.owner_id, a.id, a.balance FROM account a
        WHERE a.community_id = p_community AND a.owner_kind = 'person' AND a.owner_id = ANY (p_owners) AND a.currency = p_currency
          AND a.bucket = 'available' AND a.subject_id IS NULL AND a.balance > 0
          AND (a.expires_on IS NULL OR a.expires_on >= p_today)
        ORDER BY a.owner_id, a.expires_on NULLS LAST, a.grace_of NULLS LAST
    )
    SELECT array_agg(CASE WHEN f.balance >= s.total THEN f.id END ORDER BY s.n) INTO accounts
        FROM (SELECT n, owner_id, sum(amount) OVER (PARTITION BY owner_id) AS total FROM asked) s LEFT JOIN first f USING (owner_id);
    -- Closed is who has one closed account: another may have been made since, for what came back.
    IF array_position(accounts, NULL) IS NULL
       AND NOT EXISTS (SELECT FROM account c WHERE c.community_id = p_community AND c.owner_kind = 'person'
                       AND c.owner_id = ANY (p_owners) AND c.closed_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM transfer t WHERE t.community_id = p_community AND t.key = ANY (p_keys))
       AND (SELECT count(DISTINCT k) FROM unnest(p_keys) k) = cardinality(p_keys) THEN
        target := ledger_system(p_community, p_currency, p_to);
        -- A key that another owner's request takes in this very moment makes the whole call fail and be tried again.
        INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount,
                              occurred_at, posted_at, actor_id, source_kind, source_id, rule_code, rule_version, memo)
            SELECT p_community, uuid_v7(e.posted_at), u.id, 1, u.key, u.request_hash, e.kind, p_currency, u.account_id, target, u.amount,
                   e.occurred_at, e.posted_at, u.actor_id, e.source_kind, u.source_id, e.rule_code, e.rule_version, u.memo
            FROM unnest(p_ids, p_keys, p_hashes, p_actors, p_sources, p_memos, accounts, p_amounts)
                AS u (id, key, request_hash, actor_id, source_id, memo, account_id, amount);
        UPDATE account a SET balance = a.balance - u.amount
            FROM (SELECT account_id, sum(amount) AS amount FROM unnest(accounts, p_amounts) AS v (account_id, amount) GROUP BY account_id) u
            WHERE a.community_id = p_community AND a.id = u.account_id;
        GET DIAGNOSTICS emptied = ROW_COUNT;
        IF emptied <> (SELECT count(DISTINCT u) FROM unnest(accounts) u) THEN
            RAISE EXCEPTION 'an account of these transfers does not exist' USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN QUERY SELECT 'posted', i, NULL::bigint FROM unnest(p_ids) i;
        RETURN;
    END IF;
    FOR n IN 1..cardinality(p_keys) LOOP
        e.id := p_ids[n]; e.key := p_keys[n]; e.request_hash := p_hashes[n]; e.actor_id := p_actors[n];
        e.source_id := p_sources[n]; e.memo := p_memos[n];
        RETURN QUERY SELECT s.verdict, s.entry_id, s.available FROM ledger_spend(
            p_community, e, 'person', p_owners[n], p_currency, NULL, p_amounts[n], p_to, p_today) s;
    END LOOP;
END
$$;

-- The key of the reversal that left this debt. Where nothing was left to take back the reversal has no transfer, so the debt alone
-- knows the request. Null: of before.
ALTER TABLE debt ADD COLUMN key varchar(160);
CREATE INDEX debt_key ON debt (community_id, key) WHERE key IS NOT NULL;

CREATE OR REPLACE FUNCTION ledger_take_back(p_community uuid, e ledger_entry, p_leg integer, t transfer, p_back_to uuid) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    owner account;
    a account;
    rest bigint := t.amount;
    part bigint;
    named uuid := t.id;
BEGIN
    SELECT * INTO owner FROM account WHERE community_id = p_community AND id = t.credit_account;
    FOR a IN SELECT * FROM account b
             WHERE b.community_id = p_community AND b.owner_kind = owner.owner_kind AND b.owner_id = owner.owner_id
               AND b.currency = t.currency AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM owner.subject_id
               AND b.balance > 0 ORDER BY b.id <> owner.id, b.expires_on NULLS LAST, b.grace_of NULLS LAST LOOP
        EXIT WHEN rest = 0;
        part := least(rest, a.balance);
        PERFORM ledger_must_write(p_community, e, p_leg, 'reversal', t.currency, a.id, p_back_to, part, named);
        named := NULL;
        rest := rest - part;
        p_leg := p_leg + 1;
    END LOOP;
    IF rest > 0 THEN
        INSERT INTO debt (community_id, id, owner_kind, owner_id, currency, subject_id, amount, repaid, repay_to, reverses, entry_id, created_at,
                          key)
            VALUES (p_community, uuid_v7(e.posted_at), owner.owner_kind, owner.owner_id, t.currency, owner.subject_id, rest, 0,
                    p_back_to, t.id, e.id, e.posted_at, e.key);
    END IF;
    RETURN p_leg;
END
$$;

-- Class minutes and what was paid for them are noted with their purchase as well: they are refunded, moved or expire together
-- with those notes, and a reversal of the transfers alone would leave the notes wrong.
CREATE OR REPLACE FUNCTION ledger_reverse(p_community uuid, e ledger_entry, p_reversed uuid, p_today date, p_grace integer,
                               OUT verdict text, OUT entry_id uuid, OUT usable bigint, OUT repaid bigint, OUT expired bigint,
                               OUT graced bigint, OUT until date)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t transfer;
    giver account;
    taker account;
    target uuid;
    credited uuid[] := '{}';
    leg integer := 1;
    told text;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock_owners(p_community, array_agg(o.owner_kind), array_agg(o.owner_id), array_agg(o.currency)) FROM (
        SELECT DISTINCT a.owner_kind::text, a.owner_id, a.currency::text
        FROM transfer r JOIN account a ON a.community_id = r.community_id AND a.id IN (r.debit_account, r.credit_account)
        WHERE r.community_id = p_community AND r.entry_id = p_reversed AND a.owner_kind <> 'system') o HAVING count(*) > 0;
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, NULL, NULL, NULL, p_reversed);
    IF verdict IS NULL THEN
        SELECT CASE WHEN o.entry_id = p_reversed THEN 'replayed' ELSE 'key_reused' END, d.entry_id INTO verdict, entry_id
            FROM debt d JOIN transfer o ON o.community_id = d.community_id AND o.id = d.reverses
            WHERE d.community_id = p_community AND d.key = e.key LIMIT 1;
    END IF;
    IF verdict = 'key_reused' THEN RETURN; END IF;
    IF verdict IS NULL THEN
        SELECT CASE WHEN count(*) = 0 THEN 'not_found'
                    WHEN bool_or(r.source_kind = 'class_purchase' OR r.kind IN ('purchase', 'refund', 'move')) THEN 'class_hours'
                    WHEN bool_or(r.kind IN ('reversal', 'hold', 'void')) THEN 'not_reversible'
                    WHEN bool_or(EXISTS (SELECT FROM transfer x WHERE x.community_id = p_community AND x.reverses = r.id)
                              OR EXISTS (SELECT FROM debt d WHERE d.community_id = p_community AND d.reverses = r.id)) THEN 'already_reversed'
                    WHEN bool_or(r.kind = 'expiry' AND a.expires_on + CASE WHEN a.grace_of IS NULL THEN p_grace ELSE 0 END < p_today)
                        THEN 'past_grace' END
            INTO verdict FROM transfer r LEFT JOIN account a ON a.community_id = r.community_id AND a.id = r.debit_account
            WHERE r.community_id = p_community AND r.entry_id = p_reversed;
        IF verdict IS NOT NULL THEN RETURN; END IF;
        FOR t IN SELECT * FROM transfer r WHERE r.community_id = p_community AND r.entry_id = p_reversed AND r.kind <> 'repayment'
                 ORDER BY r.leg DESC LOOP
            SELECT * INTO giver FROM account a WHERE a.community_id = p_community AND a.id = t.debit_account;
            SELECT * INTO taker FROM account a WHERE a.community_id = p_community AND a.id = t.credit_account;
            target := giver.id;
            IF giver.bucket = 'held' THEN      -- a settled hold goes back to where the hold had come from
                SELECT h.debit_account INTO target FROM transfer h WHERE h.community_id = p_community AND h.id = t.closes;
            END IF;
            target := ledger_returning(p_community, target, p_today, p_grace);
            IF taker.owner_kind = 'system' THEN
                PERFORM ledger_must_write(p_community, e, leg, 'reversal', t.currency, taker.id, target, t.amount, t.id);
                leg := leg + 1;
                credited := credited || target;
            ELSE
                leg := ledger_take_back(p_community, e, leg, t, target);
            END IF;
        END LOOP;
        FOREACH target IN ARRAY credited LOOP
            leg := ledger_repay(p_community, e, leg, target);
        END LOOP;
    END IF;
    -- Points are told before minutes: what was earned, spent or expired in both is known by its points.
    SELECT CASE WHEN bool_or(r.currency = 'point') THEN 'point' ELSE min(r.currency) END INTO told
        FROM transfer r WHERE r.community_id = p_community AND r.entry_id = p_reversed;
    SELECT * INTO usable, ledger_reverse.repaid, expired, graced, until
        FROM ledger_came_back(p_community, coalesce(ledger_reverse.entry_id, e.id), told, p_today);
    entry_id := coalesce(ledger_reverse.entry_id, e.id);
    verdict := coalesce(verdict, 'posted');
END
$$;

-- Ends or reopens an owner's accounts. The anchors are made where they are missing: who has never earned is closed too, and an
-- earning under way either ends before or finds the owner closed.
CREATE OR REPLACE FUNCTION ledger_close_owner(p_community uuid, p_owner_kind text, p_owner uuid, p_closed_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, p_owner_kind, ARRAY[p_owner], ARRAY['class_minute', 'minute', 'point']);
    UPDATE account SET closed_at = p_closed_at WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = p_owner;
END
$$;

DROP FUNCTION ledger_approve_expiry(uuid, date, text);

-- Lets everything of a closed day run out as if it had been announced, if it is just what somebody saw: p_amount of what was
-- not announced, or (p_skipped: the day was closed only now) of all that is left. The owners are locked first, as everywhere, so that of two people at once the second is answered that it has changed: false.
CREATE FUNCTION ledger_approve_expiry(p_community uuid, p_day date, p_currency text, p_amount bigint, p_skipped boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    owners uuid[];
BEGIN
    PERFORM ledger_permit(p_community);
    SELECT array_agg(DISTINCT a.owner_id) INTO owners
        FROM account a JOIN books_closed b ON b.community_id = a.community_id AND a.expires_on <= b.until
        WHERE a.community_id = p_community AND a.owner_kind = 'person' AND a.currency = p_currency AND a.expires_on = p_day
          AND a.bucket = 'available' AND a.balance > 0;
    PERFORM ledger_lock(p_community, 'person', owners, ARRAY[p_currency]);
    IF p_amount IS DISTINCT FROM (
        SELECT sum(a.balance) FROM account a LEFT JOIN expiry_announcement n ON n.community_id = a.community_id AND n.day = a.expires_on
            AND n.owner_id = a.owner_id AND n.currency = a.currency
        WHERE a.community_id = p_community AND a.owner_kind = 'person' AND a.owner_id = ANY (owners) AND a.currency = p_currency
          AND a.expires_on = p_day AND a.bucket = 'available' AND a.balance > 0
          AND (p_skipped OR coalesce(n.amount, 0) = 0)) THEN
        RETURN false;
    END IF;
    INSERT INTO expiry_announcement (community_id, day, owner_id, currency, amount, announced_at)
        SELECT a.community_id, a.expires_on, a.owner_id, a.currency, sum(a.balance), ledger_now()
        FROM account a
        WHERE a.community_id = p_community AND a.owner_kind = 'person' AND a.owner_id = ANY (owners) AND a.currency = p_currency
          AND a.expires_on = p_day AND a.bucket = 'available' AND a.balance > 0
        GROUP BY a.community_id, a.expires_on, a.owner_id, a.currency ORDER BY a.owner_id
        ON CONFLICT (community_id, day, owner_id, currency) DO UPDATE SET amount = excluded.amount;
    RETURN true;
END
$$;

-- Reminders of before 0003 told an amount and a day without an announcement of it: what they told expires by itself too.
INSERT INTO expiry_announcement (community_id, day, owner_id, currency, amount, announced_at)
    SELECT told.community_id, told.day, told.person_id, 'point', least(told.amount, has.amount), told.last
    FROM (
        SELECT m.community_id, m.person_id, split_part(m.key, ':', 2)::date AS day,
               max(substring(m.text FROM '^您有 (\d{1,15}) 积分')::bigint) AS amount, max(m.created_at) AS last
        FROM message m WHERE m.kind = 'points_expiring' AND m.key ~ '^points-expire:\d{4}-\d\d-\d\d:\d+$'
            AND m.created_at BETWEEN split_part(m.key, ':', 2)::date - interval '62 days' AND split_part(m.key, ':', 2)::date + interval '1 day'
        GROUP BY 1, 2, 3
    ) told
    JOIN (
        SELECT a.community_id, a.owner_id, a.expires_on, sum(a.balance) AS amount FROM account a
        WHERE a.owner_kind = 'person' AND a.currency = 'point' AND a.grace_of IS NULL AND a.balance > 0 GROUP BY 1, 2, 3
    ) has ON has.community_id = told.community_id AND has.owner_id = told.person_id AND has.expires_on = told.day
    WHERE told.amount > 0
    ON CONFLICT DO NOTHING;

-- Ours alone: an extension in this schema may have functions that its owner keeps to itself.
DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'timebank_owner'::regrole LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', routine);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION ledger_approve_expiry TO timebank_app;

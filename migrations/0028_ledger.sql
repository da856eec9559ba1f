-- What a reversal takes back of what has expired, expired class minutes that come back, and the last days that were shown.
--
-- Points that ran out before their credit is reversed are taken from the expired account: their owner has lost them
-- already. The last day shown before a reservation or a purchase is kept, whatever becomes of the policy or of the course.

SET LOCAL ROLE timebank_owner;

ALTER TABLE transfer
    ADD COLUMN draws_on uuid,                  -- the expiry whose points this reversal takes instead of the owner's
    ADD COLUMN grace_days smallint;            -- of a hold: the days of grace told before it; null: today's policy
CREATE INDEX transfer_draws_on ON transfer (community_id, draws_on) WHERE draws_on IS NOT NULL;

ALTER TABLE class_purchase
    ADD COLUMN last_day date;                  -- shown with the purchase or the move; null: as the points and the course say

DROP FUNCTION ledger_write(uuid, ledger_entry, integer, text, text, uuid, uuid, bigint, uuid, uuid);
DROP FUNCTION ledger_must_write(uuid, ledger_entry, integer, text, text, uuid, uuid, bigint, uuid, uuid);
DROP FUNCTION ledger_spend(uuid, ledger_entry, text, uuid, text, uuid, bigint, text, date);

-- ------------------------------------------------------------------------------------- inner parts (not for the serving role)

-- See 0003.
CREATE FUNCTION ledger_write(p_community uuid, e ledger_entry, p_leg integer, p_kind text, p_currency text, p_debit uuid,
                             p_credit uuid, p_amount bigint, p_reverses uuid DEFAULT NULL, p_closes uuid DEFAULT NULL,
                             p_draws_on uuid DEFAULT NULL, p_grace integer DEFAULT NULL)
    RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    moved integer;
    sides integer := 0;
BEGIN
    INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount,
                          occurred_at, posted_at, actor_id, source_kind, source_id, rule_code, rule_version, reverses, closes, memo,
                          draws_on, grace_days)
        VALUES (p_community, uuid_v7(e.posted_at), e.id, p_leg, CASE WHEN p_leg = 1 THEN e.key ELSE e.key || chr(31) || p_leg END,
                e.request_hash, p_kind, p_currency, p_debit, p_credit, p_amount, e.occurred_at, e.posted_at, e.actor_id,
                e.source_kind, e.source_id, e.rule_code, e.rule_version, p_reverses, p_closes, e.memo,
                p_draws_on, p_grace)
        ON CONFLICT (community_id, key) DO NOTHING;
    IF NOT FOUND THEN
        IF p_leg > 1 THEN
            RAISE EXCEPTION 'the key of leg % was taken', p_leg USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN false;
    END IF;
    UPDATE account SET balance = balance - p_amount WHERE community_id = p_community AND id = p_debit AND balance IS NOT NULL;
    GET DIAGNOSTICS moved = ROW_COUNT;
    sides := sides + moved;
    UPDATE account SET balance = balance + p_amount WHERE community_id = p_community AND id = p_credit AND balance IS NOT NULL;
    GET DIAGNOSTICS moved = ROW_COUNT;
    sides := sides + moved;
    IF sides < 2 AND sides + (SELECT count(*) FROM account WHERE community_id = p_community AND id IN (p_debit, p_credit)
                              AND balance IS NULL) <> 2 THEN
        RAISE EXCEPTION 'an account of this transfer does not exist' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN true;
END
$$;

-- See 0003.
CREATE FUNCTION ledger_must_write(p_community uuid, e ledger_entry, p_leg integer, p_kind text, p_currency text, p_debit uuid,
                                  p_credit uuid, p_amount bigint, p_reverses uuid DEFAULT NULL, p_closes uuid DEFAULT NULL,
                                  p_draws_on uuid DEFAULT NULL, p_grace integer DEFAULT NULL)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT ledger_write(p_community, e, p_leg, p_kind, p_currency, p_debit, p_credit, p_amount, p_reverses, p_closes,
                        p_draws_on, p_grace) THEN
        RAISE EXCEPTION 'the key was taken meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
END
$$;

-- What of an expiry can still be reversed: less what later reversals of credits took of it. Null: it was reversed.
CREATE FUNCTION ledger_lapsed(t transfer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT t.amount - coalesce((SELECT sum(d.amount) FROM transfer d WHERE d.community_id = t.community_id AND d.draws_on = t.id), 0)
    WHERE NOT EXISTS (SELECT FROM transfer r WHERE r.community_id = t.community_id AND r.reverses = t.id)
$$;

-- Takes one reversed transfer back: from the account that it had credited, then what of that account, or of its days of
-- grace, has expired since, then whatever else the owner has; the rest is a debt. Expired points of another last day are
-- no payment: somebody's lapsed points of long ago would pay for what was got by fraud. Returns the next free leg.
CREATE OR REPLACE FUNCTION ledger_take_back(p_community uuid, e ledger_entry, p_leg integer, t transfer, p_back_to uuid) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    owner account;
    a record;
    rest bigint := t.amount;
    part bigint;
    named uuid := t.id;
BEGIN
    SELECT * INTO owner FROM account WHERE community_id = p_community AND id = t.credit_account;
    FOR a IN
        SELECT b.id, b.balance AS amount, NULL::uuid AS expiry, CASE b.id WHEN owner.id THEN 1 ELSE 3 END AS turn, b.expires_on, b.grace_of
        FROM account b
        WHERE b.community_id = p_community AND b.owner_kind = owner.owner_kind AND b.owner_id = owner.owner_id
          AND b.currency = t.currency AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM owner.subject_id AND b.balance > 0
        UNION ALL
        SELECT x.credit_account, coalesce(ledger_lapsed(x), 0), x.id, 2, b.expires_on, b.grace_of
        FROM account b JOIN transfer x ON x.community_id = p_community AND x.debit_account = b.id AND x.kind = 'expiry'
             AND x.posted_at >= t.posted_at
        WHERE b.community_id = p_community AND b.owner_kind = owner.owner_kind AND b.owner_id = owner.owner_id
          AND b.currency = t.currency AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM owner.subject_id
          AND (b.id = owner.id OR b.grace_of = owner.expires_on)
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
            VALUES (p_community, uuid_v7(e.posted_at), owner.owner_kind, owner.owner_id, t.currency, owner.subject_id, rest, 0,
                    p_back_to, t.id, e.id, e.posted_at, e.key);
    END IF;
    RETURN p_leg;
END
$$;

-- Notes that an owner is told what an entry brought back into its days of grace, and until when: the posting's answer says so,
-- and in the last hours no reminder comes any more. As ledger_announce, only beforehand by the database's clock.
CREATE FUNCTION ledger_announce_returned(p_community uuid, p_entry uuid, p_today date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r record;
    today date := (ledger_now() AT TIME ZONE 'UTC')::date;
BEGIN
    PERFORM ledger_permit(p_community);
    FOR r IN
        SELECT c.*, (SELECT sum(l.balance) FROM account l WHERE l.community_id = p_community AND l.owner_kind = 'person'
                     AND l.owner_id = c.owner_id AND l.currency = c.currency AND l.expires_on = c.expires_on) AS lies
        FROM (SELECT a.expires_on, a.owner_id, a.currency,
                     sum(CASE t.credit_account WHEN a.id THEN t.amount ELSE -t.amount END) AS back
              FROM transfer t JOIN account a ON a.community_id = t.community_id AND a.id IN (t.debit_account, t.credit_account)
              WHERE t.community_id = p_community AND t.entry_id = p_entry AND a.owner_kind = 'person' AND a.bucket = 'available'
                AND a.grace_of IS NOT NULL AND a.expires_on >= p_today AND a.expires_on BETWEEN today - 1 AND today + 62
              GROUP BY 1, 2, 3) c
        WHERE c.back > 0 ORDER BY c.expires_on, c.owner_id LOOP
        INSERT INTO expiry_announcement AS n (community_id, day, owner_id, currency, amount, announced_at)
            VALUES (p_community, r.expires_on, r.owner_id, r.currency, least(r.back, r.lies), ledger_now())
            ON CONFLICT (community_id, day, owner_id, currency)
                DO UPDATE SET amount = greatest(n.amount, least(r.lies, n.amount + r.back)), announced_at = excluded.announced_at;
    END LOOP;
END
$$;

-- ------------------------------------------------------------------------------------------------------------- postings

-- See 0011. p_grace: the days of grace that were told before a hold; what comes back of it keeps them.
CREATE FUNCTION ledger_spend(p_community uuid, e ledger_entry, p_owner_kind text, p_owner uuid, p_currency text, p_subject uuid,
                             p_amount bigint, p_to text, p_today date, p_grace integer DEFAULT NULL,
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
        PERFORM ledger_must_write(p_community, e, leg, e.kind, p_currency, a.id, target, part, NULL, NULL, NULL,
                                  CASE p_to WHEN 'held' THEN p_grace END);
        rest := rest - part;
        leg := leg + 1;
    END LOOP;
    verdict := 'posted'; entry_id := e.id; available := available - p_amount;
END
$$;

-- See 0003. The days of grace are those told before the hold, or today's where these are more.
CREATE OR REPLACE FUNCTION ledger_close_hold(p_community uuid, e ledger_entry, p_hold uuid, p_to text, p_today date, p_grace integer,
                                  OUT verdict text, OUT entry_id uuid, OUT usable bigint, OUT repaid bigint, OUT expired bigint,
                                  OUT graced bigint, OUT until date)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t transfer;
    target uuid;
    credited uuid[] := '{}';
    leg integer := 1;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, a.owner_kind, ARRAY[a.owner_id], ARRAY[a.currency::text]) FROM transfer h
        JOIN account a ON a.community_id = h.community_id AND a.id = h.credit_account
        WHERE h.community_id = p_community AND h.entry_id = p_hold AND h.kind = 'hold' AND h.leg = 1;
    IF NOT FOUND THEN verdict := 'not_found'; RETURN; END IF;
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, NULL, NULL, NULL, p_hold);
    IF verdict = 'key_reused' THEN RETURN; END IF;
    IF verdict IS NULL AND EXISTS (SELECT FROM transfer c JOIN transfer h ON h.community_id = c.community_id AND h.id = c.closes
               WHERE c.community_id = p_community AND h.entry_id = p_hold) THEN
        verdict := 'already_closed'; RETURN;
    END IF;
    FOR t IN SELECT * FROM transfer h WHERE h.community_id = p_community AND h.entry_id = p_hold AND h.kind = 'hold' ORDER BY h.leg LOOP
        CONTINUE WHEN verdict = 'replayed';
        IF p_to = 'available' THEN
            target := ledger_returning(p_community, t.debit_account, p_today, greatest(t.grace_days, p_grace));
            credited := credited || target;
        ELSE
            target := ledger_system(p_community, t.currency, p_to);
        END IF;
        PERFORM ledger_must_write(p_community, e, leg, e.kind, t.currency, t.credit_account, target, t.amount, NULL, t.id);
        leg := leg + 1;
    END LOOP;
    FOREACH target IN ARRAY credited LOOP
        leg := ledger_repay(p_community, e, leg, target);
    END LOOP;
    IF verdict IS NULL THEN PERFORM ledger_announce_returned(p_community, e.id, p_today); END IF;
    verdict := coalesce(verdict, 'posted');
    entry_id := coalesce(entry_id, e.id);
    SELECT * INTO usable, repaid, expired, graced, until FROM ledger_came_back(p_community, entry_id, t.currency, p_today);
END
$$;

-- See 0011. Of an expiry comes back what no reversal of a credit has taken: taken_back where nothing is left.
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
    promised integer;
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
                    WHEN bool_or(r.kind = 'expiry' AND ledger_lapsed(r) = 0) THEN 'taken_back'
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
            promised := NULL;
            IF giver.bucket = 'held' THEN      -- a settled hold goes back to where the hold had come from
                SELECT h.debit_account, h.grace_days INTO target, promised FROM transfer h WHERE h.community_id = p_community AND h.id = t.closes;
            END IF;
            target := ledger_returning(p_community, target, p_today, greatest(promised, p_grace));
            IF taker.owner_kind = 'system' THEN
                PERFORM ledger_must_write(p_community, e, leg, 'reversal', t.currency, taker.id, target,
                                          CASE t.kind WHEN 'expiry' THEN ledger_lapsed(t) ELSE t.amount END, t.id);
                leg := leg + 1;
                credited := credited || target;
            ELSE
                leg := ledger_take_back(p_community, e, leg, t, target);
            END IF;
        END LOOP;
        FOREACH target IN ARRAY credited LOOP
            leg := ledger_repay(p_community, e, leg, target);
        END LOOP;
        PERFORM ledger_announce_returned(p_community, e.id, p_today);
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

-- ---------------------------------------------------------------------------------------------------------- class minutes

-- The last day of the minutes of a purchase: what was shown with it, or the later of the last day of the points and the end of the
-- course where that is later. Null: for ever.
CREATE FUNCTION class_lasts_until(p class_purchase) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_and(a.expires_on IS NOT NULL) THEN greatest(max(a.expires_on), p.last_day,
        (SELECT c.ends_on FROM course c WHERE c.community_id = p.community_id AND c.id = p.course_id)) END
    FROM class_payment y JOIN account a ON a.community_id = y.community_id AND a.id = y.account_id
    WHERE y.community_id = p.community_id AND y.purchase_id = p.id
$$;

-- Keeps the last day that is shown with the purchases of an entry.
CREATE FUNCTION class_keep_last_day(p_community uuid, p_entry uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    UPDATE class_purchase p SET last_day = class_lasts_until(p)
        WHERE p.community_id = p_community AND p.entry_id = p_entry AND p.last_day IS NULL
          AND p.id IN (SELECT t.source_id FROM transfer t WHERE t.community_id = p_community AND t.entry_id = p_entry);
END
$$;

-- The shares of purchases are counted as before; their last day is the one that was kept.
ALTER FUNCTION class_unused(uuid, uuid, uuid, date, integer, boolean, boolean) RENAME TO class_shares;
CREATE FUNCTION class_unused(p_community uuid, p_course uuid, p_child uuid, p_today date, p_grace integer, p_left boolean DEFAULT false,
                             p_held boolean DEFAULT false)
    RETURNS TABLE (purchase_id uuid, course_id uuid, child_id uuid, guardian_id uuid, unused integer, worth integer, refundable integer,
                   points integer, back_until date, lasts_until date, waits text, bought_at timestamptz)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT s.purchase_id, s.course_id, s.child_id, s.guardian_id, s.unused, s.worth, s.refundable, s.points, s.back_until,
           CASE WHEN s.lasts_until IS NOT NULL THEN greatest(s.lasts_until, p.last_day) END, s.waits, s.bought_at
    FROM class_shares(p_community, p_course, p_child, p_today, p_grace, p_left, p_held) s
    JOIN class_purchase p ON p.community_id = p_community AND p.id = s.purchase_id
    ORDER BY s.bought_at DESC, s.purchase_id DESC
$$;

-- Takes an expiry of class minutes back, as far as they can still be used: their last day, or the days of grace after it, must not be
-- over today, for the worker would let them run out again at once. Answers posted, not_found, already_reversed, past_grace.
CREATE FUNCTION class_unexpire(p_community uuid, e ledger_entry, p_reversed uuid, p_today date, p_grace integer,
                               OUT verdict text, OUT entry_id uuid, OUT minutes bigint, OUT child_id uuid, OUT course_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t transfer;
    p class_purchase;
    leg integer := 1;
    target uuid;
BEGIN
    PERFORM ledger_permit(p_community);
    SELECT a.owner_id, a.subject_id INTO child_id, course_id FROM transfer r
        JOIN account a ON a.community_id = r.community_id AND a.id = r.debit_account
        WHERE r.community_id = p_community AND r.entry_id = p_reversed AND r.leg = 1 AND r.kind = 'expiry' AND r.source_kind = 'class_purchase';
    IF child_id IS NULL THEN verdict := 'not_found'; RETURN; END IF;
    PERFORM ledger_lock_owners(p_community, ARRAY['person'], ARRAY[child_id], ARRAY['class_minute']);
    SELECT r.verdict, r.entry_id INTO verdict, entry_id FROM ledger_replay(p_community, e, NULL, NULL, NULL, p_reversed) r;
    IF verdict = 'key_reused' THEN RETURN; END IF;
    IF verdict IS NULL THEN
        FOR t IN SELECT * FROM transfer r WHERE r.community_id = p_community AND r.entry_id = p_reversed
                 AND NOT EXISTS (SELECT FROM transfer x WHERE x.community_id = p_community AND x.reverses = r.id) ORDER BY r.leg LOOP
            verdict := 'past_grace';
            SELECT * INTO p FROM class_purchase b WHERE b.community_id = p_community AND b.id = t.source_id;
            CONTINUE WHEN class_lasts_until(p) + p_grace < p_today;
            e.source_id := p.id;
            PERFORM ledger_must_write(p_community, e, leg, 'reversal', t.currency, t.credit_account, t.debit_account, t.amount, t.id);
            UPDATE class_purchase b SET expired_minutes = b.expired_minutes - t.amount WHERE b.community_id = p_community AND b.id = p.id;
            leg := leg + 1;
            target := t.debit_account;
        END LOOP;
        IF leg = 1 THEN verdict := coalesce(verdict, 'already_reversed'); RETURN; END IF;
        PERFORM ledger_repay(p_community, e, leg, target);
        verdict := 'posted'; entry_id := e.id;
    END IF;
    SELECT coalesce(sum(r.amount), 0) INTO minutes FROM transfer r
        WHERE r.community_id = p_community AND r.entry_id = class_unexpire.entry_id AND r.kind = 'reversal';
END
$$;

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
GRANT EXECUTE ON FUNCTION ledger_spend, ledger_announce_returned, class_unused, class_keep_last_day, class_unexpire TO timebank_app;

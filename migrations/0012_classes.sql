-- Class minutes: what was reversed in old purchases is known, no move lets minutes live for ever, and points come back to
-- accounts that can still be used.

SET LOCAL ROLE timebank_owner;

ALTER TABLE class_purchase
    ADD COLUMN outlived boolean NOT NULL DEFAULT false;  -- moved to a course that ends later, after its points had run out: once only

-- Purchases of before 0005 could be reversed as any entry. What was taken back then counts as refunded: it does not come back again.
WITH undone AS (
    SELECT t.community_id, t.source_id AS purchase_id, t.debit_account, t.currency, sum(t.amount) AS amount FROM transfer t
    WHERE t.kind = 'purchase' AND t.source_kind = 'class_purchase'
      AND (EXISTS (SELECT FROM transfer x WHERE x.community_id = t.community_id AND x.reverses = t.id)
           OR EXISTS (SELECT FROM debt d WHERE d.community_id = t.community_id AND d.reverses = t.id))
    GROUP BY 1, 2, 3, 4
), returned AS (
    UPDATE class_payment y SET returned = least(y.points, y.returned + u.amount) FROM undone u
    WHERE u.currency = 'point' AND y.community_id = u.community_id AND y.purchase_id = u.purchase_id AND y.account_id = u.debit_account
)
UPDATE class_purchase p
    SET refunded_points = least(p.points - p.moved_points, p.refunded_points + u.points),
        refunded_minutes = least(p.minutes - p.moved_minutes - p.expired_minutes, p.refunded_minutes + u.minutes)
    FROM (SELECT community_id, purchase_id, coalesce(sum(amount) FILTER (WHERE currency = 'point'), 0) AS points,
                 coalesce(sum(amount) FILTER (WHERE currency = 'class_minute'), 0) AS minutes FROM undone GROUP BY 1, 2) u
    WHERE p.community_id = u.community_id AND p.id = u.purchase_id;

-- ------------------------------------------------------------------------------------- inner parts (not for the serving role)

-- No minutes are no refund, no move and no purchase: a caller that asks for them is at fault. Null: all that there are.
CREATE FUNCTION class_positive(p_minutes bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_minutes <= 0 THEN
        RAISE EXCEPTION '% class minutes are no posting', p_minutes USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_amount';
    END IF;
END
$$;

-- Until when points that an account paid can be used once they have come back to it today, or to its account of grace.
CREATE FUNCTION class_back_until(a account, p_today date, p_grace integer) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN a.expires_on IS NULL THEN 'infinity'
        WHEN a.grace_of IS NOT NULL OR a.expires_on >= p_today THEN a.expires_on ELSE a.expires_on + p_grace END
$$;

-- ------------------------------------------------------------------------------------------------------- what is unused

-- See 0005. What was reversed before is worth nothing.
CREATE OR REPLACE FUNCTION class_unused(p_community uuid, p_course uuid, p_child uuid, p_today date, p_grace integer, p_left boolean DEFAULT false,
                             p_held boolean DEFAULT false)
    RETURNS TABLE (purchase_id uuid, course_id uuid, child_id uuid, guardian_id uuid, unused integer, worth integer, refundable integer,
                   points integer, back_until date, lasts_until date, waits text, bought_at timestamptz)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH found AS (
        -- One of the two, so that each is read by its own index.
        SELECT a.subject_id, a.owner_id, a.bucket, a.balance FROM account a
        WHERE p_course IS NOT NULL AND a.community_id = p_community AND a.subject_id = p_course AND a.owner_kind = 'person'
          AND a.currency = 'class_minute' AND (p_child IS NULL OR a.owner_id = p_child)
        UNION ALL
        SELECT a.subject_id, a.owner_id, a.bucket, a.balance FROM account a
        WHERE p_course IS NULL AND a.community_id = p_community AND a.owner_kind = 'person' AND a.owner_id = p_child
          AND a.currency = 'class_minute' AND a.subject_id IS NOT NULL
    ), has AS (
        SELECT f.subject_id, f.owner_id, sum(f.balance) AS minutes FROM found f
        WHERE (p_held OR f.bucket = 'available') AND f.balance > 0 GROUP BY 1, 2
    ), bought AS (
        SELECT p.*, h.minutes AS available, p.refunded_minutes + p.moved_minutes AS done_minutes,
               p.refunded_points + p.moved_points AS done_points,
               p.minutes - p.refunded_minutes - p.moved_minutes - p.expired_minutes AS open,
               sum(p.minutes - p.refunded_minutes - p.moved_minutes - p.expired_minutes)
                   OVER (PARTITION BY p.course_id, p.child_id ORDER BY p.created_at DESC, p.id DESC) AS down_to_here
        FROM class_purchase p JOIN has h ON h.subject_id = p.course_id AND h.owner_id = p.child_id WHERE p.community_id = p_community
    ), share AS (
        SELECT b.*, greatest(0, least(b.open, b.available - (b.down_to_here - b.open)))::bigint AS unused FROM bought b
    ), paid AS (
        SELECT s.*, y.alive, y.back_until, y.points_until,
               EXISTS (SELECT FROM account c WHERE c.community_id = p_community AND c.owner_kind = 'person' AND c.owner_id = s.guardian_id
                       AND c.closed_at IS NOT NULL) AS payer_left
        FROM share s CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.points - m.returned) FILTER (WHERE m.back_until >= p_today), 0) AS alive,
                   nullif(max(m.back_until) FILTER (WHERE m.back_until >= p_today AND m.points > m.returned), 'infinity') AS back_until,
                   nullif(max(coalesce(m.expires_on, 'infinity')), 'infinity') AS points_until
            FROM (SELECT y.points, y.returned, a.expires_on, class_back_until(a, p_today, p_grace) AS back_until
                  FROM class_payment y JOIN account a ON a.community_id = y.community_id AND a.id = y.account_id
                  WHERE y.community_id = p_community AND y.purchase_id = s.id) m
        ) y WHERE s.unused > 0
    ), priced AS (
        SELECT p.*, CASE WHEN p.alive = 0 THEN 0
            ELSE least(p.unused, ((p.done_points + p.alive + 1) * p.minutes - 1) / p.points - p.done_minutes) END AS can
        FROM paid p
    ), valued AS (
        SELECT p.*, p.points * (p.done_minutes + p.can) / p.minutes - p.done_points AS back FROM priced p
    )
    SELECT v.id, v.course_id, v.child_id, v.guardian_id, v.unused::integer,
           greatest(0, v.points * (v.done_minutes + v.unused) / v.minutes - v.done_points)::integer,
           CASE WHEN v.back > 0 AND (p_left OR NOT v.payer_left) THEN v.can ELSE 0 END::integer,
           CASE WHEN v.back > 0 AND (p_left OR NOT v.payer_left) THEN v.back ELSE 0 END::integer,
           v.back_until, CASE WHEN v.points_until IS NOT NULL THEN greatest(v.points_until, c.ends_on) END,
           CASE WHEN v.alive = 0 THEN 'points_expired' WHEN v.back = 0 THEN 'too_few' WHEN v.payer_left AND NOT p_left THEN 'payer_left' END,
           v.created_at
    FROM valued v JOIN course c ON c.community_id = p_community AND c.id = v.course_id
    ORDER BY v.created_at DESC, v.id DESC
$$;

-- The unused minutes of a child in a course that buy anything in the course entered. `moves`: they may move there. While points
-- still come back for them they may, for a refund and a new purchase would do the same. After that only up to their last day,
-- and only once to a course that ends later (`outlives`), unless the course that they leave was stopped.
CREATE FUNCTION class_movable(p_community uuid, p_from uuid, p_child uuid, entered course, p_today date, p_grace integer)
    RETURNS TABLE (purchase_id uuid, unused integer, bought_at timestamptz, moves boolean, outlives boolean)
    LANGUAGE sql STABLE AS $$
    SELECT f.purchase_id, f.unused, f.bought_at,
           f.waits IS DISTINCT FROM 'points_expired' OR f.lasts_until IS NULL
               OR f.lasts_until >= p_today AND (NOT p.outlived OR entered.ends_on <= f.lasts_until OR c.stopped_at IS NOT NULL),
           f.waits IS NOT DISTINCT FROM 'points_expired' AND (p.outlived OR coalesce(entered.ends_on > f.lasts_until, false))
    FROM class_unused(p_community, p_from, p_child, p_today, p_grace) f
    JOIN class_purchase p ON p.community_id = p_community AND p.id = f.purchase_id
    JOIN course c ON c.community_id = p_community AND c.id = p_from
    WHERE f.worth * 60 / entered.points_per_hour > 0 ORDER BY f.bought_at DESC, f.purchase_id DESC
$$;

-- ------------------------------------------------------------------------------------------------------------- postings

-- See 0005. The price is the course's own, whoever calls.
CREATE OR REPLACE FUNCTION class_buy(p_community uuid, e ledger_entry, p_guardian uuid, p_child uuid, p_course uuid, p_minutes integer,
                                     p_points integer, p_today date, OUT verdict text, OUT entry_id uuid, OUT available bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a account;
    rest bigint := p_points;
    part bigint;
    leg integer := 1;
    receiving uuid;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM class_positive(p_minutes);
    PERFORM ledger_lock_owners(p_community, ARRAY['person', 'person'], ARRAY[p_guardian, p_child], ARRAY['point', 'class_minute']);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_guardian, 'point', p_points);
    IF verdict IS NOT NULL THEN RETURN; END IF;
    IF p_points IS DISTINCT FROM (SELECT (p_minutes * c.points_per_hour + 59) / 60 FROM course c
                                  WHERE c.community_id = p_community AND c.id = p_course) THEN
        RAISE EXCEPTION 'the price is another one' USING ERRCODE = 'serialization_failure';
    END IF;
    IF ledger_closed(p_community, 'person', p_guardian) OR ledger_closed(p_community, 'person', p_child) THEN verdict := 'closed'; RETURN; END IF;
    SELECT coalesce(sum(b.balance), 0) INTO available FROM account b
        WHERE b.community_id = p_community AND b.owner_kind = 'person' AND b.owner_id = p_guardian AND b.currency = 'point'
          AND b.bucket = 'available' AND (b.expires_on IS NULL OR b.expires_on >= p_today);
    IF available < p_points THEN verdict := 'insufficient'; RETURN; END IF;
    FOR a IN SELECT * FROM account b
             WHERE b.community_id = p_community AND b.owner_kind = 'person' AND b.owner_id = p_guardian AND b.currency = 'point'
               AND b.bucket = 'available' AND b.balance > 0 AND (b.expires_on IS NULL OR b.expires_on >= p_today)
             ORDER BY b.expires_on NULLS LAST, b.grace_of NULLS LAST LOOP
        EXIT WHEN rest = 0;
        part := least(rest, a.balance);
        PERFORM ledger_must_write(p_community, e, leg, e.kind, 'point', a.id, ledger_system(p_community, 'point', 'redeemed'), part);
        rest := rest - part;
        leg := leg + 1;
    END LOOP;
    receiving := ledger_account(p_community, 'person', p_child, 'class_minute', 'available', p_course, NULL);
    PERFORM ledger_must_write(p_community, e, leg, e.kind, 'class_minute', ledger_system(p_community, 'class_minute', 'issued'), receiving,
                              p_minutes);
    PERFORM ledger_repay(p_community, e, leg + 1, receiving);
    INSERT INTO class_purchase (community_id, id, guardian_id, child_id, course_id, minutes, points, entry_id, created_at, last_day_shown)
        VALUES (p_community, e.source_id, p_guardian, p_child, p_course, p_minutes, p_points, e.id, e.posted_at, true);
    INSERT INTO class_payment (community_id, purchase_id, account_id, points, returned)
        SELECT p_community, e.source_id, t.debit_account, t.amount, 0 FROM transfer t
        WHERE t.community_id = p_community AND t.entry_id = e.id AND t.currency = 'point' AND t.kind = e.kind;
    verdict := 'posted'; entry_id := e.id; available := available - p_points;
END
$$;

-- See 0005. The points go first to the account where they can be used longest.
CREATE OR REPLACE FUNCTION class_refund(p_community uuid, e ledger_entry, p_child uuid, p_course uuid, p_minutes integer, p_instead uuid,
                                        p_today date, p_grace integer, OUT verdict text, OUT entry_id uuid, OUT minutes bigint,
                                        OUT points bigint, OUT available bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    payers uuid[];
    wanted bigint;
    u record;
    p class_purchase;
    pay record;
    a account;
    part bigint;
    rest bigint;
    leg integer := 1;
    target uuid;
    credited uuid[] := '{}';
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM class_positive(p_minutes);
    SELECT coalesce(array_agg(DISTINCT b.guardian_id), '{}') INTO payers FROM class_purchase b
        WHERE b.community_id = p_community AND b.child_id = p_child AND b.course_id = p_course;
    PERFORM ledger_lock_owners(p_community, array_agg('person'::text), array_agg(o.owner_id), array_agg(o.currency)) FROM (
        SELECT DISTINCT o.owner_id, 'point'::text AS currency FROM unnest(payers || p_instead) o (owner_id) WHERE o.owner_id IS NOT NULL
        UNION ALL SELECT p_child, 'class_minute') o;
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_child, 'class_minute', p_minutes);
    IF verdict IS NOT NULL THEN
        SELECT coalesce(sum(t.amount) FILTER (WHERE t.currency = 'class_minute'), 0), coalesce(sum(t.amount) FILTER (WHERE t.currency = 'point'), 0)
            INTO minutes, points FROM transfer t
            WHERE t.community_id = p_community AND t.entry_id = class_refund.entry_id AND t.kind = e.kind;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM class_purchase b WHERE b.community_id = p_community AND b.child_id = p_child AND b.course_id = p_course
               AND b.guardian_id <> ALL (payers)) THEN
        RAISE EXCEPTION 'another guardian bought meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
    SELECT coalesce(sum(f.refundable), 0), coalesce(sum(f.points), 0) INTO available, points
        FROM class_unused(p_community, p_course, p_child, p_today, p_grace, p_instead IS NOT NULL) f;
    wanted := coalesce(p_minutes, available);
    IF available = 0 OR available < wanted THEN verdict := 'insufficient'; RETURN; END IF;
    SELECT sum(class_worth(b, greatest(0, least(f.refundable, wanted - f.newer)))) INTO points FROM (
        SELECT g.purchase_id, g.refundable, sum(g.refundable) OVER (ORDER BY g.bought_at DESC, g.purchase_id DESC) - g.refundable AS newer
        FROM class_unused(p_community, p_course, p_child, p_today, p_grace, p_instead IS NOT NULL) g WHERE g.refundable > 0) f
        JOIN class_purchase b ON b.community_id = p_community AND b.id = f.purchase_id WHERE f.newer < wanted;
    IF points = 0 THEN verdict := 'too_few'; RETURN; END IF;
    minutes := 0; points := 0;
    FOR u IN SELECT * FROM class_unused(p_community, p_course, p_child, p_today, p_grace, p_instead IS NOT NULL) f WHERE f.refundable > 0 LOOP
        EXIT WHEN minutes = wanted;
        SELECT * INTO p FROM class_purchase b WHERE b.community_id = p_community AND b.id = u.purchase_id;
        part := least(u.refundable, wanted - minutes);
        rest := class_worth(p, part);
        e.source_id := p.id;
        leg := class_take(p_community, e, leg, p_child, p_course, part, 'issued');
        UPDATE class_purchase b SET refunded_minutes = b.refunded_minutes + part, refunded_points = b.refunded_points + rest
            WHERE b.community_id = p_community AND b.id = p.id;
        minutes := minutes + part; points := points + rest;
        FOR pay IN SELECT y.account_id, y.points - y.returned AS left_over FROM class_payment y
                   JOIN account k ON k.community_id = y.community_id AND k.id = y.account_id
                   WHERE y.community_id = p_community AND y.purchase_id = p.id AND y.points > y.returned
                   ORDER BY class_back_until(k, p_today, p_grace) DESC, k.id LOOP
            EXIT WHEN rest = 0;
            part := least(rest, pay.left_over);
            target := ledger_returning(p_community, pay.account_id, p_today, p_grace);
            IF p_instead IS NOT NULL AND ledger_closed(p_community, 'person', p.guardian_id) THEN
                SELECT * INTO a FROM account k WHERE k.community_id = p_community AND k.id = target;
                target := ledger_account(p_community, 'person', p_instead, 'point', 'available', NULL, a.expires_on, a.grace_of);
            END IF;
            PERFORM ledger_must_write(p_community, e, leg, e.kind, 'point', ledger_system(p_community, 'point', 'redeemed'), target, part);
            UPDATE class_payment y SET returned = y.returned + part
                WHERE y.community_id = p_community AND y.purchase_id = p.id AND y.account_id = pay.account_id;
            credited := credited || target;
            rest := rest - part;
            leg := leg + 1;
        END LOOP;
    END LOOP;
    FOREACH target IN ARRAY credited LOOP
        leg := ledger_repay(p_community, e, leg, target);
    END LOOP;
    verdict := 'posted'; entry_id := e.id;
END
$$;

DROP FUNCTION class_move(uuid, ledger_entry, uuid, uuid, uuid, integer, date);

-- Moves unused minutes to another course: they carry what they had cost, who paid it and its last day, and become as many
-- minutes as that buys there. p_minutes null: all that may move, see class_movable. Each leg names its purchase, the old or the new one.
CREATE FUNCTION class_move(p_community uuid, e ledger_entry, p_child uuid, p_from uuid, p_to uuid, p_minutes integer, p_today date,
                           p_grace integer, OUT verdict text, OUT entry_id uuid, OUT minutes bigint, OUT points bigint, OUT arrived bigint,
                           OUT available bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    entered course;
    blocked bigint;
    wanted bigint;
    u record;
    p class_purchase;
    pay record;
    part bigint;
    carried bigint;
    bought bigint;
    rest bigint;
    leg integer := 1;
    receiving uuid;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM class_positive(p_minutes);
    PERFORM ledger_lock_owners(p_community, ARRAY['person'], ARRAY[p_child], ARRAY['class_minute']);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_child, 'class_minute', p_minutes);
    IF verdict = 'key_reused' THEN RETURN; END IF;
    IF verdict IS NULL THEN
        IF ledger_closed(p_community, 'person', p_child) THEN verdict := 'closed'; RETURN; END IF;
        SELECT * INTO entered FROM course c WHERE c.community_id = p_community AND c.id = p_to;
        SELECT coalesce(sum(f.unused) FILTER (WHERE f.moves), 0), coalesce(sum(f.unused) FILTER (WHERE NOT f.moves), 0)
            INTO available, blocked FROM class_movable(p_community, p_from, p_child, entered, p_today, p_grace) f;
        wanted := coalesce(p_minutes, available);
        IF blocked > 0 AND (available = 0 OR available < wanted) THEN verdict := 'outlived'; RETURN; END IF;
        IF available = 0 OR available < wanted THEN verdict := 'insufficient'; RETURN; END IF;
        receiving := ledger_account(p_community, 'person', p_child, 'class_minute', 'available', p_to, NULL);
        FOR u IN SELECT * FROM class_movable(p_community, p_from, p_child, entered, p_today, p_grace) f WHERE f.moves LOOP
            EXIT WHEN wanted = 0;
            SELECT * INTO p FROM class_purchase b WHERE b.community_id = p_community AND b.id = u.purchase_id;
            part := least(u.unused, wanted);
            wanted := wanted - part;
            carried := class_worth(p, part);
            bought := carried * 60 / entered.points_per_hour;
            CONTINUE WHEN bought = 0;
            e.source_id := p.id;
            leg := class_take(p_community, e, leg, p_child, p_from, part, 'issued');
            UPDATE class_purchase b SET moved_minutes = b.moved_minutes + part, moved_points = b.moved_points + carried
                WHERE b.community_id = p_community AND b.id = p.id;
            e.source_id := uuid_v7(e.posted_at);
            PERFORM ledger_must_write(p_community, e, leg, e.kind, 'class_minute', ledger_system(p_community, 'class_minute', 'issued'),
                                      receiving, bought);
            leg := leg + 1;
            INSERT INTO class_purchase (community_id, id, guardian_id, child_id, course_id, minutes, points, entry_id, created_at,
                                        moved_from, last_day_shown, outlived)
                VALUES (p_community, e.source_id, p.guardian_id, p_child, p_to, bought, carried, e.id, e.posted_at, p.id, true, u.outlives);
            FOR pay IN SELECT y.account_id, y.points - y.returned AS left_over FROM class_payment y
                       JOIN account k ON k.community_id = y.community_id AND k.id = y.account_id
                       WHERE y.community_id = p_community AND y.purchase_id = p.id AND y.points > y.returned
                       ORDER BY class_back_until(k, p_today, p_grace) DESC, k.id LOOP
                EXIT WHEN carried = 0;
                rest := least(carried, pay.left_over);
                UPDATE class_payment y SET returned = y.returned + rest
                    WHERE y.community_id = p_community AND y.purchase_id = p.id AND y.account_id = pay.account_id;
                INSERT INTO class_payment (community_id, purchase_id, account_id, points, returned)
                    VALUES (p_community, e.source_id, pay.account_id, rest, 0);
                carried := carried - rest;
            END LOOP;
        END LOOP;
        IF leg = 1 THEN verdict := 'too_few'; RETURN; END IF;
        PERFORM ledger_repay(p_community, e, leg, receiving);
        verdict := 'posted'; entry_id := e.id;
    END IF;
    SELECT coalesce(sum(t.amount) FILTER (WHERE d.owner_kind = 'person'), 0), coalesce(sum(t.amount) FILTER (WHERE d.owner_kind = 'system'), 0)
        INTO minutes, arrived FROM transfer t JOIN account d ON d.community_id = t.community_id AND d.id = t.debit_account
        WHERE t.community_id = p_community AND t.entry_id = class_move.entry_id AND t.kind = e.kind;
    SELECT coalesce(sum(b.points), 0) INTO points FROM class_purchase b
        WHERE b.community_id = p_community AND b.child_id = p_child AND b.course_id = p_to AND b.entry_id = class_move.entry_id;
END
$$;

-- See 0005. The same key again answers the same.
CREATE OR REPLACE FUNCTION class_expire(p_community uuid, e ledger_entry, p_child uuid, p_course uuid, p_today date, p_grace integer,
                             OUT verdict text, OUT entry_id uuid, OUT minutes bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    u record;
    leg integer := 1;
    closed date;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock_owners(p_community, ARRAY['person'], ARRAY[p_child], ARRAY['class_minute']);
    SELECT r.verdict, r.entry_id INTO verdict, entry_id FROM ledger_replay(p_community, e, p_child, 'class_minute', NULL) r;
    IF verdict IS NOT NULL THEN
        SELECT coalesce(sum(t.amount), 0) INTO minutes FROM transfer t
            WHERE t.community_id = p_community AND t.entry_id = class_expire.entry_id AND verdict = 'replayed';
        RETURN;
    END IF;
    SELECT least(b.until, p_today - 1) INTO closed FROM books_closed b WHERE b.community_id = p_community;
    minutes := 0; verdict := 'posted'; entry_id := e.id;
    FOR u IN SELECT * FROM class_unused(p_community, p_course, p_child, p_today, p_grace) f
             WHERE f.waits IN ('points_expired', 'too_few') AND f.lasts_until + p_grace <= closed LOOP
        e.source_id := u.purchase_id;
        leg := class_take(p_community, e, leg, p_child, p_course, u.unused, 'expired');
        UPDATE class_purchase b SET expired_minutes = b.expired_minutes + u.unused WHERE b.community_id = p_community AND b.id = u.purchase_id;
        minutes := minutes + u.unused;
    END LOOP;
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
GRANT EXECUTE ON FUNCTION class_back_until, class_move TO timebank_app;

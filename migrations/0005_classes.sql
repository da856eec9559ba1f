-- Class minutes: a purchase is one entry; what is unused can become points again, move to another course, or run out.
--
-- A child has one account per course, without a last day of its own. How long minutes last is counted from their purchase:
-- until the later of the last day of the points that paid it and the end of the course. Nothing has to be moved when a
-- course is extended, and a hold that is voided late comes back to the same account.

SET LOCAL ROLE timebank_owner;

ALTER TABLE course
    ADD COLUMN stopped_at timestamptz,         -- its coming lessons are called off and its unused minutes refunded
    ADD COLUMN stop_reason varchar(300);
ALTER TABLE lesson
    ADD COLUMN moved_at timestamptz;           -- who had booked before may cancel until the lesson begins
CREATE INDEX lesson_course_time ON lesson (community_id, course_id, starts_at) WHERE cancelled_at IS NULL;

ALTER TABLE class_purchase
    ADD COLUMN refunded_minutes integer NOT NULL DEFAULT 0,
    ADD COLUMN refunded_points integer NOT NULL DEFAULT 0,
    ADD COLUMN moved_minutes integer NOT NULL DEFAULT 0,
    ADD COLUMN moved_points integer NOT NULL DEFAULT 0,
    ADD COLUMN expired_minutes integer NOT NULL DEFAULT 0,
    ADD COLUMN moved_from uuid,                -- the purchase, of another course, that these minutes come from
    ADD COLUMN last_day_shown boolean NOT NULL DEFAULT false,  -- before the purchase; else the guardians are told once
    ADD CONSTRAINT class_purchase_moved_from FOREIGN KEY (community_id, moved_from) REFERENCES class_purchase (community_id, id),
    ADD CONSTRAINT class_purchase_counts CHECK (least(refunded_minutes, refunded_points, moved_minutes, moved_points, expired_minutes) >= 0),
    ADD CONSTRAINT class_purchase_minutes_left CHECK (refunded_minutes + moved_minutes + expired_minutes <= minutes),
    ADD CONSTRAINT class_purchase_points_left CHECK (refunded_points + moved_points <= points);
CREATE INDEX class_purchase_course_id ON class_purchase (community_id, course_id, child_id);
CREATE INDEX class_purchase_told ON class_purchase (community_id, id) WHERE NOT last_day_shown;

-- Which accounts paid a purchase, and how much of it they have got back or passed on to the purchase that it moved to.
CREATE TABLE class_payment (
    community_id uuid NOT NULL REFERENCES region (id),
    purchase_id uuid NOT NULL,
    account_id  uuid NOT NULL,
    points      integer NOT NULL CONSTRAINT class_payment_points CHECK (points > 0),
    returned    integer NOT NULL,
    PRIMARY KEY (community_id, purchase_id, account_id),
    CONSTRAINT class_payment_purchase FOREIGN KEY (community_id, purchase_id) REFERENCES class_purchase (community_id, id),
    CONSTRAINT class_payment_account FOREIGN KEY (community_id, account_id) REFERENCES account (community_id, id),
    CONSTRAINT class_payment_returned CHECK (returned BETWEEN 0 AND points)
);
CALL protect_tenant_table('class_payment', 'SELECT');

INSERT INTO class_payment (community_id, purchase_id, account_id, points, returned)
    SELECT p.community_id, p.id, t.debit_account, sum(t.amount), 0
    FROM class_purchase p JOIN transfer t ON t.community_id = p.community_id AND t.entry_id = p.entry_id
    WHERE t.currency = 'point' AND t.kind = 'purchase' GROUP BY p.community_id, p.id, t.debit_account;

-- Who holds minutes of a course.
CREATE INDEX account_subject ON account (community_id, subject_id) WHERE subject_id IS NOT NULL;

ALTER TABLE transfer DROP CONSTRAINT transfer_kind, ADD CONSTRAINT transfer_kind CHECK (kind IN (
    'service', 'conversion', 'deed', 'hold', 'settle', 'void', 'purchase', 'donation', 'expiry', 'adjustment', 'reversal',
    'repayment', 'refund', 'move'));

-- ------------------------------------------------------------------------------------------------------- what is unused

-- The unused minutes of a course, of a child, or of a child in a course, by purchase, newest first: used minutes count as the oldest. `refundable` of
-- them would bring `points` back today, usable until `back_until` (null: for ever); `worth` is what all of them cost. Where
-- nothing comes back, `waits` says why: points_expired (even the days of grace are over), payer_left (its accounts are
-- closed; p_left counts them all the same, for an administrator) or too_few (less than one point). `lasts_until`: the later
-- of the last day of the points and the end of the course; null: for ever. p_held counts booked minutes as well.
CREATE FUNCTION class_unused(p_community uuid, p_course uuid, p_child uuid, p_today date, p_grace integer, p_left boolean DEFAULT false,
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
            FROM (SELECT y.points, y.returned, a.expires_on, CASE WHEN a.expires_on IS NULL THEN 'infinity'
                      WHEN a.grace_of IS NOT NULL OR a.expires_on >= p_today THEN a.expires_on ELSE a.expires_on + p_grace END AS back_until
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
           (v.points * (v.done_minutes + v.unused) / v.minutes - v.done_points)::integer,
           CASE WHEN v.back > 0 AND (p_left OR NOT v.payer_left) THEN v.can ELSE 0 END::integer,
           CASE WHEN v.back > 0 AND (p_left OR NOT v.payer_left) THEN v.back ELSE 0 END::integer,
           v.back_until, CASE WHEN v.points_until IS NOT NULL THEN greatest(v.points_until, c.ends_on) END,
           CASE WHEN v.alive = 0 THEN 'points_expired' WHEN v.back = 0 THEN 'too_few' WHEN v.payer_left AND NOT p_left THEN 'payer_left' END,
           v.created_at
    FROM valued v JOIN course c ON c.community_id = p_community AND c.id = v.course_id
    ORDER BY v.created_at DESC, v.id DESC
$$;

-- ------------------------------------------------------------------------------------- inner parts (not for the serving role)

-- Takes unused minutes of a child in a course to one of the system's accounts. Returns the next free leg.
CREATE FUNCTION class_take(p_community uuid, e ledger_entry, p_leg integer, p_child uuid, p_course uuid, p_minutes bigint, p_to text)
    RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    a account;
    rest bigint := p_minutes;
    part bigint;
BEGIN
    FOR a IN SELECT * FROM account b WHERE b.community_id = p_community AND b.owner_kind = 'person' AND b.owner_id = p_child
             AND b.currency = 'class_minute' AND b.bucket = 'available' AND b.subject_id = p_course AND b.balance > 0
             ORDER BY b.expires_on DESC NULLS FIRST, b.id LOOP
        EXIT WHEN rest = 0;
        part := least(rest, a.balance);
        PERFORM ledger_must_write(p_community, e, p_leg, e.kind, 'class_minute', a.id, ledger_system(p_community, 'class_minute', p_to), part);
        rest := rest - part;
        p_leg := p_leg + 1;
    END LOOP;
    IF rest > 0 THEN
        RAISE EXCEPTION 'the minutes were taken meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN p_leg;
END
$$;

-- What a part of a purchase is worth beyond the parts that were refunded or moved before: counted from the beginning, so that
-- many small parts never give more than one large part, and the last gives the rest.
CREATE FUNCTION class_worth(p class_purchase, p_minutes bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT p.points::bigint * (p.refunded_minutes + p.moved_minutes + p_minutes) / p.minutes - p.refunded_points - p.moved_points
$$;

-- ------------------------------------------------------------------------------------------------------------- postings

-- A purchase: the guardian's points, earliest last day first, and the child's minutes under one entry.
CREATE FUNCTION class_buy(p_community uuid, e ledger_entry, p_guardian uuid, p_child uuid, p_course uuid, p_minutes integer, p_points integer,
                          p_today date, OUT verdict text, OUT entry_id uuid, OUT available bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a account;
    rest bigint := p_points;
    part bigint;
    leg integer := 1;
    receiving uuid;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock_owners(p_community, ARRAY['person', 'person'], ARRAY[p_guardian, p_child], ARRAY['point', 'class_minute']);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_guardian, 'point', p_points);
    IF verdict IS NOT NULL THEN RETURN; END IF;
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

-- Gives unused minutes back: p_minutes of them, or (null) all that bring points back. The points go to who paid, by the price
-- paid, to the accounts that paid, latest last day first; where the payer has left, to p_instead if an administrator names
-- somebody. Open debts are repaid first. Each leg names its purchase as its source.
CREATE FUNCTION class_refund(p_community uuid, e ledger_entry, p_child uuid, p_course uuid, p_minutes integer, p_instead uuid, p_today date,
                             p_grace integer, OUT verdict text, OUT entry_id uuid, OUT minutes bigint, OUT points bigint, OUT available bigint)
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
                   ORDER BY k.expires_on DESC NULLS FIRST, k.id LOOP
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

-- Moves unused minutes to another course: they carry what they had cost, who paid it and its last day, and become as many
-- minutes as that buys there. p_minutes null: all of them. Each leg names its purchase, the old or the new one.
CREATE FUNCTION class_move(p_community uuid, e ledger_entry, p_child uuid, p_from uuid, p_to uuid, p_minutes integer, p_today date,
                           OUT verdict text, OUT entry_id uuid, OUT minutes bigint, OUT points bigint, OUT arrived bigint, OUT available bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    price bigint;
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
    PERFORM ledger_lock_owners(p_community, ARRAY['person'], ARRAY[p_child], ARRAY['class_minute']);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_child, 'class_minute', p_minutes);
    IF verdict = 'key_reused' THEN RETURN; END IF;
    IF verdict IS NULL THEN
        IF ledger_closed(p_community, 'person', p_child) THEN verdict := 'closed'; RETURN; END IF;
        SELECT c.points_per_hour INTO price FROM course c WHERE c.community_id = p_community AND c.id = p_to;
        SELECT coalesce(sum(f.unused), 0) INTO available FROM class_unused(p_community, p_from, p_child, p_today, 0) f
            WHERE f.worth * 60 / price > 0;
        wanted := coalesce(p_minutes, available);
        IF available = 0 OR available < wanted THEN verdict := 'insufficient'; RETURN; END IF;
        receiving := ledger_account(p_community, 'person', p_child, 'class_minute', 'available', p_to, NULL);
        FOR u IN SELECT * FROM class_unused(p_community, p_from, p_child, p_today, 0) f WHERE f.worth * 60 / price > 0 LOOP
            EXIT WHEN wanted = 0;
            SELECT * INTO p FROM class_purchase b WHERE b.community_id = p_community AND b.id = u.purchase_id;
            part := least(u.unused, wanted);
            wanted := wanted - part;
            carried := class_worth(p, part);
            bought := carried * 60 / price;
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
                                        moved_from, last_day_shown)
                VALUES (p_community, e.source_id, p.guardian_id, p_child, p_to, bought, carried, e.id, e.posted_at, p.id, true);
            FOR pay IN SELECT y.account_id, y.points - y.returned AS left_over FROM class_payment y
                       JOIN account k ON k.community_id = y.community_id AND k.id = y.account_id
                       WHERE y.community_id = p_community AND y.purchase_id = p.id AND y.points > y.returned
                       ORDER BY k.expires_on DESC NULLS FIRST, k.id LOOP
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

-- Lets minutes run out whose last day and days of grace are over, which no points can come back for. Only days that are closed
-- by the database's clock count. Answers how many minutes it took; 0: nothing was due.
CREATE FUNCTION class_expire(p_community uuid, e ledger_entry, p_child uuid, p_course uuid, p_today date, p_grace integer,
                             OUT verdict text, OUT entry_id uuid, OUT minutes bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    u record;
    leg integer := 1;
    closed date;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock_owners(p_community, ARRAY['person'], ARRAY[p_child], ARRAY['class_minute']);
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
GRANT EXECUTE ON FUNCTION class_unused, class_buy, class_refund, class_move, class_expire TO timebank_app;

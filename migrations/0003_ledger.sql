-- Days of grace for what comes back after its last day, expiry by announcement and closed days, stricter postings.
--
-- Points that come back after their last day go to an account of the same owner that lasts some days of grace longer,
-- counted from the original last day. Nothing expires unless its day is closed (the database's clock is past it) and its
-- owner was told of it beforehand; the rest waits for a person.

SET LOCAL ROLE timebank_owner;

ALTER TABLE account
    ADD COLUMN grace_of date,                  -- the original last day of what lies here; null: an ordinary account
    ADD CONSTRAINT account_grace CHECK (grace_of IS NULL OR coalesce(expires_on >= grace_of, false)),
    DROP CONSTRAINT account_unique,
    ADD CONSTRAINT account_unique
        UNIQUE NULLS NOT DISTINCT (community_id, owner_kind, owner_id, currency, bucket, subject_id, expires_on, grace_of);

ALTER TABLE transfer
    ADD CONSTRAINT transfer_currency CHECK (currency IN ('point', 'minute', 'class_minute')),
    ADD CONSTRAINT transfer_debit_account FOREIGN KEY (community_id, debit_account) REFERENCES account (community_id, id),
    ADD CONSTRAINT transfer_credit_account FOREIGN KEY (community_id, credit_account) REFERENCES account (community_id, id);
ALTER TABLE debt ADD CONSTRAINT debt_currency CHECK (currency IN ('point', 'minute', 'class_minute'));
ALTER TABLE day_total ADD CONSTRAINT day_total_currency CHECK (currency IN ('point', 'minute', 'class_minute'));

-- The last local day of a community that is over and closed by the database's clock.
CREATE TABLE books_closed (
    community_id uuid NOT NULL REFERENCES region (id),
    until       date NOT NULL,
    closed_at   timestamptz NOT NULL,          -- by the database's clock
    PRIMARY KEY (community_id)
);

-- What an owner was told will expire on a day, less what has expired of it: so much expires by itself.
CREATE TABLE expiry_announcement (
    community_id uuid NOT NULL REFERENCES region (id),
    day         date NOT NULL,
    owner_id    uuid NOT NULL,
    currency    varchar(12) NOT NULL
        CONSTRAINT expiry_announcement_currency CHECK (currency IN ('point', 'minute', 'class_minute')),
    amount      bigint NOT NULL CONSTRAINT expiry_announcement_amount CHECK (amount >= 0),
    announced_at timestamptz NOT NULL,         -- by the database's clock
    PRIMARY KEY (community_id, day, owner_id, currency)
);

CALL protect_tenant_table('books_closed', 'SELECT');
CALL protect_tenant_table('expiry_announcement', 'SELECT');

DROP FUNCTION ledger_account(uuid, text, uuid, text, text, uuid, date);
DROP FUNCTION ledger_replay(uuid, ledger_entry);
DROP FUNCTION ledger_close_hold(uuid, ledger_entry, uuid, text);
DROP FUNCTION ledger_reverse(uuid, ledger_entry, uuid);
DROP FUNCTION ledger_close_day(uuid, date, timestamptz, timestamptz);

-- ------------------------------------------------------------------------------------- inner parts (not for the serving role)

-- The database's clock: what no clock of a serving or working process can set ahead.
CREATE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() $$;

CREATE FUNCTION ledger_account(p_community uuid, p_owner_kind text, p_owner uuid, p_currency text, p_bucket text, p_subject uuid,
                               p_expires date, p_grace_of date DEFAULT NULL, OUT account_id uuid) LANGUAGE plpgsql AS $$
BEGIN
    FOR attempt IN 1..2 LOOP
        SELECT a.id INTO account_id FROM account a
            WHERE a.community_id = p_community AND a.owner_kind = p_owner_kind AND a.owner_id = p_owner AND a.currency = p_currency
              AND a.bucket = p_bucket AND a.subject_id IS NOT DISTINCT FROM p_subject AND a.expires_on IS NOT DISTINCT FROM p_expires
              AND a.grace_of IS NOT DISTINCT FROM p_grace_of;
        EXIT WHEN account_id IS NOT NULL;
        INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, subject_id, expires_on, grace_of, balance)
            VALUES (p_community, gen_random_uuid(), p_owner_kind, p_owner, p_currency, p_bucket, p_subject, p_expires, p_grace_of,
                    CASE WHEN p_owner_kind = 'system' THEN NULL ELSE 0 END)
            ON CONFLICT DO NOTHING RETURNING id INTO account_id;
        EXIT WHEN account_id IS NOT NULL;
    END LOOP;
END
$$;

-- The account that receives today what had been debited from this one: itself while its last day is still to come; after
-- that the same owner's account of grace, whose last day is counted from the original one. What comes back to an account
-- of grace is never extended again.
CREATE FUNCTION ledger_returning(p_community uuid, p_account uuid, p_today date, p_grace integer) RETURNS uuid
    LANGUAGE plpgsql AS $$
DECLARE
    a account;
BEGIN
    SELECT * INTO a FROM account WHERE community_id = p_community AND id = p_account;
    IF a.expires_on IS NULL OR a.expires_on >= p_today OR a.grace_of IS NOT NULL THEN
        RETURN p_account;
    END IF;
    RETURN ledger_account(p_community, a.owner_kind, a.owner_id, a.currency, a.bucket, a.subject_id,
                          a.expires_on + p_grace, a.expires_on);
END
$$;

-- The one lock of the ledger, see 0002: the anchors of these owners, read side by side, in id order.
CREATE FUNCTION ledger_lock_owners(p_community uuid, p_owner_kinds text[], p_owners uuid[], p_currencies text[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    anchors uuid[];
BEGIN
    SELECT array_agg(ledger_account(p_community, k, o, c, 'available', NULL, NULL)) INTO anchors
        FROM unnest(p_owner_kinds, p_owners, p_currencies) AS u (k, o, c);
    PERFORM FROM account WHERE community_id = p_community AND id = ANY (anchors) ORDER BY id FOR NO KEY UPDATE;
END
$$;

CREATE OR REPLACE FUNCTION ledger_lock(p_community uuid, p_owner_kind text, p_owners uuid[], p_currencies text[]) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM account WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = ANY (p_owners)
        AND currency = ANY (p_currencies) AND bucket = 'available' AND subject_id IS NULL AND expires_on IS NULL)
       < cardinality(p_owners) * cardinality(p_currencies) THEN
        PERFORM ledger_account(p_community, p_owner_kind, o, c, 'available', NULL, NULL) FROM unnest(p_owners) o, unnest(p_currencies) c;
    END IF;
    PERFORM FROM account WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = ANY (p_owners)
        AND currency = ANY (p_currencies) AND bucket = 'available' AND subject_id IS NULL AND expires_on IS NULL
        ORDER BY id FOR NO KEY UPDATE;
END
$$;

-- Whether an entry says the same as a request that names its owner and amount, or (p_target) the entry that it ends.
CREATE FUNCTION ledger_says_the_same(p_community uuid, t transfer, e ledger_entry, p_owner uuid, p_currency text, p_amount bigint,
                                     p_target uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT t.kind = e.kind AND t.source_kind = e.source_kind AND t.source_id = e.source_id AND CASE
        WHEN p_target IS NULL THEN
            p_amount = (SELECT sum(l.amount) FROM transfer l WHERE l.community_id = p_community AND l.entry_id = t.entry_id
                        AND l.kind = t.kind AND l.currency = p_currency)
            AND EXISTS (SELECT FROM account a WHERE a.community_id = p_community AND a.id IN (t.debit_account, t.credit_account)
                        AND a.owner_id = p_owner)
        ELSE EXISTS (SELECT FROM transfer o WHERE o.community_id = p_community AND o.entry_id = p_target AND (
            EXISTS (SELECT FROM transfer l WHERE l.community_id = p_community AND l.entry_id = t.entry_id AND o.id IN (l.closes, l.reverses))
            OR EXISTS (SELECT FROM debt d WHERE d.community_id = p_community AND d.entry_id = t.entry_id AND d.reverses = o.id)))
        END
$$;

-- What a key was used for. A hash is a version byte and 32 bytes of what the request means. Hashes of before this migration
-- have 32 bytes and covered the day and the policies as well: such an entry is the same request when it says the same. Of a
-- donation they covered the request alone: there the version byte is what is new.
CREATE FUNCTION ledger_replay(p_community uuid, e ledger_entry, p_owner uuid, p_currency text, p_amount bigint,
                              p_target uuid DEFAULT NULL, OUT verdict text, OUT entry_id uuid) LANGUAGE plpgsql AS $$
DECLARE
    t transfer;
BEGIN
    SELECT * INTO t FROM transfer x WHERE x.community_id = p_community AND x.key = e.key;
    IF FOUND THEN
        entry_id := t.entry_id;
        verdict := CASE WHEN e.request_hash IN (t.request_hash, '\x01'::bytea || t.request_hash) OR length(t.request_hash) = 32
            AND ledger_says_the_same(p_community, t, e, p_owner, p_currency, p_amount, p_target) THEN 'replayed' ELSE 'key_reused' END;
    END IF;
END
$$;

-- Writes one leg. False, with nothing moved, when the entry's key was taken meanwhile. Later legs carry the key, a unit
-- separator and their number: no key of a request has that character, so no request can take a leg's key.
CREATE OR REPLACE FUNCTION ledger_write(p_community uuid, e ledger_entry, p_leg integer, p_kind text, p_currency text, p_debit uuid,
                                        p_credit uuid, p_amount bigint, p_reverses uuid DEFAULT NULL, p_closes uuid DEFAULT NULL)
    RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    moved integer;
    sides integer := 0;
BEGIN
    INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount,
                          occurred_at, posted_at, actor_id, source_kind, source_id, rule_code, rule_version, reverses, closes, memo)
        VALUES (p_community, uuid_v7(e.posted_at), e.id, p_leg, CASE WHEN p_leg = 1 THEN e.key ELSE e.key || chr(31) || p_leg END,
                e.request_hash, p_kind, p_currency, p_debit, p_credit, p_amount, e.occurred_at, e.posted_at, e.actor_id,
                e.source_kind, e.source_id, e.rule_code, e.rule_version, p_reverses, p_closes, e.memo)
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

-- Writes one leg of an entry whose key was free when the owner was locked; a key taken since then makes the whole call try again.
CREATE FUNCTION ledger_must_write(p_community uuid, e ledger_entry, p_leg integer, p_kind text, p_currency text, p_debit uuid,
                                  p_credit uuid, p_amount bigint, p_reverses uuid DEFAULT NULL, p_closes uuid DEFAULT NULL)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT ledger_write(p_community, e, p_leg, p_kind, p_currency, p_debit, p_credit, p_amount, p_reverses, p_closes) THEN
        RAISE EXCEPTION 'the key was taken meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
END
$$;

-- What an entry brought back to its owner: `usable` today, `graced` of it until the day `until` at the latest, `repaid` to
-- open debts, `expired` because even the days of grace are over.
CREATE FUNCTION ledger_came_back(p_community uuid, p_entry uuid, p_currency text, p_today date, OUT usable bigint, OUT repaid bigint,
                                 OUT expired bigint, OUT graced bigint, OUT until date) LANGUAGE sql STABLE AS $$
    WITH came AS (
        SELECT a.expires_on, a.grace_of, coalesce(a.expires_on >= p_today, true) AS lasts,
               greatest(0, sum(CASE WHEN t.credit_account = a.id THEN t.amount ELSE -t.amount END)) AS amount,
               sum(t.amount) FILTER (WHERE t.debit_account = a.id) AS repaid
        FROM transfer t JOIN account a ON a.community_id = t.community_id AND a.id IN (t.debit_account, t.credit_account)
        WHERE t.community_id = p_community AND t.entry_id = p_entry AND a.owner_kind <> 'system' AND a.bucket = 'available'
          AND a.currency = p_currency AND (t.kind = 'repayment' OR t.credit_account = a.id)
        GROUP BY a.id, a.expires_on, a.grace_of
    )
    SELECT coalesce(sum(amount) FILTER (WHERE lasts), 0), coalesce(sum(repaid), 0), coalesce(sum(amount) FILTER (WHERE NOT lasts), 0),
           coalesce(sum(amount) FILTER (WHERE lasts AND grace_of IS NOT NULL), 0),
           min(expires_on) FILTER (WHERE lasts AND grace_of IS NOT NULL AND amount > 0)
    FROM came
$$;

-- ------------------------------------------------------------------------------------------------------------- postings

CREATE OR REPLACE FUNCTION ledger_issue(p_community uuid, e ledger_entry, p_owner_kind text, p_owner uuid, p_currency text, p_subject uuid,
                                        p_expires date, p_amount bigint, OUT verdict text, OUT entry_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    receiving uuid;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, p_owner_kind, ARRAY[p_owner], ARRAY[p_currency]);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_owner, p_currency, p_amount);
    IF verdict IS NOT NULL THEN RETURN; END IF;
    IF ledger_closed(p_community, p_owner_kind, p_owner) THEN verdict := 'closed'; RETURN; END IF;
    receiving := ledger_account(p_community, p_owner_kind, p_owner, p_currency, 'available', p_subject, p_expires);
    PERFORM ledger_must_write(p_community, e, 1, e.kind, p_currency, ledger_system(p_community, p_currency, 'issued'), receiving, p_amount);
    PERFORM ledger_repay(p_community, e, 2, receiving);
    verdict := 'posted'; entry_id := e.id;
END
$$;

CREATE OR REPLACE FUNCTION ledger_earn(p_community uuid, e ledger_entry, p_person uuid, p_minutes bigint, p_minutes_per_point integer,
                                       p_expires date, OUT verdict text, OUT entry_id uuid, OUT points bigint, OUT minutes_left bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    minutes_account uuid;
    points_account uuid;
    leg integer;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, 'person', ARRAY[p_person], ARRAY['minute', 'point']);
    minutes_account := ledger_account(p_community, 'person', p_person, 'minute', 'available', NULL, NULL);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_person, 'minute', p_minutes);
    IF verdict IS NULL AND ledger_closed(p_community, 'person', p_person) THEN verdict := 'closed'; RETURN; END IF;
    IF verdict IS NULL THEN
        PERFORM ledger_must_write(p_community, e, 1, e.kind, 'minute', ledger_system(p_community, 'minute', 'issued'), minutes_account, p_minutes);
        leg := ledger_repay(p_community, e, 2, minutes_account);
        SELECT a.balance / p_minutes_per_point INTO points FROM account a WHERE a.community_id = p_community AND a.id = minutes_account;
        IF points > 0 THEN
            points_account := ledger_account(p_community, 'person', p_person, 'point', 'available', NULL, p_expires);
            PERFORM ledger_must_write(p_community, e, leg, 'conversion', 'minute', minutes_account,
                                      ledger_system(p_community, 'minute', 'converted'), points * p_minutes_per_point);
            PERFORM ledger_must_write(p_community, e, leg + 1, e.kind, 'point', ledger_system(p_community, 'point', 'issued'),
                                      points_account, points);
            PERFORM ledger_repay(p_community, e, leg + 2, points_account);
        END IF;
        verdict := 'posted'; entry_id := e.id;
    END IF;
    SELECT coalesce(sum(t.amount), 0) INTO points FROM transfer t
        WHERE t.community_id = p_community AND t.entry_id = ledger_earn.entry_id AND t.currency = 'point' AND t.kind = e.kind;
    SELECT a.balance INTO minutes_left FROM account a WHERE a.community_id = p_community AND a.id = minutes_account;
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
    PERFORM ledger_lock(p_community, 'person', (SELECT array_agg(DISTINCT o) FROM unnest(p_owners) o), ARRAY[p_currency]);
    WITH asked AS (
        SELECT * FROM unnest(p_owners, p_amounts) WITH ORDINALITY AS u (owner_id, amount, n)
    ), first AS (
        SELECT DISTINCT ON (a.owner_id) a.owner_id, a.id, a.balance FROM account a
        WHERE a.community_id = p_community AND a.owner_kind = 'person' AND a.owner_id = ANY (p_owners) AND a.currency = p_currency
          AND a.bucket = 'available' AND a.subject_id IS NULL AND a.balance > 0 AND a.closed_at IS NULL
          AND (a.expires_on IS NULL OR a.expires_on >= p_today)
        ORDER BY a.owner_id, a.expires_on NULLS LAST, a.grace_of NULLS LAST
    )
    SELECT array_agg(CASE WHEN f.balance >= s.total THEN f.id END ORDER BY s.n) INTO accounts
        FROM (SELECT n, owner_id, sum(amount) OVER (PARTITION BY owner_id) AS total FROM asked) s LEFT JOIN first f USING (owner_id);
    IF array_position(accounts, NULL) IS NULL
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

-- Ends a hold: on to a system account (settle), or back to the owner (p_to = 'available': void), where it repays what is owed.
-- The last columns say what came back, see ledger_came_back.
CREATE FUNCTION ledger_close_hold(p_community uuid, e ledger_entry, p_hold uuid, p_to text, p_today date, p_grace integer,
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
            target := ledger_returning(p_community, t.debit_account, p_today, p_grace);
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
    verdict := coalesce(verdict, 'posted');
    entry_id := coalesce(entry_id, e.id);
    SELECT * INTO usable, repaid, expired, graced, until FROM ledger_came_back(p_community, entry_id, t.currency, p_today);
END
$$;

-- Takes one reversed transfer back from the owner it had credited: what is there, the rest as a debt. Returns the next free leg.
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
        INSERT INTO debt (community_id, id, owner_kind, owner_id, currency, subject_id, amount, repaid, repay_to, reverses, entry_id, created_at)
            VALUES (p_community, uuid_v7(e.posted_at), owner.owner_kind, owner.owner_id, t.currency, owner.subject_id, rest, 0,
                    p_back_to, t.id, e.id, e.posted_at);
    END IF;
    RETURN p_leg;
END
$$;

-- Reverses every transfer of an entry. What an owner gets back goes where ledger_returning says and repays what is owed; the
-- last columns say what came back, see ledger_came_back. An expiry is reversed only while something of it can still be used.
CREATE FUNCTION ledger_reverse(p_community uuid, e ledger_entry, p_reversed uuid, p_today date, p_grace integer,
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
    IF verdict = 'key_reused' THEN RETURN; END IF;
    IF verdict IS NULL THEN
        SELECT CASE WHEN count(*) = 0 THEN 'not_found'
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

-- ------------------------------------------------------------------------------------------------ days, and what runs out

-- Notes that an owner was told what runs out on a day. Only beforehand and not long beforehand, by the database's clock: false
-- when a process whose clock is wrong tries.
CREATE FUNCTION ledger_announce(p_community uuid, p_owner uuid, p_currency text, p_day date, p_amount bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    today date := (ledger_now() AT TIME ZONE 'UTC')::date;
BEGIN
    PERFORM ledger_permit(p_community);
    IF p_day NOT BETWEEN today - 1 AND today + 62 THEN
        RETURN false;
    END IF;
    INSERT INTO expiry_announcement (community_id, day, owner_id, currency, amount, announced_at)
        VALUES (p_community, p_day, p_owner, p_currency, p_amount, ledger_now())
        ON CONFLICT (community_id, day, owner_id, currency)
            DO UPDATE SET amount = excluded.amount, announced_at = excluded.announced_at
            WHERE expiry_announcement.amount < excluded.amount;
    RETURN true;
END
$$;

-- Closes the days up to p_day, whose end is p_midnight. Answers closed; not_over: the database's clock is not past it; or
-- skips: more than seven days at once, and something would run out in them, so that a person has to confirm the date.
CREATE FUNCTION ledger_close_until(p_community uuid, p_day date, p_midnight timestamptz, p_confirmed boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before date;
BEGIN
    PERFORM ledger_permit(p_community);
    IF ledger_now() < p_midnight OR p_midnight < (p_day + 1)::timestamp AT TIME ZONE 'UTC' - interval '15 hours' THEN
        RETURN 'not_over';
    END IF;
    SELECT until INTO before FROM books_closed WHERE community_id = p_community FOR NO KEY UPDATE;
    -- The marker goes back only where the database's clock too says that the day after p_day is not over.
    IF before = p_day OR before > p_day AND ledger_now() >= p_midnight + interval '1 day' THEN
        RETURN 'closed';
    END IF;
    IF NOT p_confirmed AND coalesce(before < p_day - 7, true) AND EXISTS (
        SELECT FROM account WHERE community_id = p_community AND expires_on <= p_day AND expires_on > coalesce(before, '-infinity')
            AND balance > 0 AND bucket = 'available') THEN
        RETURN 'skips';
    END IF;
    INSERT INTO books_closed (community_id, until, closed_at) VALUES (p_community, p_day, ledger_now())
        ON CONFLICT (community_id) DO UPDATE SET until = excluded.until, closed_at = excluded.closed_at;
    RETURN 'closed';
END
$$;

-- Lets everything of a closed day run out as if it had been announced.
CREATE FUNCTION ledger_approve_expiry(p_community uuid, p_day date, p_currency text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    INSERT INTO expiry_announcement (community_id, day, owner_id, currency, amount, announced_at)
        SELECT a.community_id, a.expires_on, a.owner_id, a.currency, sum(a.balance), ledger_now()
        FROM account a JOIN books_closed b ON b.community_id = a.community_id AND a.expires_on <= b.until
        WHERE a.community_id = p_community AND a.owner_kind = 'person' AND a.currency = p_currency AND a.expires_on = p_day
          AND a.bucket = 'available' AND a.balance > 0 GROUP BY a.community_id, a.expires_on, a.owner_id, a.currency
        ON CONFLICT (community_id, day, owner_id, currency) DO UPDATE SET amount = excluded.amount;
END
$$;

-- Moves what ran out to the expired account, at most p_limit accounts a call: of days that are closed, and only as much as was
-- announced. Returns how many accounts it moved something of.
CREATE OR REPLACE FUNCTION ledger_expire(p_community uuid, p_today date, p_now timestamptz, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due uuid;
    a account;
    e ledger_entry;
    part bigint;
    moved integer := 0;
BEGIN
    PERFORM ledger_permit(p_community);
    FOR due IN SELECT d.id FROM account d JOIN books_closed b ON b.community_id = d.community_id AND d.expires_on <= b.until
                   JOIN expiry_announcement n ON n.community_id = d.community_id AND n.day = d.expires_on AND n.owner_id = d.owner_id
                       AND n.currency = d.currency AND n.amount > 0
                   JOIN account own ON own.community_id = d.community_id AND own.owner_kind = d.owner_kind
                       AND own.owner_id = d.owner_id AND own.currency = d.currency AND own.bucket = 'available'
                       AND own.subject_id IS NULL AND own.expires_on IS NULL
               WHERE d.community_id = p_community AND d.expires_on < p_today AND d.balance > 0 AND d.bucket = 'available'
               ORDER BY own.id, d.id LIMIT p_limit FOR NO KEY UPDATE OF own SKIP LOCKED LOOP
        SELECT * INTO a FROM account WHERE community_id = p_community AND id = due;
        SELECT least(a.balance, n.amount) INTO part FROM expiry_announcement n WHERE n.community_id = p_community
            AND n.day = a.expires_on AND n.owner_id = a.owner_id AND n.currency = a.currency FOR NO KEY UPDATE;
        CONTINUE WHEN part = 0;
        e := ROW(uuid_v7(p_now), NULL, decode('01', 'hex') || sha256(convert_to(a.id::text, 'UTF8')), 'expiry', p_now, p_now, NULL,
                 'account', a.id, NULL, NULL, '')::ledger_entry;
        e.key := 'expiry:' || a.id || ':' || e.id;
        PERFORM ledger_must_write(p_community, e, 1, 'expiry', a.currency, a.id, ledger_system(p_community, a.currency, 'expired'), part);
        UPDATE expiry_announcement SET amount = amount - part WHERE community_id = p_community AND day = a.expires_on
            AND owner_id = a.owner_id AND currency = a.currency;
        moved := moved + 1;
    END LOOP;
    RETURN moved;
END
$$;

CREATE OR REPLACE FUNCTION ledger_close_owner(p_community uuid, p_owner_kind text, p_owner uuid, p_closed_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM FROM account WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = p_owner AND bucket = 'available'
        AND subject_id IS NULL AND expires_on IS NULL ORDER BY id FOR NO KEY UPDATE;
    UPDATE account SET closed_at = p_closed_at WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = p_owner;
END
$$;

-- Counts one local day of the system accounts anew. Safe to run twice and by two processes. False, with nothing counted, while the
-- database's clock is not past the day.
CREATE FUNCTION ledger_close_day(p_community uuid, p_day date, p_from timestamptz, p_until timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    IF ledger_now() < p_until THEN
        RETURN false;
    END IF;
    INSERT INTO day_total (community_id, day, currency, bucket, given, taken, transfers)
        SELECT p_community, p_day, a.currency, a.bucket,
               coalesce(sum(t.amount) FILTER (WHERE t.debit_account = a.id), 0),
               coalesce(sum(t.amount) FILTER (WHERE t.credit_account = a.id), 0), count(*)
        FROM account a JOIN transfer t ON t.community_id = a.community_id AND a.id IN (t.debit_account, t.credit_account)
        WHERE a.community_id = p_community AND a.owner_kind = 'system' AND t.posted_at >= p_from AND t.posted_at < p_until
        GROUP BY a.currency, a.bucket
        ON CONFLICT (community_id, day, currency, bucket)
            DO UPDATE SET given = excluded.given, taken = excluded.taken, transfers = excluded.transfers;
    RETURN true;
END
$$;

-- The worker counted the days of every community together: the newest of them that is over by the database's clock is closed.
INSERT INTO books_closed (community_id, until, closed_at)
    SELECT c.community_id, last.day, ledger_now() FROM (SELECT DISTINCT community_id FROM day_total) c,
        (SELECT max(day) AS day FROM day_total WHERE day < (ledger_now() AT TIME ZONE 'UTC')::date) last WHERE last.day IS NOT NULL;

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
GRANT EXECUTE ON FUNCTION ledger_close_hold, ledger_reverse, ledger_announce, ledger_close_until, ledger_approve_expiry,
    ledger_close_day TO timebank_app;

-- The ledger: accounts, transfers, debts, day totals, and the only functions that write them.
--
-- One transfer moves amount > 0 from one account to another, so every currency sums to zero by construction. The rows of
-- one business event share entry_id. The serving role may only read these tables; the functions below run as their owner,
-- check that the community is in the caller's scope, lock the owner, look the key up, then write.

SET LOCAL ROLE timebank_owner;

CREATE TABLE account (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    owner_kind  varchar(10) NOT NULL CONSTRAINT account_owner_kind CHECK (owner_kind IN ('person', 'household', 'fund', 'system')),
    owner_id    uuid NOT NULL,                 -- system: the community
    currency    varchar(12) NOT NULL CONSTRAINT account_currency CHECK (currency IN ('point', 'minute', 'class_minute')),
    bucket      varchar(10) NOT NULL,
    subject_id  uuid,                          -- class_minute: the course
    expires_on  date,                          -- the last day on which it can be spent; null: never
    balance     bigint,                        -- system accounts store none: it is the sum of their transfers
    closed_at   timestamptz,
    PRIMARY KEY (community_id, id),
    CONSTRAINT account_unique UNIQUE NULLS NOT DISTINCT (community_id, owner_kind, owner_id, currency, bucket, subject_id, expires_on),
    CONSTRAINT account_bucket CHECK (CASE WHEN owner_kind = 'system'
        THEN bucket IN ('issued', 'converted', 'redeemed', 'expired', 'donated', 'adjusted', 'clearing')
        ELSE bucket IN ('available', 'held') END),
    CONSTRAINT account_stored_balance CHECK ((owner_kind = 'system') = (balance IS NULL)),
    CONSTRAINT account_not_negative CHECK (balance >= 0)
) WITH (fillfactor = 70);
CREATE INDEX account_expiry ON account (community_id, expires_on) WHERE balance > 0;

CREATE TABLE transfer (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    entry_id    uuid NOT NULL,
    leg         smallint NOT NULL,             -- 1, 2, … within the entry
    key         varchar(160) NOT NULL,         -- of the request; legs after the first carry '#2', '#3', …
    request_hash bytea NOT NULL,
    kind        varchar(16) NOT NULL CONSTRAINT transfer_kind CHECK (kind IN (
                    'service', 'conversion', 'deed', 'hold', 'settle', 'void', 'purchase', 'donation', 'expiry',
                    'adjustment', 'reversal', 'repayment')),
    currency    varchar(12) NOT NULL,
    debit_account uuid NOT NULL,
    credit_account uuid NOT NULL,
    amount      bigint NOT NULL CONSTRAINT transfer_amount CHECK (amount > 0),
    occurred_at timestamptz NOT NULL,
    posted_at   timestamptz NOT NULL,
    actor_id    uuid,
    source_kind varchar(24) NOT NULL,
    source_id   uuid NOT NULL,
    rule_code   varchar(40),
    rule_version integer,
    reverses    uuid,
    closes      uuid,                          -- the hold that this row settles or voids
    memo        varchar(200) NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT transfer_key_unique UNIQUE (community_id, key),
    CONSTRAINT transfer_reversed_once UNIQUE (community_id, reverses),
    CONSTRAINT transfer_closed_once UNIQUE (community_id, closes),
    CONSTRAINT transfer_two_accounts CHECK (debit_account <> credit_account)
);
CREATE INDEX transfer_entry ON transfer (community_id, entry_id);
CREATE INDEX transfer_debit ON transfer (community_id, debit_account, posted_at);
CREATE INDEX transfer_credit ON transfer (community_id, credit_account, posted_at);

-- What a reversal could not take back because it was spent: later earnings repay it.
CREATE TABLE debt (
    community_id uuid NOT NULL REFERENCES region (id),
    id          uuid NOT NULL,
    owner_kind  varchar(10) NOT NULL,
    owner_id    uuid NOT NULL,
    currency    varchar(12) NOT NULL,
    subject_id  uuid,
    amount      bigint NOT NULL CONSTRAINT debt_amount CHECK (amount > 0),
    repaid      bigint NOT NULL,
    repay_to    uuid NOT NULL,                 -- the account that the reversed transfer had debited
    reverses    uuid NOT NULL,
    entry_id    uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (community_id, id),
    CONSTRAINT debt_reverses_once UNIQUE (community_id, reverses),
    CONSTRAINT debt_repaid CHECK (repaid BETWEEN 0 AND amount)
);
CREATE INDEX debt_open ON debt (community_id, owner_id, currency) WHERE repaid < amount;

-- What a community's system accounts gave and took on one local day.
CREATE TABLE day_total (
    community_id uuid NOT NULL REFERENCES region (id),
    day         date NOT NULL,
    currency    varchar(12) NOT NULL,
    bucket      varchar(10) NOT NULL,
    given       bigint NOT NULL,
    taken       bigint NOT NULL,
    transfers   integer NOT NULL,
    PRIMARY KEY (community_id, day, currency, bucket)
);

CALL protect_tenant_table('account', 'SELECT');
CALL protect_tenant_table('transfer', 'SELECT');
CALL protect_tenant_table('debt', 'SELECT');
CALL protect_tenant_table('day_total', 'SELECT');

-- What every posting tells of itself.
CREATE TYPE ledger_entry AS (
    id uuid, key text, request_hash bytea, kind text, occurred_at timestamptz, posted_at timestamptz, actor_id uuid,
    source_kind text, source_id uuid, rule_code text, rule_version integer, memo text
);

-- ------------------------------------------------------------------------------------- inner parts (not for the serving role)

CREATE FUNCTION uuid_v7(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

CREATE FUNCTION ledger_permit(p_community uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT coalesce(p_community = ANY (visible_communities()), false) THEN
        RAISE EXCEPTION 'this community is not in scope' USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

CREATE FUNCTION ledger_account(p_community uuid, p_owner_kind text, p_owner uuid, p_currency text, p_bucket text,
                               p_subject uuid, p_expires date, OUT account_id uuid) LANGUAGE plpgsql AS $$
BEGIN
    FOR attempt IN 1..2 LOOP
        SELECT a.id INTO account_id FROM account a
            WHERE a.community_id = p_community AND a.owner_kind = p_owner_kind AND a.owner_id = p_owner AND a.currency = p_currency
              AND a.bucket = p_bucket AND a.subject_id IS NOT DISTINCT FROM p_subject AND a.expires_on IS NOT DISTINCT FROM p_expires;
        EXIT WHEN account_id IS NOT NULL;
        INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, subject_id, expires_on, balance)
            VALUES (p_community, gen_random_uuid(), p_owner_kind, p_owner, p_currency, p_bucket, p_subject, p_expires,
                    CASE WHEN p_owner_kind = 'system' THEN NULL ELSE 0 END)
            ON CONFLICT DO NOTHING RETURNING id INTO account_id;
        EXIT WHEN account_id IS NOT NULL;
    END LOOP;
END
$$;

CREATE FUNCTION ledger_system(p_community uuid, p_currency text, p_bucket text) RETURNS uuid LANGUAGE sql AS $$
    SELECT ledger_account(p_community, 'system', p_community, p_currency, p_bucket, NULL, NULL)
$$;

-- The one lock of the ledger: an owner's account without subject or expiry stands for all that the owner has in a currency.
-- Whoever moves any of it locks that row first, several in id order. (Locking every account of the owner deadlocks: a
-- waiting transaction does not see the account that another has just added.)
CREATE FUNCTION ledger_lock(p_community uuid, p_owner_kind text, p_owners uuid[], p_currencies text[]) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM account WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = ANY (p_owners)
        AND currency = ANY (p_currencies) AND bucket = 'available' AND subject_id IS NULL AND expires_on IS NULL)
       < cardinality(p_owners) * cardinality(p_currencies) THEN
        PERFORM ledger_account(p_community, p_owner_kind, o, c, 'available', NULL, NULL) FROM unnest(p_owners) o, unnest(p_currencies) c;
    END IF;
    PERFORM FROM account WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = ANY (p_owners)
        AND currency = ANY (p_currencies) AND bucket = 'available' AND subject_id IS NULL AND expires_on IS NULL
        ORDER BY id FOR UPDATE;
END
$$;

CREATE FUNCTION ledger_replay(p_community uuid, e ledger_entry, OUT verdict text, OUT entry_id uuid) LANGUAGE plpgsql AS $$
BEGIN
    SELECT CASE WHEN t.request_hash = e.request_hash THEN 'replayed' ELSE 'key_reused' END, t.entry_id INTO verdict, entry_id
        FROM transfer t WHERE t.community_id = p_community AND t.key = e.key;
END
$$;

-- Writes one leg. False, with nothing moved, when the key was taken meanwhile.
CREATE FUNCTION ledger_write(p_community uuid, e ledger_entry, p_leg integer, p_kind text, p_currency text, p_debit uuid,
                             p_credit uuid, p_amount bigint, p_reverses uuid DEFAULT NULL, p_closes uuid DEFAULT NULL)
    RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount,
                          occurred_at, posted_at, actor_id, source_kind, source_id, rule_code, rule_version, reverses, closes, memo)
        VALUES (p_community, uuid_v7(e.posted_at), e.id, p_leg, CASE WHEN p_leg = 1 THEN e.key ELSE e.key || '#' || p_leg END,
                e.request_hash, p_kind, p_currency, p_debit, p_credit, p_amount, e.occurred_at, e.posted_at, e.actor_id,
                e.source_kind, e.source_id, e.rule_code, e.rule_version, p_reverses, p_closes, e.memo)
        ON CONFLICT (community_id, key) DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE account SET balance = balance - p_amount WHERE community_id = p_community AND id = p_debit AND balance IS NOT NULL;
    UPDATE account SET balance = balance + p_amount WHERE community_id = p_community AND id = p_credit AND balance IS NOT NULL;
    RETURN true;
END
$$;

-- Repays what the owner owes from an account that has just been credited. Returns the next free leg.
CREATE FUNCTION ledger_repay(p_community uuid, e ledger_entry, p_leg integer, p_account uuid) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    a account;
    d debt;
    paid bigint;
BEGIN
    SELECT * INTO a FROM account WHERE community_id = p_community AND id = p_account;
    FOR d IN SELECT * FROM debt WHERE community_id = p_community AND owner_id = a.owner_id AND owner_kind = a.owner_kind
             AND currency = a.currency AND subject_id IS NOT DISTINCT FROM a.subject_id AND repaid < amount ORDER BY id LOOP
        paid := least(a.balance, d.amount - d.repaid);
        EXIT WHEN paid = 0;
        PERFORM ledger_write(p_community, e, p_leg, 'repayment', a.currency, p_account, d.repay_to, paid);
        UPDATE debt SET repaid = repaid + paid WHERE community_id = p_community AND id = d.id;
        a.balance := a.balance - paid;
        p_leg := p_leg + 1;
    END LOOP;
    RETURN p_leg;
END
$$;

CREATE FUNCTION ledger_closed(p_community uuid, p_owner_kind text, p_owner uuid) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM account WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = p_owner
                   AND closed_at IS NOT NULL)
$$;

-- ------------------------------------------------------------------------------------------------------------- postings
-- Each answers a verdict: posted, replayed (same key, same request), key_reused, insufficient, closed, …

-- Issues an amount to an owner, who first repays what is owed.
CREATE FUNCTION ledger_issue(p_community uuid, e ledger_entry, p_owner_kind text, p_owner uuid, p_currency text, p_subject uuid,
                             p_expires date, p_amount bigint, OUT verdict text, OUT entry_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    receiving uuid;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, p_owner_kind, ARRAY[p_owner], ARRAY[p_currency]);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
    IF verdict IS NOT NULL THEN RETURN; END IF;
    IF ledger_closed(p_community, p_owner_kind, p_owner) THEN verdict := 'closed'; RETURN; END IF;
    receiving := ledger_account(p_community, p_owner_kind, p_owner, p_currency, 'available', p_subject, p_expires);
    IF ledger_write(p_community, e, 1, e.kind, p_currency, ledger_system(p_community, p_currency, 'issued'), receiving, p_amount) THEN
        PERFORM ledger_repay(p_community, e, 2, receiving);
        verdict := 'posted'; entry_id := e.id;
    ELSE
        SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
    END IF;
END
$$;

-- Issues minutes to a person and turns every full p_minutes_per_point of the minute balance into a point.
CREATE FUNCTION ledger_earn(p_community uuid, e ledger_entry, p_person uuid, p_minutes bigint, p_minutes_per_point integer,
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
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
    IF verdict IS NULL AND ledger_closed(p_community, 'person', p_person) THEN verdict := 'closed'; RETURN; END IF;
    IF verdict IS NULL THEN
        IF ledger_write(p_community, e, 1, e.kind, 'minute', ledger_system(p_community, 'minute', 'issued'), minutes_account, p_minutes) THEN
            leg := ledger_repay(p_community, e, 2, minutes_account);
            SELECT a.balance / p_minutes_per_point INTO points FROM account a WHERE a.community_id = p_community AND a.id = minutes_account;
            IF points > 0 THEN
                points_account := ledger_account(p_community, 'person', p_person, 'point', 'available', NULL, p_expires);
                PERFORM ledger_write(p_community, e, leg, 'conversion', 'minute', minutes_account,
                                     ledger_system(p_community, 'minute', 'converted'), points * p_minutes_per_point);
                PERFORM ledger_write(p_community, e, leg + 1, e.kind, 'point', ledger_system(p_community, 'point', 'issued'),
                                     points_account, points);
                PERFORM ledger_repay(p_community, e, leg + 2, points_account);
            END IF;
            verdict := 'posted'; entry_id := e.id;
        ELSE
            SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
        END IF;
    END IF;
    SELECT coalesce(sum(t.amount), 0) INTO points FROM transfer t
        WHERE t.community_id = p_community AND t.entry_id = ledger_earn.entry_id AND t.currency = 'point' AND t.kind = e.kind;
    SELECT a.balance INTO minutes_left FROM account a WHERE a.community_id = p_community AND a.id = minutes_account;
END
$$;

-- Spends from an owner, earliest expiry first, into the owner's own held bucket (p_to = 'held') or a system account.
CREATE FUNCTION ledger_spend(p_community uuid, e ledger_entry, p_owner_kind text, p_owner uuid, p_currency text, p_subject uuid,
                             p_amount bigint, p_to text, p_today date, OUT verdict text, OUT entry_id uuid, OUT available bigint)
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
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
    IF verdict IS NOT NULL THEN RETURN; END IF;
    IF ledger_closed(p_community, p_owner_kind, p_owner) THEN verdict := 'closed'; RETURN; END IF;
    SELECT coalesce(sum(b.balance), 0) INTO available FROM account b
        WHERE b.community_id = p_community AND b.owner_kind = p_owner_kind AND b.owner_id = p_owner AND b.currency = p_currency
          AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM p_subject AND (b.expires_on IS NULL OR b.expires_on >= p_today);
    IF available < p_amount THEN verdict := 'insufficient'; RETURN; END IF;
    FOR a IN SELECT * FROM account b
             WHERE b.community_id = p_community AND b.owner_kind = p_owner_kind AND b.owner_id = p_owner AND b.currency = p_currency
               AND b.bucket = 'available' AND b.subject_id IS NOT DISTINCT FROM p_subject AND b.balance > 0
               AND (b.expires_on IS NULL OR b.expires_on >= p_today) ORDER BY b.expires_on NULLS LAST LOOP
        EXIT WHEN rest = 0;
        part := least(rest, a.balance);
        IF p_to = 'held' THEN
            target := ledger_account(p_community, p_owner_kind, p_owner, p_currency, 'held', p_subject, a.expires_on);
        ELSE
            target := ledger_system(p_community, p_currency, p_to);
        END IF;
        IF NOT ledger_write(p_community, e, leg, e.kind, p_currency, a.id, target, part) THEN
            SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
            RETURN;
        END IF;
        rest := rest - part;
        leg := leg + 1;
    END LOOP;
    verdict := 'posted'; entry_id := e.id; available := available - p_amount;
END
$$;

-- Spends for many persons at once into one system account: one statement where each has all of it in the account that
-- expires first, entry by entry otherwise. The arrays are read side by side; the answer has a row for each of them, in order.
CREATE FUNCTION ledger_spend_many(p_community uuid, e ledger_entry, p_ids uuid[], p_keys text[], p_hashes bytea[], p_actors uuid[],
                                  p_sources uuid[], p_memos text[], p_owners uuid[], p_amounts bigint[], p_currency text, p_to text,
                                  p_today date, OUT verdict text, OUT entry_id uuid, OUT available bigint) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    accounts uuid[];
    target uuid;
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
        ORDER BY a.owner_id, a.expires_on NULLS LAST
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

-- Ends a hold: on to a system account (settle), or back to the accounts it came from (p_to = 'available': void).
CREATE FUNCTION ledger_close_hold(p_community uuid, e ledger_entry, p_hold uuid, p_to text, OUT verdict text, OUT entry_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t transfer;
    leg integer := 1;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, a.owner_kind, ARRAY[a.owner_id], ARRAY[a.currency::text]) FROM transfer h
        JOIN account a ON a.community_id = h.community_id AND a.id = h.credit_account
        WHERE h.community_id = p_community AND h.entry_id = p_hold AND h.kind = 'hold' AND h.leg = 1;
    IF NOT FOUND THEN verdict := 'not_found'; RETURN; END IF;
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
    IF verdict IS NOT NULL THEN RETURN; END IF;
    IF EXISTS (SELECT FROM transfer c JOIN transfer h ON h.community_id = c.community_id AND h.id = c.closes
               WHERE c.community_id = p_community AND h.entry_id = p_hold) THEN
        verdict := 'already_closed'; RETURN;
    END IF;
    FOR t IN SELECT * FROM transfer h WHERE h.community_id = p_community AND h.entry_id = p_hold AND h.kind = 'hold' ORDER BY h.leg LOOP
        PERFORM ledger_write(p_community, e, leg, e.kind, t.currency, t.credit_account,
                             CASE WHEN p_to = 'available' THEN t.debit_account ELSE ledger_system(p_community, t.currency, p_to) END,
                             t.amount, NULL, t.id);
        leg := leg + 1;
    END LOOP;
    verdict := 'posted'; entry_id := e.id;
END
$$;

-- Takes one reversed transfer back from the owner it had credited: what is there, the rest as a debt. Returns the next free leg.
CREATE FUNCTION ledger_take_back(p_community uuid, e ledger_entry, p_leg integer, t transfer, p_back_to uuid) RETURNS integer
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
               AND b.balance > 0 ORDER BY b.id <> owner.id, b.expires_on NULLS LAST LOOP
        EXIT WHEN rest = 0;
        part := least(rest, a.balance);
        PERFORM ledger_write(p_community, e, p_leg, 'reversal', t.currency, a.id, p_back_to, part, named);
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

-- Reverses every transfer of an entry. taken and owed count what came back and what is now owed, in points where there are any.
CREATE FUNCTION ledger_reverse(p_community uuid, e ledger_entry, p_reversed uuid, OUT verdict text, OUT entry_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t transfer;
    giver account;
    taker account;
    leg integer := 1;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_lock(p_community, min(a.owner_kind), array_agg(DISTINCT a.owner_id), array_agg(DISTINCT a.currency::text))
        FROM transfer r JOIN account a ON a.community_id = r.community_id AND a.id IN (r.debit_account, r.credit_account)
        WHERE r.community_id = p_community AND r.entry_id = p_reversed AND a.owner_kind <> 'system' HAVING count(*) > 0;
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e);
    IF verdict IS NOT NULL THEN RETURN; END IF;
    SELECT CASE WHEN count(*) = 0 THEN 'not_found'
                WHEN bool_or(r.kind IN ('reversal', 'hold', 'void', 'expiry')) THEN 'not_reversible'
                WHEN bool_or(EXISTS (SELECT FROM transfer x WHERE x.community_id = p_community AND x.reverses = r.id)
                          OR EXISTS (SELECT FROM debt d WHERE d.community_id = p_community AND d.reverses = r.id)) THEN 'already_reversed' END
        INTO verdict FROM transfer r WHERE r.community_id = p_community AND r.entry_id = p_reversed;
    IF verdict IS NOT NULL THEN RETURN; END IF;
    FOR t IN SELECT * FROM transfer r WHERE r.community_id = p_community AND r.entry_id = p_reversed AND r.kind <> 'repayment'
             ORDER BY r.leg DESC LOOP
        SELECT * INTO giver FROM account a WHERE a.community_id = p_community AND a.id = t.debit_account;
        SELECT * INTO taker FROM account a WHERE a.community_id = p_community AND a.id = t.credit_account;
        IF giver.bucket = 'held' THEN
            giver.id := ledger_account(p_community, giver.owner_kind, giver.owner_id, giver.currency, 'available', giver.subject_id, giver.expires_on);
        END IF;
        IF taker.owner_kind = 'system' THEN
            PERFORM ledger_write(p_community, e, leg, 'reversal', t.currency, taker.id, giver.id, t.amount, t.id);
            leg := leg + 1;
        ELSE
            leg := ledger_take_back(p_community, e, leg, t, giver.id);
        END IF;
    END LOOP;
    verdict := 'posted'; entry_id := e.id;
END
$$;

-- Moves what expired before p_today to the expired account, at most p_limit accounts a call. Returns how many it moved.
CREATE FUNCTION ledger_expire(p_community uuid, p_today date, p_now timestamptz, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due uuid;
    a account;
    e ledger_entry;
    moved integer := 0;
BEGIN
    PERFORM ledger_permit(p_community);
    FOR due IN SELECT d.id FROM account d JOIN account own ON own.community_id = d.community_id AND own.owner_kind = d.owner_kind
                   AND own.owner_id = d.owner_id AND own.currency = d.currency AND own.bucket = 'available'
                   AND own.subject_id IS NULL AND own.expires_on IS NULL
               WHERE d.community_id = p_community AND d.expires_on < p_today AND d.balance > 0 AND d.bucket = 'available'
               ORDER BY own.id LIMIT p_limit FOR UPDATE OF own SKIP LOCKED LOOP
        SELECT * INTO a FROM account WHERE community_id = p_community AND id = due;
        e := ROW(uuid_v7(p_now), 'expiry:' || a.id || ':' || p_today, sha256(convert_to(a.id::text, 'UTF8')), 'expiry', p_now, p_now, NULL,
                 'account', a.id, NULL, NULL, '')::ledger_entry;
        IF a.balance > 0 AND ledger_write(p_community, e, 1, 'expiry', a.currency, a.id,
                                          ledger_system(p_community, a.currency, 'expired'), a.balance) THEN
            moved := moved + 1;
        END IF;
    END LOOP;
    RETURN moved;
END
$$;

-- Ends or reopens an owner's accounts: a closed owner neither earns nor spends; nothing is taken.
CREATE FUNCTION ledger_close_owner(p_community uuid, p_owner_kind text, p_owner uuid, p_closed_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    UPDATE account SET closed_at = p_closed_at WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = p_owner;
END
$$;

-- Counts one local day of the system accounts anew. Safe to run twice and by two processes.
CREATE FUNCTION ledger_close_day(p_community uuid, p_day date, p_from timestamptz, p_until timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ledger_permit(p_community);
    INSERT INTO day_total (community_id, day, currency, bucket, given, taken, transfers)
        SELECT p_community, p_day, a.currency, a.bucket,
               coalesce(sum(t.amount) FILTER (WHERE t.debit_account = a.id), 0),
               coalesce(sum(t.amount) FILTER (WHERE t.credit_account = a.id), 0), count(*)
        FROM account a JOIN transfer t ON t.community_id = a.community_id AND a.id IN (t.debit_account, t.credit_account)
        WHERE a.community_id = p_community AND a.owner_kind = 'system' AND t.posted_at >= p_from AND t.posted_at < p_until
        GROUP BY a.currency, a.bucket
        ON CONFLICT (community_id, day, currency, bucket)
            DO UPDATE SET given = excluded.given, taken = excluded.taken, transfers = excluded.transfers;
END
$$;

REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visible_communities, ledger_issue, ledger_earn, ledger_spend, ledger_spend_many, ledger_close_hold, ledger_reverse,
    ledger_expire, ledger_close_owner, ledger_close_day TO timebank_app;

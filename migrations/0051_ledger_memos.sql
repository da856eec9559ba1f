-- What the program says of an entry, a record or a deed is stored as its kind and values; whoever reads it gets it in words, in the
-- own language.

SET LOCAL ROLE timebank_owner;

-- Entries of before keep their text in `memo`, and so do the words of a person who gives points away. Of all others `memo` is empty.
-- The values are names, numbers and reasons, each cut to its length before it is posted; the check bounds what any caller may store.
ALTER TABLE transfer
    ADD COLUMN memo_kind varchar(40),
    ADD COLUMN memo_values jsonb,
    ADD CONSTRAINT transfer_memo CHECK ((memo_kind IS NULL) = (memo_values IS NULL) AND (memo_kind IS NULL OR memo = '')),
    ADD CONSTRAINT transfer_memo_values CHECK (jsonb_typeof(memo_values) = 'object' AND pg_column_size(memo_values) <= 8192);

-- The same of a record and of a deed: kind and values of what the program says of them, before what a person has written.
ALTER TABLE service_record
    ADD COLUMN reason_said jsonb,              -- honour hours from a sheet: which, and what the sheet says of place and times
    ADD COLUMN review_said jsonb;              -- why the visit does not count
ALTER TABLE deed
    ADD COLUMN note_said jsonb;                -- from a book without a note: what the book calls it

ALTER TYPE ledger_entry ADD ATTRIBUTE memo_kind text, ADD ATTRIBUTE memo_values jsonb;

-- See 0028.
CREATE OR REPLACE FUNCTION ledger_write(p_community uuid, e ledger_entry, p_leg integer, p_kind text, p_currency text, p_debit uuid,
                             p_credit uuid, p_amount bigint, p_reverses uuid DEFAULT NULL, p_closes uuid DEFAULT NULL,
                             p_draws_on uuid DEFAULT NULL, p_grace integer DEFAULT NULL)
    RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    moved integer;
    sides integer := 0;
BEGIN
    PERFORM ledger_actor(e.actor_id);
    INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount,
                          occurred_at, posted_at, actor_id, source_kind, source_id, rule_code, rule_version, reverses, closes, memo,
                          memo_kind, memo_values, draws_on, grace_days)
        VALUES (p_community, uuid_v7(e.posted_at), e.id, p_leg, CASE WHEN p_leg = 1 THEN e.key ELSE e.key || chr(31) || p_leg END,
                e.request_hash, p_kind, p_currency, p_debit, p_credit, p_amount, e.occurred_at, e.posted_at, e.actor_id,
                e.source_kind, e.source_id, e.rule_code, e.rule_version, p_reverses, p_closes, e.memo,
                e.memo_kind, e.memo_values, p_draws_on, p_grace)
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

-- See 0011. A donation without words of its own has the memo of the whole call.
CREATE OR REPLACE FUNCTION ledger_spend_many(p_community uuid, e ledger_entry, p_ids uuid[], p_keys text[], p_hashes bytea[],
                                             p_actors uuid[], p_sources uuid[], p_memos text[], p_owners uuid[], p_amounts bigint[],
                                             p_currency text, p_to text, p_today date,
                                             OUT verdict text, OUT entry_id uuid, OUT available bigint) RETURNS SETOF record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    accounts uuid[];
    target uuid;
    emptied integer;
    said ledger_entry := e;
BEGIN
    PERFORM ledger_permit(p_community);
    PERFORM ledger_actor(a) FROM unnest(p_actors) a;
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
                              occurred_at, posted_at, actor_id, source_kind, source_id, rule_code, rule_version, memo,
                              memo_kind, memo_values)
            SELECT p_community, uuid_v7(e.posted_at), u.id, 1, u.key, u.request_hash, e.kind, p_currency, u.account_id, target, u.amount,
                   e.occurred_at, e.posted_at, u.actor_id, e.source_kind, u.source_id, e.rule_code, e.rule_version, u.memo,
                   CASE u.memo WHEN '' THEN e.memo_kind END, CASE u.memo WHEN '' THEN e.memo_values END
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
        e.memo_kind := CASE e.memo WHEN '' THEN said.memo_kind END;
        e.memo_values := CASE e.memo WHEN '' THEN said.memo_values END;
        RETURN QUERY SELECT s.verdict, s.entry_id, s.available FROM ledger_spend(
            p_community, e, 'person', p_owners[n], p_currency, NULL, p_amounts[n], p_to, p_today) s;
    END LOOP;
END
$$;

-- See 0039.
CREATE OR REPLACE FUNCTION ledger_rehold(p_community uuid, e ledger_entry, p_hold uuid, p_owner uuid, p_kind text) RETURNS void
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
        e.memo_kind := h.memo_kind;
        e.memo_values := h.memo_values;
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

-- See 0003.
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
                 'account', a.id, NULL, NULL, '', NULL, NULL)::ledger_entry;
        e.key := 'expiry:' || a.id || ':' || e.id;
        PERFORM ledger_must_write(p_community, e, 1, 'expiry', a.currency, a.id, ledger_system(p_community, a.currency, 'expired'), part);
        UPDATE expiry_announcement SET amount = amount - part WHERE community_id = p_community AND day = a.expires_on
            AND owner_id = a.owner_id AND currency = a.currency;
        moved := moved + 1;
    END LOOP;
    RETURN moved;
END
$$;

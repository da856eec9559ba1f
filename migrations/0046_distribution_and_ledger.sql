-- A schema that can be laid out by community on several servers (`timebank distribute`): an owner that row-level security does not
-- hold, stored answers by community, and sign-in data that is read in one place.
SET LOCAL ROLE timebank_owner;

-- --------------------------------------------------------------------------------------------------------- row-level security

-- Puts a tenant table behind row-level security and gives the serving role just these privileges on it. The owner, as whom
-- nobody serves, bypasses it: it is not forced. The subquery is asked once for each statement. Without it a statement of account over
-- tables that are not analysed yet takes minutes instead of milliseconds, so `timebank distribute` alone takes it out.
CREATE OR REPLACE PROCEDURE protect_tenant_table(name regclass, privileges text)
    LANGUAGE plpgsql SET search_path = public, pg_temp
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON %s TO timebank_app USING (community_id = ANY ((SELECT visible_communities())::uuid[]))', name);
    EXECUTE format('GRANT %s ON %s TO timebank_app', privileges, name);
END
$$;

-- Whether each of these resident records is one that the acting login stands for: see is_acting.
CREATE FUNCTION are_acting(p_persons uuid[]) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM unnest(p_persons) AS p (id) WHERE NOT is_acting(p.id));
END
$$;
ALTER POLICY begun ON import_work WITH CHECK (
    login_id IS NULL OR (is_acting_login(login_id) AND may_administer(community_id) AND are_acting(persons)));

DO $$
DECLARE
    one regclass;
BEGIN
    FOR one IN SELECT c.oid FROM pg_class c
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relowner = 'timebank_owner'::regrole
               ORDER BY c.relname LOOP
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('DROP POLICY IF EXISTS owner ON %s', one);
    END LOOP;
END
$$;

-- Who posts is asked for where a transfer is written: the owner, as whom the ledger's functions write, has no policy any more.
CREATE FUNCTION ledger_actor(p_actor uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_acting(p_actor) THEN
        RAISE EXCEPTION 'somebody else posts this transfer' USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

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

-- See 0011.
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

-- ------------------------------------------------------------------------------------------------------------ stored answers

-- By community: what a tenant's transaction writes is the tenant's. A key is one request of one caller in one community.
ALTER TABLE idempotent_request ADD COLUMN community_id uuid;
ALTER TABLE idempotent_request DROP CONSTRAINT idempotent_request_pkey;
-- An answer of before names no community: it is found again in each one that its caller reaches, until it is a day old.
INSERT INTO idempotent_request (community_id, caller_id, key, request_hash, status, body, created_at)
    SELECT reach.community_id, i.caller_id, i.key, i.request_hash, i.status, i.body, i.created_at
    FROM idempotent_request i JOIN (
        SELECT d.id AS caller_id, d.community_id FROM device d
        UNION SELECT m.login_id, m.community_id FROM membership m
        UNION SELECT q.login_id, q.community_id FROM membership_question q
        UNION SELECT m.login_id, r.id FROM membership m
              JOIN role_grant g ON g.community_id = m.community_id AND g.person_id = m.person_id AND g.ended_at IS NULL
              JOIN region r ON g.region_id = ANY (r.path) AND r.kind = 'community'
    ) AS reach ON reach.caller_id = i.caller_id;
DELETE FROM idempotent_request WHERE community_id IS NULL;
ALTER TABLE idempotent_request ALTER COLUMN community_id SET NOT NULL, ADD PRIMARY KEY (community_id, caller_id, key);
DROP POLICY caller ON idempotent_request;
CREATE POLICY tenant ON idempotent_request TO timebank_app USING (community_id = ANY ((SELECT visible_communities())::uuid[]));
CREATE POLICY caller ON idempotent_request AS RESTRICTIVE TO timebank_app USING (is_caller(caller_id));

-- ---------------------------------------------------------------------------------------------- whose records a login stands for

-- Which records a login stands for is asked before any community is known, with its session. Where the schema is laid out on several
-- servers, these tables are on each of them, like region, login and session; they have no foreign key to a tenant's table then.
-- Who links a record locks its person, as the key did, so that no link is left of a person who is being taken out of the book.
ALTER TABLE membership DROP CONSTRAINT membership_person;
ALTER TABLE membership_question DROP CONSTRAINT membership_question_person;

-- See 0035.
CREATE OR REPLACE FUNCTION login_enter(p_community uuid, p_persons uuid[], p_ids uuid[], p_indexes bytea[], p_sealed bytea[], p_by uuid,
                            p_agreed boolean, p_now timestamptz)
    RETURNS TABLE (person_id uuid, login_id uuid, is_joined boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    given uuid[];
    into_logins uuid[];
    frees boolean[];
BEGIN
    PERFORM ledger_permit(p_community);
    IF NOT is_acting_login(p_by) OR (p_agreed AND NOT is_operator()) THEN
        RAISE EXCEPTION 'somebody else enters these people' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM person p WHERE p.community_id = p_community AND p.id = ANY (p_persons) ORDER BY p.id FOR KEY SHARE;
    INSERT INTO login (id, phone_index, phone_sealed, created_at)
        SELECT n.id, n.phone_index, n.phone_sealed, p_now FROM unnest(p_ids, p_indexes, p_sealed) AS n (id, phone_index, phone_sealed)
        ORDER BY n.phone_index ON CONFLICT DO NOTHING;
    PERFORM FROM login l
        WHERE l.phone_index IN (
            SELECT w.phone_index FROM unnest(p_persons, p_indexes) AS w (person_id, phone_index)
            WHERE NOT EXISTS (SELECT FROM membership m JOIN login k ON k.id = m.login_id AND k.phone_index = w.phone_index
                              WHERE m.community_id = p_community AND m.person_id = w.person_id))
        ORDER BY l.phone_index FOR NO KEY UPDATE;
    -- Who held a phone that stands for nobody any more has no key to the next holder's record.
    WITH anew AS (
        UPDATE login l SET password_hash = NULL, opened_by_login = NULL, opened_at = NULL, confirmed_by_login = NULL, confirmed_at = NULL
        WHERE l.phone_index = ANY (p_indexes) AND login_is_used(l.id)
          AND NOT EXISTS (SELECT FROM membership m WHERE m.login_id = l.id) RETURNING l.id
    ), forgotten AS (DELETE FROM known_browser b USING anew WHERE b.login_id = anew.id),
    codeless AS (DELETE FROM one_time_code c USING anew WHERE c.login_id = anew.id)
    DELETE FROM session s USING anew WHERE s.login_id = anew.id;
    SELECT array_agg(d.person_id), array_agg(d.login_id), array_agg(d.is_free) INTO given, into_logins, frees
    FROM (
        SELECT DISTINCT ON (w.person_id) w.person_id, l.id AS login_id,
               p_agreed OR NOT EXISTS (SELECT FROM membership m WHERE m.login_id = l.id
                                       AND (m.community_id <> p_community OR login_is_used(l.id))) AS is_free
        FROM unnest(p_persons, p_indexes) AS w (person_id, phone_index)
        JOIN person p ON p.community_id = p_community AND p.id = w.person_id AND p.phone_index = w.phone_index
        JOIN login l ON l.phone_index = w.phone_index
        WHERE NOT EXISTS (SELECT FROM membership m WHERE m.community_id = p_community AND m.person_id = w.person_id AND m.login_id = l.id)
          AND (p_agreed OR NOT EXISTS (SELECT FROM membership_question q WHERE q.community_id = p_community
                                       AND q.person_id = w.person_id AND q.login_id = l.id))
        ORDER BY w.person_id
    ) d;
    IF EXISTS (SELECT FROM unnest(given, into_logins) AS d (person_id, login_id) WHERE NOT may_link(p_community, d.login_id, d.person_id)) THEN
        RAISE EXCEPTION 'nobody who may let a login stand for these people' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO membership (community_id, login_id, person_id, created_at)
        SELECT p_community, d.login_id, d.person_id, p_now FROM unnest(given, into_logins, frees) AS d (person_id, login_id, is_free)
        WHERE d.is_free ON CONFLICT DO NOTHING;
    -- Who has changed the record's phone meanwhile, while it stood for nobody, is as near to this login as who opened it.
    UPDATE spending_rest r SET login_id = d.login_id FROM unnest(given, into_logins, frees) AS d (person_id, login_id, is_free)
        WHERE d.is_free AND r.community_id = p_community AND r.person_id = d.person_id AND r.login_id IS NULL AND r.ended_at IS NULL;
    DELETE FROM membership_question q WHERE q.community_id = p_community AND q.person_id = ANY (given);
    INSERT INTO membership_question (community_id, person_id, login_id, asked_by_login, asked_at)
        SELECT p_community, d.person_id, d.login_id, p_by, p_now FROM unnest(given, into_logins, frees) AS d (person_id, login_id, is_free)
        WHERE NOT d.is_free;
    RETURN QUERY SELECT w.person_id, l.id, EXISTS (SELECT FROM membership m WHERE m.community_id = p_community
                                                   AND m.person_id = w.person_id AND m.login_id = l.id)
        FROM unnest(p_persons, p_indexes) AS w (person_id, phone_index) JOIN login l ON l.phone_index = w.phone_index;
END
$$;

-- See 0035.
CREATE OR REPLACE FUNCTION login_answer(p_session uuid, p_community uuid, p_person uuid, p_agrees boolean, p_rest interval, p_now timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here session;
    opener uuid;
BEGIN
    SELECT * INTO here FROM session s WHERE s.id = p_session AND s.ended_at IS NULL AND s.expires_at > p_now;
    PERFORM FROM person p WHERE p.community_id = p_community AND p.id = p_person FOR KEY SHARE;
    PERFORM FROM membership_question q WHERE q.community_id = p_community AND q.person_id = p_person AND q.login_id = here.login_id
        AND q.declined_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN CASE WHEN p_agrees AND EXISTS (SELECT FROM membership m WHERE m.community_id = p_community AND m.person_id = p_person
                                              AND m.login_id = here.login_id) THEN 'joined' ELSE 'none' END;
    END IF;
    IF NOT (NOT here.by_code OR (here.by_scan AND EXISTS (
            SELECT FROM membership m WHERE m.login_id = here.login_id AND m.community_id = ANY (here.opens))))
       OR EXISTS (SELECT FROM membership m JOIN spending_rest r ON r.community_id = m.community_id AND r.person_id = m.person_id
                  WHERE m.login_id = here.login_id AND r.ended_at IS NULL AND r.until > p_now) THEN
        RETURN 'unproved';
    END IF;
    IF NOT p_agrees THEN
        UPDATE membership_question SET declined_at = p_now WHERE community_id = p_community AND person_id = p_person;
        RETURN 'declined';
    END IF;
    DELETE FROM membership_question WHERE community_id = p_community AND person_id = p_person;
    INSERT INTO membership (community_id, login_id, person_id, created_at) VALUES (p_community, here.login_id, p_person, p_now)
        ON CONFLICT DO NOTHING;
    -- Who has changed the record's phone to this one is as near to the login as who opened it.
    UPDATE spending_rest SET login_id = here.login_id
        WHERE community_id = p_community AND person_id = p_person AND login_id IS NULL AND ended_at IS NULL;
    SELECT l.opened_by_login INTO opener FROM login l WHERE l.id = here.login_id AND l.confirmed_at IS NULL;
    IF opener IS NOT NULL THEN
        INSERT INTO spending_rest (community_id, id, person_id, login_id, cause, since, until, by_login)
        VALUES (p_community, uuid_v7(p_now), p_person, here.login_id, 'joined', p_now, p_now + p_rest, opener);
    END IF;
    RETURN 'agreed';
END
$$;

-- ------------------------------------------------------------------------------------------------------- who is this caller

-- The grants of an active resident record that hold on any of these days. It reads one community.
CREATE FUNCTION grants_in_force(p_community uuid, p_person uuid, p_first date, p_last date) RETURNS SETOF role_grant
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT g.* FROM role_grant g JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id
        WHERE g.community_id = p_community AND g.person_id = p_person AND p.status = 'active'
          AND g.ended_at IS NULL AND g.starts_on <= p_last AND (g.ends_on IS NULL OR g.ends_on >= p_first);
END
$$;

-- An active resident record as its login's requests carry it, with until when nothing is spent through it; null where there is none.
-- It reads one community.
CREATE FUNCTION access_record(p_community uuid, p_person uuid, p_now timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('community_id', p.community_id, 'person_id', p.id, 'name', p.name, 'community_name', here.name,
                'household_id', p.household_id, 'rests_until', (
                    SELECT max(r.until) FROM spending_rest r WHERE r.community_id = p_community AND r.person_id = p_person
                    AND r.ended_at IS NULL AND r.until > p_now))
            FROM person p JOIN region here ON here.id = p_community
            WHERE p.community_id = p_community AND p.id = p_person AND p.status = 'active');
END
$$;

-- A grant as its holder's requests carry it: one for each community that it reaches.
CREATE FUNCTION access_reach(held role_grant) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF held.region_id IS NULL THEN
        RETURN jsonb_build_array(jsonb_build_object('role', held.role, 'community_id', held.community_id, 'area_id', held.area_id,
            'station_id', held.station_id, 'community_name', ''));
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('role', held.role, 'community_id', r.id, 'area_id', NULL, 'station_id', NULL,
                'community_name', r.name)), '[]') FROM region r WHERE held.region_id = ANY (r.path) AND r.kind = 'community');
END
$$;

-- As before. What is asked first is on every server; then each record is read in its own community, and no other community is asked.
CREATE OR REPLACE FUNCTION access_sessions(p_token_hashes bytea[], p_now timestamptz, p_today date,
                                OUT token_hash bytea, OUT session_id uuid, OUT login_id uuid, OUT expires_at timestamptz,
                                OUT persons jsonb, OUT grants jsonb) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    caller session;
    mine record;
    held role_grant;
    said jsonb;
BEGIN
    FOR caller IN SELECT s.* FROM session s
                  WHERE s.token_hash = ANY (p_token_hashes) AND s.ended_at IS NULL AND s.expires_at > p_now LOOP
        token_hash := caller.token_hash; session_id := caller.id; login_id := caller.login_id; expires_at := caller.expires_at;
        persons := '[]'; grants := '[]';
        FOR mine IN
            SELECT m.community_id, m.person_id, m.created_at AS since, true AS is_joined FROM membership m
            WHERE m.login_id = caller.login_id AND (caller.opens IS NULL OR m.community_id = ANY (caller.opens))
            UNION ALL SELECT q.community_id, q.person_id, q.asked_at, false FROM membership_question q
            WHERE q.login_id = caller.login_id AND q.community_id = ANY (caller.opens) AND q.declined_at IS NULL
            ORDER BY since, person_id LOOP
            said := access_record(mine.community_id, mine.person_id, p_now);
            CONTINUE WHEN said IS NULL;
            persons := persons || said;
            CONTINUE WHEN NOT mine.is_joined;
            FOR held IN SELECT * FROM grants_in_force(mine.community_id, mine.person_id, p_today, p_today) LOOP
                grants := grants || access_reach(held);
            END LOOP;
        END LOOP;
        RETURN NEXT;
    END LOOP;
END
$$;

-- As before: the device of a token, and who is signed on to it now, an active keeper of its station or an administrator of the
-- community. It reads the device's community, and others only for what a keeper who lives there has been granted.
CREATE OR REPLACE FUNCTION access_device(p_community uuid, p_token_hash bytea, p_now timestamptz, p_today date,
                              OUT device_id uuid, OUT station_id uuid, OUT kind varchar, OUT login_id uuid, OUT session_id uuid,
                              OUT persons jsonb) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    shown device;
    signed_on counter_sign_on;
    mine record;
BEGIN
    SELECT * INTO shown FROM device d WHERE d.community_id = p_community AND d.token_hash = p_token_hash AND d.revoked_at IS NULL;
    IF NOT FOUND THEN RETURN; END IF;
    device_id := shown.id; station_id := shown.station_id; kind := shown.kind;
    SELECT o.* INTO signed_on FROM counter_sign_on o JOIN person k ON k.community_id = o.community_id AND k.id = o.person_id
        WHERE o.community_id = p_community AND o.device_id = shown.id AND o.signed_off_at IS NULL AND o.expires_at > p_now
          AND k.status = 'active' AND shown.kind = 'counter';
    IF signed_on.id IS NOT NULL
       AND EXISTS (SELECT FROM session s JOIN membership m ON m.login_id = s.login_id
                   WHERE s.id = signed_on.session_id AND s.ended_at IS NULL AND s.expires_at > p_now AND m.login_id = signed_on.login_id
                     AND m.community_id = p_community AND m.person_id = signed_on.person_id)
       AND login_keeps(signed_on.login_id, p_community, shown.station_id, p_today) THEN
        login_id := signed_on.login_id; session_id := signed_on.session_id;
        FOR mine IN SELECT m.person_id FROM membership m WHERE m.community_id = p_community AND m.login_id = signed_on.login_id
                    ORDER BY m.person_id <> signed_on.person_id, m.person_id LOOP
            persons := coalesce(persons, '[]') || coalesce(access_record(p_community, mine.person_id, p_now) - 'rests_until', '[]');
        END LOOP;
    END IF;
    RETURN NEXT;
END
$$;

-- Whether a login may serve at a counter of this station: by a keeper's grant there, or as an administrator of the community.
CREATE FUNCTION login_keeps(p_login uuid, p_community uuid, p_station uuid, p_today date) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here constant uuid[] := (SELECT r.path FROM region r WHERE r.id = p_community);
    mine record;
BEGIN
    FOR mine IN SELECT m.community_id, m.person_id FROM membership m WHERE m.login_id = p_login
                ORDER BY m.community_id <> p_community LOOP
        IF EXISTS (SELECT FROM grants_in_force(mine.community_id, mine.person_id, p_today, p_today) g
                   WHERE g.community_id = p_community AND g.role = 'station_keeper' AND g.station_id = p_station
                      OR g.role IN ('community_admin', 'street_admin', 'county_admin') AND g.region_id = ANY (here)) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;

-- As before, record by record: a login's are few, and each is read in its own community.
CREATE OR REPLACE FUNCTION acting_grants() RETURNS SETOF role_grant
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named constant uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
    now constant timestamptz := ledger_now();
    mine record;
    shown record;
BEGIN
    FOR mine IN SELECT m.community_id, m.person_id FROM session s
                JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
                WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > now LOOP
        RETURN QUERY SELECT * FROM grants_in_force(mine.community_id, mine.person_id, now::date - 1, now::date + 1);
    END LOOP;
    IF nullif(current_setting('timebank.import', true), '') IS NULL THEN RETURN; END IF;
    FOR shown IN SELECT w.community_id, w.login_id, w.persons, r.path FROM acting_work() w JOIN region r ON r.id = w.community_id LOOP
        FOR mine IN SELECT m.community_id, m.person_id FROM membership m
                    WHERE m.login_id = shown.login_id AND m.person_id = ANY (shown.persons) LOOP
            RETURN QUERY SELECT g.* FROM grants_in_force(mine.community_id, mine.person_id, now::date - 1, now::date + 1) g
                WHERE g.region_id = ANY (shown.path) OR g.region_id IS NULL AND g.community_id = shown.community_id;
        END LOOP;
    END LOOP;
END
$$;

-- As before; the region is read first, so that the grants are compared without asking any table.
CREATE OR REPLACE FUNCTION may_administer(p_region uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here constant uuid[] := (SELECT r.path FROM region r WHERE r.id = p_region);
BEGIN
    RETURN is_operator() OR EXISTS (
        SELECT FROM acting_grants() g WHERE g.region_id = ANY (here) AND g.role IN ('community_admin', 'street_admin', 'county_admin'));
END
$$;

CREATE OR REPLACE FUNCTION administers_above(p_region uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here constant uuid[] := (SELECT r.path FROM region r WHERE r.id = p_region);
BEGIN
    RETURN is_operator() OR EXISTS (
        SELECT FROM acting_grants() g WHERE g.region_id = ANY (here) AND g.region_id <> p_region
          AND g.role IN ('community_admin', 'street_admin', 'county_admin'));
END
$$;

-- As before; the communities are named by their values, so that only their servers are asked.
CREATE OR REPLACE FUNCTION acting_device() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here constant uuid[] := visible_communities();
    shown text := nullif(current_setting('timebank.device', true), '');
BEGIN
    IF shown IS NULL THEN RETURN NULL; END IF;
    RETURN (SELECT d.id FROM device d
            WHERE d.community_id = ANY (here) AND d.token_hash = decode(shown, 'hex') AND d.revoked_at IS NULL);
END
$$;

-- As before; what a session stands for is read where it is on every server.
CREATE OR REPLACE FUNCTION is_acting(p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named constant uuid[] := nullif(current_setting('timebank.sessions', true), '')::uuid[];
    here constant uuid[] := visible_communities();
    now constant timestamptz := ledger_now();
    shown constant uuid := acting_device();
BEGIN
    IF p_person IS NULL OR is_operator() THEN RETURN true; END IF;
    IF EXISTS (SELECT FROM session s JOIN membership m ON m.login_id = s.login_id AND (s.opens IS NULL OR m.community_id = ANY (s.opens))
               WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > now AND m.person_id = p_person)
       OR EXISTS (SELECT FROM session s JOIN membership_question q ON q.login_id = s.login_id AND q.community_id = ANY (s.opens)
               WHERE s.id = ANY (named) AND s.ended_at IS NULL AND s.expires_at > now AND q.person_id = p_person
                 AND q.declined_at IS NULL) THEN
        RETURN true;
    END IF;
    IF shown IS NOT NULL AND EXISTS (
        SELECT FROM counter_sign_on o JOIN membership m ON m.community_id = o.community_id AND m.login_id = o.login_id
        WHERE o.community_id = ANY (here) AND o.device_id = shown AND m.person_id = p_person) THEN
        RETURN true;
    END IF;
    RETURN EXISTS (SELECT FROM acting_work() w JOIN membership m ON m.login_id = w.login_id
                   WHERE m.person_id = p_person AND p_person = ANY (w.persons));
END
$$;

CREATE OR REPLACE FUNCTION is_acting_login(p_login uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here constant uuid[] := visible_communities();
    shown constant uuid := acting_device();
BEGIN
    IF p_login IS NULL OR is_operator() OR p_login = ANY (acting_logins()) THEN RETURN true; END IF;
    RETURN shown IS NOT NULL AND EXISTS (
        SELECT FROM counter_sign_on o WHERE o.community_id = ANY (here) AND o.device_id = shown AND o.login_id = p_login);
END
$$;

-- As before; it asks the communities of the person's other records, and most people have none.
CREATE OR REPLACE FUNCTION present_elsewhere(p_community uuid, p_person uuid, p_begin timestamptz, p_end timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    there record;
BEGIN
    PERFORM ledger_permit(p_community);
    FOR there IN SELECT DISTINCT other.community_id, other.person_id FROM membership mine
                 JOIN membership other ON other.login_id = mine.login_id AND other.community_id <> mine.community_id
                 WHERE mine.community_id = p_community AND mine.person_id = p_person LOOP
        -- No visit and no record is longer than a day.
        IF EXISTS (SELECT FROM visit v WHERE v.community_id = there.community_id AND v.person_id = there.person_id AND v.status <> 'void'
                   AND v.in_at > p_begin - interval '1 day' AND v.in_at < p_end AND (v.out_at IS NULL OR v.out_at > p_begin))
           OR EXISTS (SELECT FROM service_record r WHERE r.community_id = there.community_id AND r.person_id = there.person_id
                   AND r.visit_id IS NULL AND r.status NOT IN ('rejected', 'reversed', 'withdrawn')
                   AND r.started_at > p_begin - interval '1 day' AND r.started_at < p_end AND r.ended_at > p_begin) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;

-- As before, record by record.
CREATE OR REPLACE FUNCTION access_offices(p_login_id uuid, p_today date)
    RETURNS TABLE (community_id uuid, role varchar, region_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    mine record;
BEGIN
    FOR mine IN SELECT m.community_id, m.person_id FROM membership m WHERE m.login_id = p_login_id
                UNION SELECT q.community_id, q.person_id FROM membership_question q WHERE q.login_id = p_login_id LOOP
        RETURN QUERY SELECT g.community_id, g.role, g.region_id FROM role_grant g
            WHERE g.community_id = mine.community_id AND g.person_id = mine.person_id AND g.ended_at IS NULL
              AND (g.ends_on IS NULL OR g.ends_on >= p_today);
    END LOOP;
END
$$;

-- As before, step by step: a recursive query reads one community only where tables lie apart.
CREATE OR REPLACE FUNCTION agreement_side(p_community uuid, p_login uuid, p_person uuid, OUT persons uuid[], OUT households uuid[], OUT hands uuid[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own constant uuid[] := ARRAY(SELECT p_login WHERE p_login IS NOT NULL UNION SELECT m.login_id FROM membership m WHERE m.person_id = p_person);
    found uuid[] := own;
    mine record;
BEGIN
    IF NOT coalesce(p_community = ANY (visible_communities()), false) THEN RETURN; END IF;
    persons := '{}'; households := '{}'; hands := own;
    FOR mine IN SELECT p_community AS community_id, p_person AS id WHERE p_person IS NOT NULL
                UNION SELECT m.community_id, m.person_id FROM membership m WHERE m.login_id = ANY (own) LOOP
        persons := persons || mine.id;
        households := households || ARRAY(SELECT p.household_id FROM person p
                WHERE p.community_id = mine.community_id AND p.id = mine.id AND p.household_id IS NOT NULL)
            || ARRAY(SELECT DISTINCT v.from_household FROM household_move v WHERE v.community_id = mine.community_id AND v.person_id = mine.id);
    END LOOP;
    WHILE found <> '{}' LOOP
        found := ARRAY(SELECT l.opened_by_login FROM login l WHERE l.id = ANY (found) AND l.opened_by_login IS NOT NULL AND l.confirmed_at IS NULL)
            || ARRAY(SELECT r.by_login FROM spending_rest r
                     WHERE r.login_id = ANY (found) AND r.cause = 'phone' AND r.ended_at IS NULL AND r.by_login IS NOT NULL);
        found := ARRAY(SELECT DISTINCT f FROM unnest(found) f WHERE NOT f = ANY (hands));
        hands := hands || found;
    END LOOP;
END
$$;

-- ---------------------------------------------------------------------------------------------- functions with arguments

-- As before, as PL/pgSQL: a statement with the arguments of a function in SQL is not laid out on several servers.
CREATE OR REPLACE FUNCTION ledger_closed(p_community uuid, p_owner_kind text, p_owner uuid) RETURNS boolean
    LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT EXISTS (SELECT FROM account WHERE community_id = p_community AND owner_kind = p_owner_kind AND owner_id = p_owner
                           AND closed_at IS NOT NULL));
END
$$;

CREATE OR REPLACE FUNCTION ledger_heir(p_community uuid, p_owner_kind text, p_owner uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce((SELECT p.merged_into FROM person p WHERE p_owner_kind = 'person' AND p.community_id = p_community AND p.id = p_owner),
                            p_owner));
END
$$;

CREATE OR REPLACE FUNCTION ledger_lapsed(t transfer) RETURNS bigint
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT t.amount - coalesce((SELECT sum(d.amount) FROM transfer d WHERE d.community_id = t.community_id AND d.draws_on = t.id), 0)
            WHERE NOT EXISTS (SELECT FROM transfer r WHERE r.community_id = t.community_id AND r.reverses = t.id));
END
$$;

CREATE OR REPLACE FUNCTION ledger_owner_of(p_community uuid, p_hold uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT a.owner_id FROM transfer h JOIN account a ON a.community_id = h.community_id AND a.id = h.credit_account
            WHERE h.community_id = p_community AND h.entry_id = p_hold AND h.kind = 'hold' AND h.leg = 1);
END
$$;

CREATE OR REPLACE FUNCTION ledger_says_the_same(p_community uuid, t transfer, e ledger_entry, p_owner uuid, p_currency text,
                                     p_amount bigint, p_target uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT t.kind = e.kind AND t.source_kind = e.source_kind AND t.source_id = e.source_id AND CASE
                WHEN p_target IS NULL THEN
                    p_amount = (SELECT sum(l.amount) FROM transfer l WHERE l.community_id = p_community AND l.entry_id = t.entry_id
                                AND l.kind = t.kind AND l.currency = p_currency)
                    AND EXISTS (SELECT FROM account a WHERE a.community_id = p_community AND a.id IN (t.debit_account, t.credit_account)
                                AND a.owner_id = p_owner)
                ELSE EXISTS (SELECT FROM transfer o WHERE o.community_id = p_community AND o.entry_id = p_target AND (
                    EXISTS (SELECT FROM transfer l WHERE l.community_id = p_community AND l.entry_id = t.entry_id AND o.id IN (l.closes, l.reverses))
                    OR EXISTS (SELECT FROM debt d WHERE d.community_id = p_community AND d.entry_id = t.entry_id AND d.reverses = o.id)))
                END);
END
$$;

CREATE OR REPLACE FUNCTION ledger_twin(p_community uuid, p_account uuid, p_owner uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    a account;
BEGIN
    SELECT * INTO a FROM account WHERE community_id = p_community AND id = p_account;
    RETURN CASE WHEN FOUND THEN ledger_account(p_community, a.owner_kind, p_owner, a.currency, a.bucket, a.subject_id, a.expires_on, a.grace_of) END;
END
$$;

CREATE OR REPLACE FUNCTION ledger_came_back(p_community uuid, p_entry uuid, p_currency text, p_today date, OUT usable bigint, OUT repaid bigint,
                                 OUT expired bigint, OUT graced bigint, OUT until date) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    SELECT coalesce(sum(c.amount) FILTER (WHERE c.lasts), 0), coalesce(sum(c.taken), 0), coalesce(sum(c.amount) FILTER (WHERE NOT c.lasts), 0),
           coalesce(sum(c.amount) FILTER (WHERE c.lasts AND c.grace_of IS NOT NULL), 0),
           min(c.expires_on) FILTER (WHERE c.lasts AND c.grace_of IS NOT NULL AND c.amount > 0)
    INTO usable, repaid, expired, graced, until
    FROM (
        SELECT a.expires_on, a.grace_of, coalesce(a.expires_on >= p_today, true) AS lasts,
               greatest(0, sum(CASE WHEN t.credit_account = a.id THEN t.amount ELSE -t.amount END)) AS amount,
               sum(t.amount) FILTER (WHERE t.debit_account = a.id) AS taken
        FROM transfer t JOIN account a ON a.community_id = t.community_id AND a.id IN (t.debit_account, t.credit_account)
        WHERE t.community_id = p_community AND t.entry_id = p_entry AND a.owner_kind <> 'system' AND a.bucket = 'available'
          AND a.currency = p_currency AND (t.kind = 'repayment' OR t.credit_account = a.id)
        GROUP BY a.id, a.expires_on, a.grace_of
    ) AS c;
END
$$;

CREATE OR REPLACE FUNCTION code_has_books(p_community uuid, p_person uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT EXISTS (SELECT FROM account a WHERE a.community_id = p_community AND a.owner_kind = 'person'
                           AND (a.owner_id = p_person AND a.currency = 'point' OR a.currency IN ('point', 'class_minute') AND a.owner_id IN (
                                SELECT g.child_id FROM guardianship g WHERE g.community_id = p_community AND g.guardian_id = p_person
                                AND g.consented_at IS NOT NULL AND g.ended_at IS NULL))));
END
$$;

CREATE OR REPLACE FUNCTION device_pair(p_community uuid, p_code_hash bytea, p_kind text, p_token_hash bytea, p_now timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found uuid;
BEGIN
    UPDATE device d SET token_hash = p_token_hash, paired_at = p_now, pairing_hash = NULL
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.kind = p_kind AND d.pairing_hash = p_code_hash
      AND d.pairing_expires_at > p_now AND d.paired_at IS NULL AND d.revoked_at IS NULL RETURNING d.id INTO found;
    RETURN found;
END
$$;

CREATE OR REPLACE FUNCTION device_renew(p_community uuid, p_device uuid, p_token_hash bytea, p_code_hash bytea, p_ends timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found uuid;
BEGIN
    UPDATE device d SET token_hash = p_token_hash, pairing_hash = p_code_hash, pairing_expires_at = p_ends
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.id = p_device
      AND d.paired_at IS NULL AND d.revoked_at IS NULL AND may_keep(p_community, d.station_id) RETURNING d.id INTO found;
    RETURN found;
END
$$;

CREATE OR REPLACE FUNCTION device_seen(p_community uuid, p_device uuid, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE device d SET seen_at = p_now
    WHERE p_community = ANY (visible_communities()) AND d.community_id = p_community AND d.id = p_device AND d.id = acting_device();
END
$$;

CREATE OR REPLACE FUNCTION answers_sweep(p_before timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM idempotent_request WHERE created_at < p_before;
END
$$;

-- The rests are read first: what is on every server is not deleted by what is on one.
CREATE OR REPLACE FUNCTION forget_unused_logins(p_login_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    rest constant uuid[] := ARRAY(SELECT r.login_id FROM spending_rest r WHERE r.login_id = ANY (p_login_ids))
        || ARRAY(SELECT r.from_login FROM spending_rest r WHERE r.from_login = ANY (p_login_ids));
BEGIN
    DELETE FROM login l WHERE l.id = ANY (p_login_ids) AND l.password_hash IS NULL AND NOT l.id = ANY (rest)
       AND NOT EXISTS (SELECT FROM membership m WHERE m.login_id = l.id)
       AND NOT EXISTS (SELECT FROM membership_question q WHERE q.login_id = l.id)
       AND NOT EXISTS (SELECT FROM session s WHERE s.login_id = l.id)
       AND NOT EXISTS (SELECT FROM one_time_code c WHERE c.login_id = l.id);
END
$$;

REVOKE EXECUTE ON FUNCTION are_acting, ledger_actor, grants_in_force, access_record, access_reach, login_keeps FROM PUBLIC;
GRANT EXECUTE ON FUNCTION are_acting TO timebank_app;

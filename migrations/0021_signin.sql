-- Failed sign-ins delay the next try and lock nobody out; a browser that has signed in before is known; stored answers are
-- sealed: those of before stand in clear until the sweep drops them, a day old, so that a retry across the upgrade gets them.
-- The serving role reaches the new tables through these functions alone.
SET LOCAL ROLE timebank_owner;

CREATE TABLE sign_in_failure (
    key         bytea NOT NULL,                -- a letter for what is counted, then keyed hashes of phone, network, browser
    failures    integer NOT NULL,
    failed_at   timestamptz NOT NULL,
    free_at     timestamptz,                   -- the next try is refused before; none while nothing delays it, so that no
                                               -- process whose clock is a moment behind another's waits for a second
    PRIMARY KEY (key)
);
CREATE INDEX sign_in_failure_failed_at ON sign_in_failure (failed_at);

-- Phones whose last password from this network was wrong. A success takes the phone out.
CREATE TABLE sign_in_suspect (
    network     bytea NOT NULL,
    phone       bytea NOT NULL,
    failed_at   timestamptz NOT NULL,
    PRIMARY KEY (network, phone)
);
CREATE INDEX sign_in_suspect_failed_at ON sign_in_suspect (failed_at);

CREATE TABLE known_browser (
    token_hash  bytea NOT NULL,                -- SHA-256 of a random 256-bit token that only the browser keeps
    login_id    uuid NOT NULL REFERENCES login (id),
    created_at  timestamptz NOT NULL,
    used_at     timestamptz NOT NULL,
    PRIMARY KEY (token_hash)
);
CREATE INDEX known_browser_login ON known_browser (login_id);

-- The keys that a try counts under: a known browser's own one; otherwise the phone with the network, the phone alone and,
-- for a password, the network. Codes are counted apart from passwords.
CREATE FUNCTION sign_in_keys(p_phone bytea, p_network bytea, p_by_code boolean, p_browser bytea)
    RETURNS TABLE (key bytea, free_tries integer, seconds_max integer)
    LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT v.key, v.free_tries, v.seconds_max
    FROM (VALUES
        (CASE WHEN p_by_code THEN '\x63'::bytea ELSE '\x70'::bytea END || '\x62'::bytea || p_phone || p_browser, 5, 900, true),
        (CASE WHEN p_by_code THEN '\x63'::bytea ELSE '\x70'::bytea END || '\x6e'::bytea || p_phone || p_network, 5, 900, false),
        (CASE WHEN p_by_code THEN '\x63'::bytea ELSE '\x70'::bytea END || '\x70'::bytea || p_phone, 20, 30, false),
        (CASE WHEN NOT p_by_code THEN '\x61'::bytea || p_network END, NULL, NULL, false)
    ) AS v (key, free_tries, seconds_max, of_known)
    WHERE v.key IS NOT NULL AND v.of_known = (p_browser IS NOT NULL)
$$;

-- Count a try before it is looked at, so that many at once do not slip through; a success takes it back. Answers how many
-- seconds are to be waited (then nothing is counted), the failures under the phone or the known browser, and that browser.
CREATE FUNCTION sign_in_try(p_phone bytea, p_network bytea, p_by_code boolean, p_browsers bytea[], p_now timestamptz,
                            OUT wait_seconds integer, OUT failures integer, OUT browser bytea)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    counted record;
    suspects integer;
    tries integer;
BEGIN
    SELECT k.token_hash INTO browser FROM known_browser k JOIN login l ON l.id = k.login_id
    WHERE l.phone_index = p_phone AND k.token_hash = ANY (p_browsers) ORDER BY k.token_hash LIMIT 1;
    INSERT INTO sign_in_failure SELECT k.key, 0, p_now, NULL
    FROM sign_in_keys(p_phone, p_network, p_by_code, browser) k ORDER BY k.key ON CONFLICT DO NOTHING;
    PERFORM 1 FROM sign_in_failure f
    WHERE f.key IN (SELECT k.key FROM sign_in_keys(p_phone, p_network, p_by_code, browser) k) ORDER BY f.key FOR NO KEY UPDATE;
    SELECT ceil(greatest(0, extract(epoch FROM max(f.free_at) - p_now))), 0 INTO wait_seconds, failures FROM sign_in_failure f
    WHERE f.key IN (SELECT k.key FROM sign_in_keys(p_phone, p_network, p_by_code, browser) k);
    IF wait_seconds > 0 THEN
        RETURN;
    END IF;
    FOR counted IN SELECT k.key, k.free_tries, k.seconds_max, f.failures AS so_far, f.failed_at
                   FROM sign_in_keys(p_phone, p_network, p_by_code, browser) k JOIN sign_in_failure f ON f.key = k.key
                   ORDER BY k.key LOOP
        IF counted.free_tries IS NULL THEN
            INSERT INTO sign_in_suspect VALUES (p_network, p_phone, p_now)
            ON CONFLICT (network, phone) DO UPDATE SET failed_at = p_now;
            SELECT count(*) INTO suspects FROM sign_in_suspect s
            WHERE s.network = p_network AND s.failed_at > p_now - interval '1 day';
            UPDATE sign_in_failure f SET failures = suspects, failed_at = p_now,
                free_at = CASE WHEN suspects > 100 THEN p_now + make_interval(secs => least(30, suspects - 100)) END
            WHERE f.key = counted.key;
        ELSE
            tries := CASE WHEN counted.failed_at > p_now - interval '1 day' THEN counted.so_far ELSE 0 END + 1;
            UPDATE sign_in_failure f SET failures = tries, failed_at = p_now,
                free_at = CASE WHEN tries >= counted.free_tries THEN p_now + make_interval(
                    secs => least(counted.seconds_max, 5 * 2 ^ least(tries - counted.free_tries, 20))) END
            WHERE f.key = counted.key;
            failures := greatest(failures, tries);
        END IF;
    END LOOP;
END
$$;

-- The try was right: start counting anew. Another's failures do not count against a known browser, nor does its success
-- free them.
CREATE FUNCTION sign_in_right(p_phone bytea, p_network bytea, p_by_code boolean, p_browser bytea, p_now timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM sign_in_failure f
    WHERE f.key IN (SELECT k.key FROM sign_in_keys(p_phone, p_network, true, p_browser) k
                    UNION SELECT k.key FROM sign_in_keys(p_phone, p_network, false, p_browser) k) ORDER BY f.key FOR NO KEY UPDATE;
    DELETE FROM sign_in_failure f
    WHERE f.key IN (SELECT k.key FROM sign_in_keys(p_phone, p_network, true, p_browser) k
                    UNION SELECT k.key FROM sign_in_keys(p_phone, p_network, false, p_browser) k WHERE k.free_tries IS NOT NULL);
    IF p_browser IS NULL THEN
        DELETE FROM sign_in_suspect s WHERE s.network = p_network AND s.phone = p_phone;
        -- The network's delay began with this try: it passed none. A code was not delayed by it and does not end it.
        UPDATE sign_in_failure f SET free_at = NULL WHERE NOT p_by_code AND f.key = '\x61'::bytea || p_network;
    END IF;
END
$$;

-- A code that is given out anew has not been guessed at yet.
CREATE FUNCTION sign_in_code_given(p_phone bytea) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM sign_in_failure f WHERE f.key >= '\x63'::bytea || '\x62'::bytea || p_phone AND f.key < '\x63'::bytea || '\x62'::bytea || p_phone || '\xffffffffffffffffffffffffffffffffffffffffff'::bytea
        OR f.key >= '\x63'::bytea || '\x6e'::bytea || p_phone AND f.key < '\x63'::bytea || '\x6e'::bytea || p_phone || '\xffffffffffffffffffffffffffffffffffffffffff'::bytea
        OR f.key = '\x63'::bytea || '\x70'::bytea || p_phone
$$;

CREATE FUNCTION sign_in_remember_browser(p_login_id uuid, p_token_hash bytea, p_now timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO known_browser VALUES (p_token_hash, p_login_id, p_now, p_now)
    ON CONFLICT (token_hash) DO UPDATE SET used_at = p_now WHERE known_browser.login_id = p_login_id
$$;

CREATE FUNCTION sign_in_forget_browsers(p_login_id uuid) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM known_browser WHERE login_id = p_login_id
$$;

CREATE FUNCTION sign_in_sweep(p_now timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM sign_in_failure WHERE failed_at < p_now - interval '1 day';
    DELETE FROM sign_in_suspect WHERE failed_at < p_now - interval '1 day';
    DELETE FROM known_browser WHERE used_at < p_now - interval '365 days';
$$;

-- What a login's own password must not be made of, and whether it holds a role now, in any community.
CREATE FUNCTION access_password_facts(p_login_id uuid, p_today date, OUT words text[], OUT is_staff boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(w.word) FILTER (WHERE w.word IS NOT NULL), '{}'),
           EXISTS (SELECT FROM access_offices(p_login_id, p_today))
    FROM membership m JOIN person p ON p.community_id = m.community_id AND p.id = m.person_id
    JOIN region r ON r.id = m.community_id
    CROSS JOIN LATERAL (VALUES (p.name::text), (p.pinyin::text), (r.name::text), (r.pinyin::text)) AS w (word)
    WHERE m.login_id = p_login_id
$$;

-- One row in the audit of every community that the login stands for: it acts in all of them.
CREATE FUNCTION access_audit_login(p_login_id uuid, p_verb text, p_request_id text, p_now timestamptz, p_change jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF p_verb NOT IN ('sign_in', 'fail_sign_in', 'sign_out', 'set_password') THEN
        RAISE EXCEPTION 'no verb of a login: %', p_verb;
    END IF;
    INSERT INTO audit (community_id, id, at, person_id, login_id, via, request_id, verb, noun, noun_id, reason, change)
    SELECT m.community_id, gen_random_uuid(), p_now,
           CASE WHEN count(*) = 1 AND p_verb <> 'fail_sign_in' THEN (array_agg(m.person_id))[1] END,
           CASE WHEN p_verb <> 'fail_sign_in' THEN p_login_id END, 'sign_in', p_request_id, p_verb, 'login', p_login_id, NULL, p_change
    FROM membership m WHERE m.login_id = p_login_id GROUP BY m.community_id;
END
$$;

REVOKE EXECUTE ON FUNCTION sign_in_keys, sign_in_try, sign_in_right, sign_in_code_given, sign_in_remember_browser,
    sign_in_forget_browsers, sign_in_sweep, access_password_facts, access_audit_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sign_in_try, sign_in_right, sign_in_code_given, sign_in_remember_browser, sign_in_forget_browsers,
    sign_in_sweep, access_password_facts, access_audit_login TO timebank_app;

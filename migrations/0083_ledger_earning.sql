-- A check-out that credits writes its three transfers (minutes, their conversion, points) in one statement.
SET LOCAL ROLE timebank_owner;

-- See 0003. Minutes that are owed are repaid before the others are converted. Without any, all legs are written together, and the
-- account of minutes is changed only by what stays there.
CREATE OR REPLACE FUNCTION ledger_earn(p_community uuid, e ledger_entry, p_person uuid, p_minutes bigint, p_minutes_per_point integer,
                                       p_expires date, OUT verdict text, OUT entry_id uuid, OUT points bigint, OUT minutes_left bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    minutes_account uuid;
    points_account uuid;
    issued_minutes uuid;
    converted uuid;
    issued_points uuid;
    before bigint;
    owes boolean;
    leg integer := 2;
    written integer;
BEGIN
    PERFORM ledger_permit(p_community);
    IF p_minutes_per_point IS NULL OR p_minutes_per_point < 1 THEN
        RAISE EXCEPTION 'minutes per point must be 1 or more, not %', p_minutes_per_point USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM ledger_lock(p_community, 'person', ARRAY[p_person], ARRAY['minute', 'point']);
    minutes_account := ledger_account(p_community, 'person', p_person, 'minute', 'available', NULL, NULL);
    SELECT * INTO verdict, entry_id FROM ledger_replay(p_community, e, p_person, 'minute', p_minutes);
    SELECT a.balance INTO before FROM account a WHERE a.community_id = p_community AND a.id = minutes_account;
    IF verdict IS NOT NULL THEN
        minutes_left := before;
        SELECT coalesce(sum(t.amount), 0) INTO points FROM transfer t
            WHERE t.community_id = p_community AND t.entry_id = ledger_earn.entry_id AND t.currency = 'point' AND t.kind = e.kind;
        RETURN;
    END IF;
    IF ledger_closed(p_community, 'person', p_person) THEN verdict := 'closed'; RETURN; END IF;
    issued_minutes := ledger_system(p_community, 'minute', 'issued');
    owes := EXISTS (SELECT FROM debt d WHERE d.community_id = p_community AND d.owner_kind = 'person' AND d.owner_id = p_person
                    AND d.currency = 'minute' AND d.subject_id IS NULL AND d.repaid < d.amount);
    minutes_left := before + p_minutes;
    IF owes THEN
        PERFORM ledger_must_write(p_community, e, 1, e.kind, 'minute', issued_minutes, minutes_account, p_minutes);
        leg := ledger_repay(p_community, e, 2, minutes_account);
        SELECT a.balance INTO before FROM account a WHERE a.community_id = p_community AND a.id = minutes_account;
        minutes_left := before;
    END IF;
    points := minutes_left / p_minutes_per_point;
    minutes_left := minutes_left % p_minutes_per_point;
    IF points > 0 THEN
        points_account := ledger_account(p_community, 'person', p_person, 'point', 'available', NULL, p_expires);
        converted := ledger_system(p_community, 'minute', 'converted');
        issued_points := ledger_system(p_community, 'point', 'issued');
    END IF;
    PERFORM ledger_actor(e.actor_id);
    INSERT INTO transfer (community_id, id, entry_id, leg, key, request_hash, kind, currency, debit_account, credit_account, amount,
                          occurred_at, posted_at, actor_id, source_kind, source_id, rule_code, rule_version, memo, memo_kind, memo_values)
        SELECT p_community, uuid_v7(e.posted_at), e.id, w.leg, CASE WHEN w.leg = 1 THEN e.key ELSE e.key || chr(31) || w.leg END,
               e.request_hash, w.kind, w.currency, w.debit, w.credit, w.amount, e.occurred_at, e.posted_at, e.actor_id,
               e.source_kind, e.source_id, e.rule_code, e.rule_version, e.memo, e.memo_kind, e.memo_values
        FROM (VALUES (1, e.kind, 'minute', issued_minutes, minutes_account, p_minutes),
                     (leg, 'conversion', 'minute', minutes_account, converted, points * p_minutes_per_point),
                     (leg + 1, e.kind, 'point', issued_points, points_account, points)
             ) AS w (leg, kind, currency, debit, credit, amount)
        WHERE CASE WHEN w.leg = 1 THEN NOT owes ELSE points > 0 END
        ON CONFLICT (community_id, key) DO NOTHING;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> (NOT owes)::integer + 2 * (points > 0)::integer THEN
        RAISE EXCEPTION 'the key was taken meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
    IF minutes_left <> before THEN
        UPDATE account SET balance = balance + minutes_left - before WHERE community_id = p_community AND id = minutes_account;
    END IF;
    IF points > 0 THEN
        UPDATE account SET balance = balance + points WHERE community_id = p_community AND id = points_account;
        PERFORM ledger_repay(p_community, e, leg + 2, points_account);
    END IF;
    verdict := 'posted'; entry_id := e.id;
END
$$;

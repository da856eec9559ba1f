-- Working days: the days of China that differ from Monday to Friday, and those that a county sets by hand.
--
-- A reference table above communities, without personal data. Only differing days have a row (some 25 a year): a day without
-- one follows the rule, so a year that nobody has filled needs no row to be answered, and the list can be read by a person.

SET LOCAL ROLE timebank_owner;

CREATE TABLE workday (
    id          uuid PRIMARY KEY,
    county_id   uuid REFERENCES region (id),   -- null: of the whole country; a county's own row goes before it
    day         date NOT NULL,
    works       boolean NOT NULL,
    name        varchar(40) NOT NULL,          -- the holiday, or the county's reason
    source      varchar(16) NOT NULL CONSTRAINT workday_source CHECK (source IN ('library', 'notice', 'county')),
    estimated   boolean NOT NULL,              -- computed before the State Council's notice for that year
    set_by      uuid,
    set_at      timestamptz NOT NULL,          -- of the whole country: when its source was read last
    CONSTRAINT workday_once UNIQUE NULLS NOT DISTINCT (county_id, day),
    CONSTRAINT workday_county CHECK ((source = 'county') = (county_id IS NOT NULL)),
    CONSTRAINT workday_estimated CHECK (source = 'library' OR NOT estimated)
);

-- Whether the acting login may set this day of this county. What has passed stays: deadlines were kept or missed by it. One
-- day off at most: the service knows the local day, this server its own.
CREATE FUNCTION may_set_workday(p_county uuid, p_day date) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN p_day >= ledger_now()::date - 1 AND may_administer(p_county)
        AND EXISTS (SELECT FROM region r WHERE r.id = p_county AND r.kind = 'county');
END
$$;

-- Makes the days of the whole country in one year these, and returns how many rows that changed. The operator alone writes a
-- notice, and past years; the worker fills this year and the next two by the library, but over no notice. An estimate never
-- replaces what was announced. Fills wait for each other at the table's first row.
CREATE FUNCTION workday_fill(p_year integer, p_days date[], p_works boolean[], p_names text[], p_source text, p_estimated boolean,
                             p_at timestamptz)
    RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first_day date := make_date(p_year, 1, 1);
    last_day date := make_date(p_year, 12, 31);
    this_year integer := extract(year FROM ledger_now() AT TIME ZONE 'UTC');
    changed integer;
    removed integer;
BEGIN
    IF NOT (is_operator() OR (p_source = 'library' AND p_year BETWEEN this_year AND this_year + 2)) THEN
        RAISE EXCEPTION 'not a year that the worker fills' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM workday WHERE county_id IS NULL ORDER BY day LIMIT 1 FOR UPDATE;
    IF p_source = 'library' AND EXISTS (
        SELECT FROM workday w WHERE w.county_id IS NULL AND w.day BETWEEN first_day AND last_day
          AND (w.source = 'notice' OR p_estimated AND NOT w.estimated)) THEN
        RETURN 0;
    END IF;
    DELETE FROM workday WHERE county_id IS NULL AND day BETWEEN first_day AND last_day AND day <> ALL (p_days);
    GET DIAGNOSTICS removed = ROW_COUNT;
    INSERT INTO workday AS w (id, day, works, name, source, estimated, set_at)
    SELECT gen_random_uuid(), t.day, t.works, t.name, p_source, p_estimated, p_at FROM unnest(p_days, p_works, p_names) AS t (day, works, name)
    WHERE t.day BETWEEN first_day AND last_day ORDER BY t.day
    ON CONFLICT (county_id, day) DO UPDATE
        SET works = excluded.works, name = excluded.name, source = excluded.source, estimated = excluded.estimated
        WHERE (w.works, w.name, w.source, w.estimated) IS DISTINCT FROM (excluded.works, excluded.name, excluded.source, excluded.estimated);
    GET DIAGNOSTICS changed = ROW_COUNT;
    UPDATE workday SET set_at = p_at WHERE county_id IS NULL AND day BETWEEN first_day AND last_day;
    RETURN removed + changed;
END
$$;

REVOKE EXECUTE ON FUNCTION may_set_workday, workday_fill FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_set_workday, workday_fill TO timebank_app;

ALTER TABLE workday ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON workday FOR SELECT TO timebank_app USING (true);
CREATE POLICY added ON workday FOR INSERT TO timebank_app WITH CHECK (may_set_workday(county_id, day) AND is_acting(set_by));
CREATE POLICY changed ON workday FOR UPDATE TO timebank_app USING (may_set_workday(county_id, day)) WITH CHECK (is_acting(set_by));
CREATE POLICY cleared ON workday FOR DELETE TO timebank_app USING (may_set_workday(county_id, day));
GRANT SELECT, INSERT, DELETE, UPDATE (works, name, set_by, set_at) ON workday TO timebank_app;

-- What the library `holidays` 0.109 knows. The weekend days are worked to make up for the days marked 调休.
INSERT INTO workday (id, day, works, name, source, estimated, set_at)
SELECT gen_random_uuid(), day, works, name, 'library', day >= '2027-01-01', '2026-11-26 00:00:00+00' FROM (VALUES
    -- 2024
    (date '2024-01-01', false, '元旦'), ('2024-02-04', true, '调休上班'), ('2024-02-12', false, '春节'),
    ('2024-02-13', false, '春节'), ('2024-02-14', false, '春节'), ('2024-02-15', false, '调休'),
    ('2024-02-16', false, '调休'), ('2024-02-18', true, '调休上班'), ('2024-04-04', false, '清明节'),
    ('2024-04-05', false, '调休'), ('2024-04-07', true, '调休上班'), ('2024-04-28', true, '调休上班'),
    ('2024-05-01', false, '劳动节'), ('2024-05-02', false, '调休'), ('2024-05-03', false, '调休'),
    ('2024-05-11', true, '调休上班'), ('2024-06-10', false, '端午节'), ('2024-09-14', true, '调休上班'),
    ('2024-09-16', false, '调休'), ('2024-09-17', false, '中秋节'), ('2024-09-29', true, '调休上班'),
    ('2024-10-01', false, '国庆节'), ('2024-10-02', false, '国庆节'), ('2024-10-03', false, '国庆节'),
    ('2024-10-04', false, '调休'), ('2024-10-07', false, '调休'), ('2024-10-12', true, '调休上班'),
    -- 2025
    ('2025-01-01', false, '元旦'), ('2025-01-26', true, '调休上班'), ('2025-01-28', false, '农历除夕'),
    ('2025-01-29', false, '春节'), ('2025-01-30', false, '春节'), ('2025-01-31', false, '春节'),
    ('2025-02-03', false, '调休'), ('2025-02-04', false, '调休'), ('2025-02-08', true, '调休上班'),
    ('2025-04-04', false, '清明节'), ('2025-04-27', true, '调休上班'), ('2025-05-01', false, '劳动节'),
    ('2025-05-02', false, '劳动节'), ('2025-05-05', false, '调休'), ('2025-06-02', false, '端午节'),
    ('2025-09-28', true, '调休上班'), ('2025-10-01', false, '国庆节'), ('2025-10-02', false, '国庆节'),
    ('2025-10-03', false, '国庆节'), ('2025-10-06', false, '中秋节'), ('2025-10-07', false, '调休'),
    ('2025-10-08', false, '调休'), ('2025-10-11', true, '调休上班'),
    -- 2026
    ('2026-01-01', false, '元旦'), ('2026-01-02', false, '调休'), ('2026-01-04', true, '调休上班'),
    ('2026-02-14', true, '调休上班'), ('2026-02-16', false, '农历除夕'), ('2026-02-17', false, '春节'),
    ('2026-02-18', false, '春节'), ('2026-02-19', false, '春节'), ('2026-02-20', false, '调休'),
    ('2026-02-23', false, '调休'), ('2026-02-28', true, '调休上班'), ('2026-04-06', false, '清明节'),
    ('2026-05-01', false, '劳动节'), ('2026-05-04', false, '劳动节'), ('2026-05-05', false, '调休'),
    ('2026-05-09', true, '调休上班'), ('2026-06-19', false, '端午节'), ('2026-09-20', true, '调休上班'),
    ('2026-09-25', false, '中秋节'), ('2026-10-01', false, '国庆节'), ('2026-10-02', false, '国庆节'),
    ('2026-10-05', false, '国庆节'), ('2026-10-06', false, '调休'), ('2026-10-07', false, '调休'),
    ('2026-10-10', true, '调休上班'),
    -- 2027, estimated: the State Council's notice comes late in 2026
    ('2027-01-01', false, '元旦'), ('2027-02-05', false, '农历除夕'), ('2027-02-08', false, '春节'),
    ('2027-02-09', false, '春节'), ('2027-02-10', false, '春节'), ('2027-04-05', false, '清明节'),
    ('2027-05-03', false, '劳动节'), ('2027-05-04', false, '劳动节'), ('2027-06-09', false, '端午节'),
    ('2027-09-15', false, '中秋节'), ('2027-10-01', false, '国庆节'), ('2027-10-04', false, '国庆节'),
    ('2027-10-05', false, '国庆节')
) AS t (day, works, name);

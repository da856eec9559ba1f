-- Who may decide as a second person: not whom the proposer has appointed for it, and no guardian about the child.

SET LOCAL ROLE timebank_owner;

DROP FUNCTION agreement_officers(uuid, date);

-- Administrators and auditors whose region is this community or lies above it, wherever they live, with who appointed them.
CREATE FUNCTION agreement_officers(p_community uuid, p_today date)
    RETURNS TABLE (person_id uuid, home_id uuid, name varchar, role varchar, depth smallint, place varchar, granted_by uuid,
                   granted_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.person_id, g.community_id, p.name, g.role, cardinality(r.path)::smallint, r.name, g.granted_by, g.granted_at
    FROM region here JOIN region r ON r.id = ANY (here.path)
    JOIN role_grant g ON g.region_id = r.id AND g.ended_at IS NULL AND g.starts_on <= p_today AND (g.ends_on IS NULL OR g.ends_on >= p_today)
    JOIN person p ON p.community_id = g.community_id AND p.id = g.person_id AND p.status = 'active'
    WHERE here.id = p_community AND p_community = ANY (visible_communities())
    ORDER BY cardinality(r.path) DESC, g.granted_at, g.id
$$;
REVOKE EXECUTE ON FUNCTION agreement_officers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agreement_officers TO timebank_app;

-- Who is, or ever was by recorded consent, guardian of these residents. A guardian's benefit is the child's wherever the two live.
CREATE FUNCTION agreement_guardians(p_community uuid, p_people uuid[]) RETURNS TABLE (child_id uuid, guardian_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.child_id, g.guardian_id FROM guardianship g
    WHERE g.community_id = p_community AND p_community = ANY (visible_communities()) AND g.child_id = ANY (p_people)
      AND g.consented_at IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION agreement_guardians FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agreement_guardians TO timebank_app;

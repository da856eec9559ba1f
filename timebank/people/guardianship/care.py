"""Whose guardian somebody is now: consent on record and in force, and the child still under age on that day.

Whoever once named, booked or paid has no right by it: each request asks again.
"""

from timebank.people.identity.ages import ADULT_FROM

# c is the child's row in person; somebody of unknown age may have a guardian.
UNDER_AGE = f"(c.born_on IS NULL OR c.born_on > {{today}}::date - interval '{ADULT_FROM} years')"
# g is the guardianship.
IN_CARE = f"g.consented_at IS NOT NULL AND g.ended_at IS NULL AND {UNDER_AGE}"


def in_care(today: str) -> str:
    """The condition in SQL on a guardianship `g` joined to its child `c`; `today` is the day's place, such as `$4`."""
    return IN_CARE.format(today=today)


def is_in_care(community: str, child: str, guardians: str, today: str) -> str:
    """The condition in SQL that one of these guardians, a place of a uuid[], cares for a child now."""
    return (
        "EXISTS (SELECT FROM guardianship g JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id "
        f"WHERE g.community_id = {community} AND g.child_id = {child} AND g.guardian_id = ANY ({guardians}) "
        f"AND {in_care(today)})"
    )

"""SQL conditions for guardianship in force: consent recorded, not ended, and the child under 18 on the day.

Every request checks them again: having named the child, booked or paid before gives no right. No other module writes
them.
"""

from timebank.people.identity.ages import ADULT_FROM, is_younger

# c is the child's row in person; a person without a birth date may have a guardian.
UNDER_AGE = f"(c.born_on IS NULL OR {is_younger(ADULT_FROM, 'c.born_on', '{today}')})"
# g is the guardianship. Until it is ended the guardian is registered, with or without consent.
REGISTERED = "g.ended_at IS NULL"
CONSENTED = f"g.consented_at IS NOT NULL AND {REGISTERED}"
IN_CARE = f"{CONSENTED} AND {UNDER_AGE}"
_WITH_CHILD = "FROM guardianship g JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id"


def consent_in_force(community: str, child: str) -> str:
    """SQL condition that some guardian's consent for the child is in force: what somebody under 14 needs."""
    return (
        f"EXISTS (SELECT FROM guardianship g WHERE g.community_id = {community} AND g.child_id = {child} "
        f"AND {CONSENTED})"
    )


def in_care(today: str) -> str:
    """SQL condition on a guardianship `g` joined to its child `c`; `today` is the day's placeholder, such as `$4`."""
    return IN_CARE.format(today=today)


def children_ids(community: str, guardians: str, today: str) -> str:
    """SQL of the ids of the children in the care of `guardians`, a uuid[] placeholder."""
    return (
        f"SELECT g.child_id {_WITH_CHILD} WHERE g.community_id = {community} "
        f"AND g.guardian_id = ANY ({guardians}) AND {in_care(today)}"
    )


def guardian_ids(community: str, child: str, today: str) -> str:
    """SQL of the ids of a child's guardians in force, the first named first. Somebody who is 18 has none."""
    return (
        f"SELECT g.guardian_id {_WITH_CHILD} WHERE g.community_id = {community} "
        f"AND g.child_id = {child} AND {in_care(today)} ORDER BY g.id"
    )


def family_ids(community: str, guardians: str, today: str) -> str:
    """SQL of the ids of `guardians`, a uuid[] placeholder, and of the children in their care, in a column `id`."""
    return f"SELECT unnest({guardians}) AS id UNION {children_ids(community, guardians, today)}"


def is_in_care(community: str, child: str, guardians: str, today: str) -> str:
    """SQL condition that one of `guardians`, a uuid[] placeholder, is a guardian in force of the child."""
    return (
        f"EXISTS (SELECT {_WITH_CHILD} WHERE g.community_id = {community} AND g.child_id = {child} "
        f"AND g.guardian_id = ANY ({guardians}) AND {in_care(today)})"
    )

"""Whether a rule mints more points than the present rules; a looser rule waits for a second person."""

from collections.abc import Sequence

from timebank.core import clock, database
from timebank.core.scope import Scope
from timebank.policies.values import policies
from timebank.rules.schemas import RuleIn, RuleOut

DAYS_OF = {"day": 1, "week": 7, "month": 30, "year": 365}

# The highest points and the lowest minutes per point of all rules, where each rule counts with the least that its
# present and coming versions give: a higher version agreed for a later day must not allow more today, and one person
# alone must not undo a lower version that is already planned.
_MOST = """
SELECT coalesce(max(points), 0) AS points, coalesce(min(minutes), 1441) AS minutes FROM (
    SELECT min(r.points) AS points, max(r.minutes_per_point) AS minutes, bool_and(r.active) AS active FROM rule r
    WHERE r.community_id = $1 AND r.kind = $2 AND r.version >= (
        SELECT max(begun.version) FROM rule begun
        WHERE begun.community_id = $1 AND begun.code = r.code AND begun.valid_from <= $3)
    GROUP BY r.code) AS given WHERE active
"""


async def is_looser_rule(scope: Scope, wanted: RuleIn, versions: Sequence[RuleOut]) -> bool:
    """Whether the rule gives more than every present rule of its kind, or more easily than its own earlier versions.

    That is: it lifts a cap, files deeds by a trigger that it did not have, gives more for each such deed, or publishes
    its deeds for a shorter time. `versions` are the rule's own versions, newest first.
    """
    if not wanted.active:
        return False
    most = await database.fetch_one(_MOST, scope.community_id, wanted.kind, clock.now())
    assert most is not None
    if (wanted.points or 0) > most["points"] or (wanted.minutes_per_point or 1441) < most["minutes"]:
        return True
    before = _rule_in_force(versions)
    usual = (await policies(scope)).notice_days
    return (
        any(_lifts_cap(wanted, version) for version in before)
        or _files_more(wanted, before)
        or _shortens_notice(wanted.notice_days, [version.notice_days for version in before] or [None], usual)
    )


def _rule_in_force(versions: Sequence[RuleOut]) -> list[RuleOut]:
    """The active versions that are still to begin, and the newest active one that has begun."""
    now = clock.now()
    begun = next((v for v in versions if v.active and v.valid_from <= now), None)
    return [v for v in versions if v.active and v.valid_from > now] + ([begun] if begun else [])


def _lifts_cap(wanted: RuleIn, stands: RuleOut) -> bool:
    """Whether a cap is removed, higher, or for a shorter period than in `stands`."""
    if stands.cap_period is None:
        return False
    if wanted.cap_period is None:
        return True
    shorter = DAYS_OF[wanted.cap_period] < DAYS_OF[stands.cap_period]
    return any(
        now is not None and (cap is None or cap > now or shorter)
        for cap, now in (
            (wanted.cap_per_person, stands.cap_per_person), (wanted.cap_per_area, stands.cap_per_area),
        )
    )  # fmt: skip


def _files_more(wanted: RuleIn, before: Sequence[RuleOut]) -> bool:
    """Whether a trigger newly files deeds by this rule, or gives more points for each: nobody reviews these."""
    if wanted.trigger is None:
        return False
    return not before or any(
        stands.trigger != wanted.trigger or (wanted.points or 0) > (stands.points or 0) for stands in before
    )


def _shortens_notice(wanted: int | None, before: Sequence[int | None], usual: int) -> bool:
    """Whether deeds are published for a shorter time than by a version before, None being the community's `usual` days.

    Own days up to the usual ones count as shorter too: they would stay when the community lengthens the usual ones.
    """
    return any(
        wanted is not None and wanted <= usual if stands is None else (usual if wanted is None else wanted) < stands
        for stands in before
    )

"""Credit of a service record: its minutes and the points they earn are posted once, with the reason in words."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.scope import Scope
from timebank.core.wording import Memo, memo
from timebank.ledger import posting
from timebank.ledger.posting import Earned, Posting
from timebank.policies.values import Policies, points_expire_on, policies
from timebank.rules.catalogue import RuleNotFound, rule_at, rules
from timebank.rules.schemas import RuleOut

ANYWHERE = "志愿服务"
"""The place of a record without a station and an activity."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A service record with the facts that its credit needs."""

    id: UUID
    kind: str
    person_id: UUID
    started_at: datetime
    ended_at: datetime
    minutes: int
    rule_code: str
    place: str
    day: date  # the local day that it counts on


class Credit(msgspec.Struct, frozen=True):
    minutes: int
    points: int
    minutes_left: int | None
    capped: bool


async def rule_of(scope: Scope, activity_id: UUID | None, moment: datetime) -> RuleOut | None:
    """The earning rule of an activity, or the community's rule for service; None where there is none."""
    if activity_id is not None:
        code: str = await database.fetch_value(
            "SELECT rule_code FROM activity WHERE community_id = $1 AND id = $2", scope.community_id, activity_id
        )
    else:
        usual = (await rules(scope, kind="service", active=True, limit=1)).items
        code = usual[0].code if usual else "service"
    return await rule_as_of(scope, code, moment)


async def rule_as_of(scope: Scope, code: str, moment: datetime) -> RuleOut | None:
    """The rule as of a moment, or as of now where the rule is newer; None where there is no rule for service."""
    for then in (moment, clock.now()):
        try:
            rule = await rule_at(scope, code, then)
        except RuleNotFound:
            continue
        return rule if rule.kind == "service" else None
    return None


async def rule_code_of(scope: Scope, activity_id: UUID | None) -> str:
    """The code of the rule that credits an activity's hours today; "service" where there is none."""
    rule = await rule_of(scope, activity_id, clock.now())
    return rule.code if rule else "service"


async def credit_record(
    scope: Scope, served: Served, *, reviewed: bool = False, note: str | None = None, again: UUID | None = None
) -> Credit:
    """Approve a record and credit its minutes, up to the daily cap, and the points they earn.

    The posting's idempotency key makes it happen once. `again` is the objection by which a reversed record is credited
    again. The caller holds the person's row lock, so that two records of a day cannot both use the rest of the cap.
    Raises RuleNotFound before anything is written.
    """
    in_force = await policies(scope)
    rule = await rule_as_of(scope, served.rule_code, served.ended_at)
    if rule is None:
        raise RuleNotFound
    taken: int = await database.fetch_value(
        "SELECT coalesce(sum(credited_minutes), 0)::integer FROM service_record WHERE community_id = $1 "
        "AND person_id = $2 AND status = 'approved' AND id <> $5 "
        "AND started_at >= $3 AND started_at < $4::timestamptz + interval '1 day' "
        "AND (counts_on = $6 OR counts_on IS NULL AND started_at < $4)",
        scope.community_id, served.person_id, *clock.day_bounds(served.day), served.id, served.day,
    )  # fmt: skip
    minutes = min(served.minutes, max(0, in_force.daily_minutes_max - taken))
    earned = await _earn(scope, served, minutes, rule, in_force, again) if minutes else None
    points = earned.points if earned else 0
    await database.execute(
        "UPDATE service_record SET status = 'approved', rule_version = $3, credited_minutes = $4, "
        "credited_points = $5, entry_id = $6, reviewed_by = CASE WHEN $7 THEN $8 ELSE reviewed_by END, "
        "reviewed_at = CASE WHEN $7 THEN $9 ELSE reviewed_at END, review_note = coalesce($10, review_note) "
        "WHERE community_id = $1 AND id = $2",
        scope.community_id, served.id, rule.version, minutes, points, earned.entry_id if earned else None, reviewed,
        scope.person_id, clock.now(), note,
    )  # fmt: skip
    await audit.record(
        scope, "credit_record", "service_record", served.id, reason=note, minutes=minutes, points=points,
        rule_code=rule.code, rule_version=rule.version,
    )  # fmt: skip
    return Credit(minutes, points, earned.minutes_left if earned else None, minutes < served.minutes)


async def _earn(
    scope: Scope, served: Served, minutes: int, rule: RuleOut, in_force: Policies, again: UUID | None
) -> Earned:
    """Post the minutes. The memo names the time, the place and the rule: 2 小时 15 分 · 暖蜂驿站 · …"""
    assert rule.minutes_per_point is not None
    key = f"service:{served.id}" + (f":restored:{again}" if again else "")
    entry = Posting(
        kind="service", key=key, source_kind="service_record", source_id=served.id, memo=_why(served, minutes, rule),
        rule_code=rule.code, rule_version=rule.version, occurred_at=served.ended_at,
    )  # fmt: skip
    last_day = points_expire_on(in_force, clock.now())
    return await posting.earn(scope, served.person_id, minutes, rule.minutes_per_point, entry, expires_on=last_day)


def _why(served: Served, minutes: int, rule: RuleOut) -> Memo:
    per_point = rule.minutes_per_point or 0
    if served.place == ANYWHERE:
        return memo("service_anywhere", served=minutes, rule=rule.name, version=rule.version, per_point=per_point)
    return memo(
        "service", served=minutes, place=served.place, rule=rule.name, version=rule.version, per_point=per_point
    )

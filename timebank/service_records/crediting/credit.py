"""Credit of a service record: its minutes and the points they earn are posted once, with the reason in words."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database
from timebank.core.database import Question, transaction
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.ledger import posting
from timebank.ledger.posting import Earned, Posting
from timebank.policies.values import Policies, PolicyValue, points_expire_on, policies_from, policy_values
from timebank.rules.catalogue import RULE_COLUMNS, RuleNotFound, with_words
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


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """The credit of a record by version `rule_version` of its rule; `entry_id` is None where no minute was left."""

    minutes: int
    points: int
    minutes_left: int | None
    capped: bool
    rule_code: str
    rule_version: int
    entry_id: UUID | None


class _CreditFacts(msgspec.Struct, frozen=True, kw_only=True):
    policies: list[PolicyValue]
    rule: RuleOut | None
    taken: int


class _Rule(msgspec.Struct, frozen=True):
    rule: RuleOut | None


def rule_question(scope: Scope, code: str | None, activity_id: UUID | None, moment: datetime) -> Question:
    """The rule with this code, else of the activity, else the community's first one for service.

    Its version as of a moment, or as of now where the rule is newer. `service_rule` takes the answer.
    """
    return database.one(
        f"SELECT {RULE_COLUMNS} FROM rule WHERE community_id = $1 AND code = coalesce($2, "  # noqa: S608  # own columns
        "(SELECT rule_code FROM activity WHERE community_id = $1 AND id = $3), "
        "(SELECT code FROM (SELECT DISTINCT ON (code) code, kind, active FROM rule WHERE community_id = $1 "
        "AND valid_from <= $5 ORDER BY code, version DESC) AS newest WHERE kind = 'service' AND active "
        "ORDER BY code LIMIT 1), 'service') "
        "AND valid_from <= greatest($4, $5::timestamptz) ORDER BY valid_from <= $4 DESC, version DESC LIMIT 1",
        scope.community_id, code, activity_id, moment, clock.now(),
    )  # fmt: skip


def service_rule(found: RuleOut | None) -> RuleOut | None:
    """The rule in words, if it is one for service."""
    return with_words(found) if found is not None and found.kind == "service" else None


async def rule_of(scope: Scope, activity_id: UUID | None, moment: datetime) -> RuleOut | None:
    """The earning rule of an activity, or the community's rule for service; None where there is none."""
    async with transaction(scope):
        found = await database.read(_Rule, rule=rule_question(scope, None, activity_id, moment))
    return service_rule(found.rule)


async def rule_code_of(scope: Scope, activity_id: UUID | None) -> str:
    """The code of the rule that credits an activity's hours today; "service" where there is none."""
    rule = await rule_of(scope, activity_id, clock.now())
    return rule.code if rule else "service"


def credited_question(scope: Scope, person_id: UUID, day: date, record_id: UUID | None) -> Question:
    """The minutes of the person's other records that are credited on a day already."""
    return database.value(
        "SELECT coalesce(sum(credited_minutes), 0)::integer FROM service_record WHERE community_id = $1 "
        "AND person_id = $2 AND status = 'approved' AND id IS DISTINCT FROM $5 "
        "AND started_at >= $3 AND started_at < $4::timestamptz + interval '1 day' "
        "AND (counts_on = $6 OR counts_on IS NULL AND started_at < $4)",
        scope.community_id, person_id, *clock.day_bounds(day), record_id, day,
    )  # fmt: skip


async def credit_record(
    scope: Scope, served: Served, *, reviewed: bool = False, note: str | None = None, again: UUID | None = None
) -> Credit:
    """Approve a record and credit its minutes, up to the daily cap, and the points they earn.

    The posting's idempotency key makes it happen once. `again` is the objection by which a reversed record is credited
    again. The caller holds the person's row lock, so that two records of a day cannot both use the rest of the cap.
    Raises RuleNotFound before anything is written.
    """
    facts = await database.read(
        _CreditFacts,
        policies=policy_values(scope),
        rule=rule_question(scope, served.rule_code, None, served.ended_at),
        taken=credited_question(scope, served.person_id, served.day, served.id),
    )
    rule = service_rule(facts.rule)
    if rule is None:
        raise RuleNotFound
    credit = await post_credit(scope, served, rule, policies_from(facts.policies), facts.taken, again)
    await database.execute(
        "UPDATE service_record SET status = 'approved', rule_version = $3, credited_minutes = $4, "
        "credited_points = $5, entry_id = $6, reviewed_by = CASE WHEN $7 THEN $8 ELSE reviewed_by END, "
        "reviewed_at = CASE WHEN $7 THEN $9 ELSE reviewed_at END, review_note = coalesce($10, review_note) "
        "WHERE community_id = $1 AND id = $2",
        scope.community_id, served.id, credit.rule_version, credit.minutes, credit.points, credit.entry_id, reviewed,
        scope.person_id, clock.now(), note,
    )  # fmt: skip
    await record_credit(scope, served, credit, note)
    return credit


async def record_credit(scope: Scope, served: Served, credit: Credit, note: str | None = None) -> None:
    """Record the credit in the audit."""
    await audit.record(
        scope, "credit_record", "service_record", served.id, reason=note, about_id=served.person_id,
        minutes=credit.minutes, points=credit.points, rule_code=credit.rule_code, rule_version=credit.rule_version,
    )  # fmt: skip


async def post_credit(
    scope: Scope, served: Served, rule: RuleOut, in_force: Policies, taken: int, again: UUID | None = None
) -> Credit:
    """Post the minutes of a record, up to the daily cap, of which `taken` are credited already.

    The memo names the time, the place and the rule: 2 小时 15 分 · 暖蜂驿站 · …
    """
    minutes = min(served.minutes, max(0, in_force.daily_minutes_max - taken))
    earned = await _earn(scope, served, minutes, rule, in_force, again) if minutes else None
    return Credit(
        minutes=minutes, points=earned.points if earned else 0, minutes_left=earned.minutes_left if earned else None,
        capped=minutes < served.minutes, rule_code=rule.code, rule_version=rule.version,
        entry_id=earned.entry_id if earned else None,
    )  # fmt: skip


async def _earn(
    scope: Scope, served: Served, minutes: int, rule: RuleOut, in_force: Policies, again: UUID | None
) -> Earned:
    assert rule.minutes_per_point is not None
    key = f"service:{served.id}" + (f":restored:{again}" if again else "")
    entry = Posting(
        kind="service", key=key, source_kind="service_record", source_id=served.id, memo=_why(served, minutes, rule),
        rule_code=rule.code, rule_version=rule.version, occurred_at=served.ended_at,
    )  # fmt: skip
    last_day = points_expire_on(in_force, clock.now())
    return await posting.earn(scope, served.person_id, minutes, rule.minutes_per_point, entry, expires_on=last_day)


def _why(served: Served, minutes: int, rule: RuleOut) -> Phrase:
    per_point = rule.minutes_per_point or 0
    if served.place == ANYWHERE:
        return phrase("entry.service_anywhere", served=minutes, rule=rule.name, per_point=per_point)
    return phrase("entry.service", served=minutes, place=served.place, rule=rule.name, per_point=per_point)

"""Filing a deed: by the head of a building or unit, by a grid worker, or by an administrator."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_in_force
from timebank.agreements.independence import is_family, side_of, sides_of
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Role, Scope
from timebank.deeds.filing.caps import require_room
from timebank.deeds.filing.notices import notify_deed_filed
from timebank.deeds.reading import find_deed
from timebank.deeds.schemas import DeedIn, DeedOut
from timebank.deeds.tables import Deed
from timebank.deeds.witness import ask_witness
from timebank.people.guardianship.care import consent_in_force
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.identity.ages import is_guarded
from timebank.photos.attaching import attach
from timebank.rules.catalogue import RuleNotFound, rule_at, usable_rule
from timebank.rules.schemas import RuleOut

# A quarter of a year: long enough for a head who files once a quarter, short enough that witnesses still remember.
DAYS_BACK_MAX = 90


class NotYourArea(TimebankError):
    code = "not_your_area"
    status = 403
    sentence = "只能登记自己负责的楼栋、单元或网格里的善行。请换一个地点，或请网格员登记。"


class NotForThisPerson(TimebankError):
    code = "not_for_this_person"
    status = 403
    sentence = "楼栋长、单元长登记自己和本楼单元长的善行，网格员登记本网格居民的善行。别人的请找网格员或社区管理员。"


class DeedDay(TimebankError):
    code = "deed_day_out_of_range"
    status = 422
    sentence = "善行的日期要在 {first} 到 {last} 之间。更早的请找社区管理员从台账导入。"


class WitnessTooClose(TimebankError):
    code = "witness_too_close"
    status = 422
    sentence = "见证人不能是本人、登记人或他们同一户的人。请换一位邻居。"
    constraint = "deed_not_own_witness"


class WitnessUnknown(TimebankError):
    code = "witness_unknown"
    status = 422
    sentence = "没有找到这位见证人。见证人要是本社区的居民。"


class PointsByAdmin(TimebankError):
    code = "points_by_admin_only"
    status = 403
    sentence = "积分按善行目录记。要记别的分数，请社区管理员登记并写明原因。"


class PointsNeedReason(TimebankError):
    code = "points_need_reason"
    status = 422
    sentence = "记的分数与善行目录不同（目录是 {points} 分），请写明原因。"


class _Place(msgspec.Struct, frozen=True):
    path: list[UUID]


class _Doer(msgspec.Struct, frozen=True):
    household_id: UUID | None
    born_on: date | None
    consented: bool  # a guardian's consent is on record
    heads: list[UUID]  # the buildings and units that the person heads today
    home: list[UUID]  # the areas of the household, from the grid down


@retried
async def file_deed(scope: Scope, wanted: DeedIn) -> DeedOut:
    """File a deed; its points are credited after review and the public notice period.

    Raises DeedDay, NotYourArea, NotForThisPerson, NotGuardian, WitnessUnknown, WitnessTooClose, RuleNotFound,
    PointsByAdmin, PointsNeedReason, CapReached, TooManyPhotos, DeedOfChild.
    """
    now, today = clock.now(), clock.local_day()
    first = today - timedelta(days=DAYS_BACK_MAX)
    if not first <= wanted.occurred_on <= today:
        raise DeedDay(first=first, last=today)
    async with transaction(scope):
        # Always lock the person before the area: concurrent filings for one of them wait, then count each other's deed.
        doer = await lock_doer(scope, wanted.person_id)
        place = await lock_place(scope, wanted.area_id)
        _require_duty(scope, wanted.person_id, place, doer)
        await _require_witness(scope, wanted)
        rule = await rule_of_day(scope, await usable_rule(scope, wanted.rule_code, "deed"), wanted.occurred_on)
        if not scope.administers and wanted.points not in (None, rule.points):
            raise PointsByAdmin
        points, points_reason = deed_worth(wanted, rule)
        await require_room(scope, rule, wanted.person_id, wanted.area_id, wanted.occurred_on)
        deed_id = clock.new_id()
        await Deed.insert(
            Deed(
                community_id=scope.community_id, id=deed_id, person_id=wanted.person_id, area_id=wanted.area_id,
                rule_code=rule.code, rule_version=rule.version, points=points, points_reason=points_reason,
                occurred_on=wanted.occurred_on, note=wanted.note.strip(), witness_id=wanted.witness_id,
                filed_by=scope.actor_id, status="filed", reviewed_by=None, reviewed_at=None, review_note=None,
                notice_from=None, notice_until=None, entry_id=None, created_at=now, withdrawn_at=None,
                withdrawn_by=None, witness_answer=None, witness_note=None, witness_answered_at=None,
                witness_asked_by=None, source_kind=None, source_id=None, note_said=None,
            )
        )  # fmt: skip
        await audit.record(
            scope, "file_deed", "deed", deed_id, reason=points_reason, about_id=wanted.person_id, rule=rule.code,
            version=rule.version, points=points,
        )  # fmt: skip
        for photo_id in wanted.photo_ids:
            await attach(scope, "deed", deed_id, photo_id, "proof")
        filed = await find_deed(scope, deed_id)
        await notify_deed_filed(scope, filed)
        await ask_witness(scope, filed)
        return DeedOut.of(filed)


@retried
async def undo_filed_deeds(scope: Scope, deed_ids: Sequence[UUID]) -> int:
    """Withdraw deeds that nobody has reviewed yet, as the undo of an import does; return how many.

    The caller notifies the people, once for all deeds that are withdrawn together.
    """
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "UPDATE deed SET status = 'withdrawn', withdrawn_at = $3, withdrawn_by = $4 "
            "WHERE community_id = $1 AND id = ANY ($2) AND status = 'filed' RETURNING id, person_id",
            scope.community_id, list(deed_ids), clock.now(), scope.actor_id,
        )  # fmt: skip
        whose = [(row["id"], {"person_id": UUID(bytes=row["person_id"].bytes)}) for row in gone]
        await audit.record_many(scope, "withdraw_deed", "deed", whose)
    return len(gone)


async def lock_place(scope: Scope, area_id: UUID) -> _Place:
    """Lock the row of the deed's place. Raises NotFound."""
    place = await database.row(
        _Place,
        "SELECT path::text[] AS path FROM area WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id,
        area_id,
    )
    if place is None:
        raise NotFound
    return place


async def lock_doer(scope: Scope, person_id: UUID) -> _Doer:
    """Lock the row of the deed's person. Raises NotFound, or NotGuardian for a child without a guardian's consent."""
    doer = await database.row(
        _Doer,
        "SELECT p.household_id, p.born_on, coalesce(home.path, '{}')::text[] AS home, "  # noqa: S608  # constants of the program
        f"{consent_in_force('p.community_id', 'p.id')} AS consented, ARRAY("
        "  SELECT g.area_id::text FROM role_grant g WHERE g.community_id = p.community_id AND g.person_id = p.id "
        f"  AND g.role = ANY ($3::text[]) AND {is_in_force('$4')}) AS heads "
        "FROM person p LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
        "LEFT JOIN area home ON home.community_id = h.community_id AND home.id = h.area_id "
        "WHERE p.community_id = $1 AND p.id = $2 AND p.status = 'active' FOR NO KEY UPDATE OF p",
        scope.community_id, person_id, [Role.building_head.value, Role.unit_head.value], clock.local_day(),
    )  # fmt: skip
    if doer is None:
        raise NotFound
    if is_guarded(doer.born_on) and not doer.consented:
        raise NotGuardian
    return doer


def _require_duty(scope: Scope, person_id: UUID, place: _Place, doer: _Doer) -> None:
    """Refuse a caller whose role grants do not cover this place, or not the filing for this person.

    Raises NotYourArea, NotForThisPerson.
    """
    if scope.administers:
        return
    if scope.works_in(place.path):
        if not (scope.works_in(doer.home) or scope.is_own(person_id) or set(doer.heads) & set(place.path)):
            raise NotForThisPerson
        return
    headed = [area for area in place.path if scope.heads(area)]
    if not headed:
        raise NotYourArea
    below = place.path[place.path.index(headed[0]) :]
    if not (scope.is_own(person_id) or set(doer.heads) & set(below)):
        raise NotForThisPerson


async def _require_witness(scope: Scope, wanted: DeedIn) -> None:
    """Refuse a witness who did or files the deed, or is a present or former household member of one who does."""
    if wanted.witness_id is None:
        return
    known: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM person WHERE community_id = $1 AND id = $2 AND status = 'active')",
        scope.community_id, wanted.witness_id,
    )  # fmt: skip
    if not known:
        raise WitnessUnknown
    sides = await sides_of(scope, [wanted.person_id, wanted.witness_id])
    if any(is_family(sides[wanted.witness_id], other) for other in (sides[wanted.person_id], await side_of(scope))):
        raise WitnessTooClose


async def rule_of_day(scope: Scope, usable: RuleOut, occurred_on: date) -> RuleOut:
    """The version of a usable rule at the end of the deed's day; today's one where the rule is newer than the deed."""
    try:
        return await rule_at(scope, usable.code, min(clock.now(), last_moment_of(occurred_on)))
    except RuleNotFound:
        return usable


def last_moment_of(day: date) -> datetime:
    """The last moment of a local day: its rule counts for the day's deeds."""
    return clock.day_bounds(day)[1] - timedelta(microseconds=1)


def deed_worth(wanted: DeedIn, rule: RuleOut) -> tuple[int, str | None]:
    """The points of a deed and, where they differ from the catalogue's, the reason. Raises PointsNeedReason."""
    assert rule.points is not None
    if wanted.points is None or wanted.points == rule.points:
        return rule.points, None
    reason = (wanted.points_reason or "").strip()
    if not reason:
        raise PointsNeedReason(points=rule.points)
    return wanted.points, reason

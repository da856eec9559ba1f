"""Honour hours: entered by hand with a reason, approved by somebody else, published before they are credited."""

from datetime import datetime, timedelta
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.people.guardianship.guardians import NotGuardian
from timebank.policies.values import policies
from timebank.presence.scans.facts import PersonRow, has_consent, lock_person
from timebank.service_records.crediting.credit import Served, rule_code_of
from timebank.service_records.facts import flags_of_entered_hours, is_long_ago
from timebank.service_records.honour.notices import notify_hours_entered
from timebank.service_records.judging import whole_minutes
from timebank.service_records.reading import find_record
from timebank.service_records.records import insert_record
from timebank.service_records.schemas import HoursIn, RecordOut

LENGTH_MAX = timedelta(hours=24)


class HoursTimes(TimebankError):
    code = "hours_times"
    status = 422
    sentence = "时长不对：开始要早于结束，结束不能晚于现在，一次不超过 24 小时，至少 1 分钟。"
    constraint = ("service_record_order", "service_record_minutes")


class HoursTooOld(TimebankError):
    code = "hours_too_old"
    status = 422
    sentence = "只能补录 {days} 天以内的服务。更早的时数请管理员用表格导入，导入后由另一位核对。"


class HoursPlaceUnknown(TimebankError):
    code = "hours_place_unknown"
    status = 422
    sentence = "没有这个驿站或活动。请从本社区的里选。"


@retried
async def enter_hours(scope: Scope, wanted: HoursIn) -> RecordOut:
    """Enter hours that were served without a scan; they wait for another person's approval.

    Raises HoursTimes, HoursTooOld, HoursPlaceUnknown, NotFound, Forbidden, NotGuardian.
    """
    require_times(wanted.started_at, wanted.ended_at)
    async with transaction(scope):
        in_force = await policies(scope)
        if is_long_ago(wanted.started_at, in_force):
            raise HoursTooOld(days=in_force.honour_days_max)
        person = await lock_person(scope, wanted.person_id)
        if person is None or person.status == "left":
            raise NotFound
        await _require_right(scope, person, wanted.station_id)
        await require_activity(scope, wanted.activity_id)
        await _require_station(scope, wanted.station_id)
        if not await has_consent(scope, person, clock.now()):
            raise NotGuardian
        served = Served(
            id=clock.new_id(), kind="honour", person_id=person.id, started_at=wanted.started_at,
            ended_at=wanted.ended_at, minutes=whole_minutes(wanted.ended_at - wanted.started_at),
            rule_code=await rule_code_of(scope, wanted.activity_id), place="", day=clock.local_day(wanted.started_at),
        )  # fmt: skip
        flags = await flags_of_entered_hours(scope, served, in_force)
        await insert_record(
            scope, served, status="pending", flags=flags, activity_id=wanted.activity_id,
            station_id=wanted.station_id, reason=wanted.reason, entered_by=scope.actor_id,
        )  # fmt: skip
        await database.flush()
        await notify_hours_entered(scope, served, wanted.reason)
        return await find_record(scope, served.id)


async def _require_right(scope: Scope, person: PersonRow, station_id: UUID | None) -> None:
    """Raise Forbidden unless the caller may enter these hours.

    An administrator may enter anybody's, a keeper those at the own station, a grid worker those of the own grid's
    residents. A counter tablet may not: whoever enters hours must be known, so that they cannot approve them.
    """
    if scope.device_id is not None:
        raise Forbidden
    if scope.administers or (station_id is not None and scope.keeps(station_id)):
        return
    path = await database.fetch_value(
        "SELECT a.path FROM household h JOIN area a ON a.community_id = h.community_id AND a.id = h.area_id "
        "WHERE h.community_id = $1 AND h.id = $2",
        scope.community_id, person.household_id,
    )  # fmt: skip
    if not scope.works_in([UUID(bytes=area.bytes) for area in path or []]):
        raise Forbidden


def require_times(started_at: datetime, ended_at: datetime) -> None:
    """Raise HoursTimes unless the hours are over and last from a minute to a day."""
    if not timedelta(minutes=1) <= ended_at - started_at <= LENGTH_MAX or ended_at > clock.now():
        raise HoursTimes


async def require_activity(scope: Scope, activity_id: UUID | None) -> None:
    """Raise HoursPlaceUnknown for an activity that the community does not have."""
    if activity_id is not None and not await database.fetch_value(
        "SELECT true FROM activity WHERE community_id = $1 AND id = $2", scope.community_id, activity_id
    ):
        raise HoursPlaceUnknown


async def _require_station(scope: Scope, station_id: UUID | None) -> None:
    if station_id is not None and not await database.fetch_value(
        "SELECT true FROM station WHERE community_id = $1 AND id = $2", scope.community_id, station_id
    ):
        raise HoursPlaceUnknown

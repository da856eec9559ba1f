"""Notifications of hours that somebody else has entered or withdrawn; one message for all rows of an import."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from timebank.core.scope import Scope
from timebank.core.wording import dated_at, duration
from timebank.people.messages import Notification, notify, notify_many
from timebank.service_records.crediting.credit import Served

_OF_MANY: Mapping[str, str] = {
    "record_entered": "社区按签到表补录了您的 {times} 次服务，共 {time}，审核并公示后才计入。不对的话请找社区管理员。",
    "record_withdrawn": "补录给您的 {times} 次服务（共 {time}）撤回了，不再计入。不对的话请找社区管理员。",
}


async def notify_of_many_hours(
    scope: Scope, kind: str, minutes: Iterable[tuple[UUID, int]], key: str, import_id: UUID | None
) -> None:
    """Notify each person how many of their records, given as person and minutes, were entered or withdrawn."""
    of_person: dict[UUID, list[int]] = defaultdict(list)
    for person_id, served in minutes:
        of_person[person_id].append(served)
    tellings = [
        Notification(person_id, _OF_MANY[kind].format(times=len(served), time=duration(sum(served))), key)
        for person_id, served in of_person.items()
    ]
    await notify_many(scope, kind, tellings, import_id=import_id)


async def notify_hours_noted(scope: Scope, served: Served) -> None:
    """Notify a person of the hours that follow from something that somebody has confirmed."""
    what = f"您{dated_at(served.started_at)}起 {duration(served.minutes)}的服务有人确认了，审核并公示后才计入。"
    text = f"{what}不对的话请找社区管理员。"
    await notify(scope, served.person_id, "record_entered", text, f"service:{served.id}:entered", served.id)


async def notify_hours_entered(scope: Scope, served: Served, reason: str) -> None:
    """Notify a person whose hours somebody else has entered by hand."""
    if scope.is_own(served.person_id):
        return
    what = f"工作人员给您补录了{dated_at(served.started_at)}起 {duration(served.minutes)}的服务，审核并公示后才计入。"
    text = f"{what}理由：{reason[:300]}。不对的话请找社区管理员。"
    await notify(scope, served.person_id, "record_entered", text, f"service:{served.id}:entered", served.id)

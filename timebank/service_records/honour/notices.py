"""Notifications of hours that somebody else has entered or withdrawn; one message for all rows of an import."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.messages import Notification, notify, notify_many
from timebank.service_records.crediting.credit import Served


async def notify_of_many_hours(
    scope: Scope, kind: str, minutes: Iterable[tuple[UUID, int]], key: str, import_id: UUID | None
) -> None:
    """Notify each person how many of their records, given as person and minutes, were entered or withdrawn."""
    of_person: dict[UUID, list[int]] = defaultdict(list)
    for person_id, served in minutes:
        of_person[person_id].append(served)
    to_send = [
        Notification(person_id, phrase(kind, times=len(served), minutes=sum(served)), key)
        for person_id, served in of_person.items()
    ]
    await notify_many(scope, to_send, import_id=import_id)


async def notify_hours_noted(scope: Scope, served: Served) -> None:
    """Notify a person of the hours that follow from something that somebody has confirmed."""
    await notify(
        scope, served.person_id, "record_entered.confirmed", f"service:{served.id}:entered", served.id,
        since=served.started_at, minutes=served.minutes,
    )  # fmt: skip


async def notify_hours_entered(scope: Scope, served: Served, reason: str) -> None:
    """Notify a person whose hours somebody else has entered by hand."""
    if scope.is_own(served.person_id):
        return
    await notify(
        scope, served.person_id, "record_entered", f"service:{served.id}:entered", served.id,
        since=served.started_at, minutes=served.minutes, reason=reason,
    )  # fmt: skip

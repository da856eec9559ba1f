"""Notifications of deeds that somebody else has filed or withdrawn, to the person and to the witness."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.deeds.schemas import Deed
from timebank.people.messages import Notification, notify, notify_many


class Named(msgspec.Struct, frozen=True):
    """The people whom a deed names, and its points."""

    person_id: UUID
    witness_id: UUID | None
    points: int


async def notify_deed_filed(scope: Scope, deed: Deed) -> None:
    """Notify the person for whom somebody else has filed a deed by hand."""
    if not scope.is_own(deed.person_id):
        await notify(
            scope, deed.person_id, "deed_filed", f"deed:{deed.id}:filed", deed.id,
            rule=deed.rule, day=deed.occurred_on, area=deed.area, points=deed.points,
        )  # fmt: skip


async def notify_deeds_imported(scope: Scope, deeds: Sequence[Named], import_id: UUID) -> None:
    """Notify each person once of the deeds that an import has filed for them, and each witness of those naming them."""
    key = f"import:{import_id}:deeds"
    count, points = _of_doers(deeds)
    to_send = [
        Notification(person_id, phrase("deed_filed.imported", count=n, points=points[person_id]), key)
        for person_id, n in count.items()
    ]
    to_send += [
        Notification(person_id, phrase("deed_witness", count=n), f"{key}:witness")
        for person_id, n in _of_witnesses(deeds).items()
    ]
    await notify_many(scope, to_send, import_id=import_id)


async def notify_deeds_withdrawn(scope: Scope, deeds: Sequence[Named], key: str, import_id: UUID | None) -> None:
    """Notify each person and each witness once of their deeds that were withdrawn before a review."""
    count, points = _of_doers(deeds)
    to_send = [
        Notification(person_id, phrase("deed_withdrawn", count=n, points=points[person_id]), key)
        for person_id, n in count.items()
    ]
    to_send += [
        Notification(person_id, phrase("deed_withdrawn.witness", count=n), f"{key}:witness")
        for person_id, n in _of_witnesses(deeds).items()
    ]
    await notify_many(scope, to_send, import_id=import_id)


def _of_doers(deeds: Sequence[Named]) -> tuple[Counter[UUID], Counter[UUID]]:
    """The number of deeds of each person, and the sum of their points."""
    points: Counter[UUID] = Counter()
    for deed in deeds:
        points[deed.person_id] += deed.points
    return Counter(deed.person_id for deed in deeds), points


def _of_witnesses(deeds: Sequence[Named]) -> Counter[UUID]:
    return Counter(deed.witness_id for deed in deeds if deed.witness_id is not None)

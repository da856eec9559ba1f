"""Notifications of deeds that somebody else has filed or withdrawn, to the person and to the witness."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.core.scope import Scope
from timebank.core.wording import dated
from timebank.deeds.schemas import Deed
from timebank.people.messages import Notification, notify, notify_many


class Named(msgspec.Struct, frozen=True):
    """The people whom a deed names, and its points."""

    person_id: UUID
    witness_id: UUID | None
    points: int


async def notify_deed_filed(scope: Scope, deed: Deed) -> None:
    """Notify the person for whom somebody else has filed a deed by hand."""
    what = f"「{deed.rule}」（{dated(deed.occurred_on)}，{deed.area}）"
    if not scope.is_own(deed.person_id):
        text = f"有人给您登记了善行{what}，{deed.points} 分，审核并公示后才记分。不对的话请找社区管理员。"
        await notify(scope, deed.person_id, "deed_filed", text, f"deed:{deed.id}:filed", deed.id)


async def notify_deeds_imported(scope: Scope, deeds: Sequence[Named], import_id: UUID) -> None:
    """Notify each person once of the deeds that an import has filed for them, and each witness of those naming them."""
    key = f"import:{import_id}:deeds"
    count, points = _of_doers(deeds)
    tellings = [
        Notification(
            person_id,
            f"社区按台账登记了您的 {n} 件善行，共 {points[person_id]} 分，审核并公示后才记分。不对的话请找社区管理员。",
            key,
        )
        for person_id, n in count.items()
    ]
    await notify_many(scope, "deed_filed", tellings, import_id=import_id)
    tellings = [
        Notification(
            person_id,
            f"社区按台账登记的善行里有 {n} 件写了您是证明人。您没有见证的话，请告诉社区管理员。",
            f"{key}:witness",
        )
        for person_id, n in _of_witnesses(deeds).items()
    ]
    await notify_many(scope, "deed_witness", tellings, import_id=import_id)


async def notify_deeds_withdrawn(scope: Scope, deeds: Sequence[Named], key: str, import_id: UUID | None) -> None:
    """Notify each person and each witness once of their deeds that were withdrawn before a review."""
    count, points = _of_doers(deeds)
    tellings = [
        Notification(
            person_id,
            f"登记给您的 {n} 件善行（共 {points[person_id]} 分）撤回了，不再记分。不对的话请找社区管理员。",
            key,
        )
        for person_id, n in count.items()
    ]
    await notify_many(scope, "deed_withdrawn", tellings, import_id=import_id)
    tellings = [
        Notification(person_id, f"写您是证明人的 {n} 件善行撤回了。", f"{key}:witness")
        for person_id, n in _of_witnesses(deeds).items()
    ]
    await notify_many(scope, "deed_withdrawn", tellings, import_id=import_id)


def _of_doers(deeds: Sequence[Named]) -> tuple[Counter[UUID], Counter[UUID]]:
    """The number of deeds of each person, and the sum of their points."""
    points: Counter[UUID] = Counter()
    for deed in deeds:
        points[deed.person_id] += deed.points
    return Counter(deed.person_id for deed in deeds), points


def _of_witnesses(deeds: Sequence[Named]) -> Counter[UUID]:
    return Counter(deed.witness_id for deed in deeds if deed.witness_id is not None)

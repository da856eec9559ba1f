"""Whose deed somebody else has filed, or taken back, is told, and so is whoever is named as its witness."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank.core.scope import Scope
from timebank.core.wording import dated
from timebank.deeds.schemas import Deed
from timebank.people.messages import Telling, tell, tell_many


class Named(msgspec.Struct, frozen=True):
    """Whom a deed names, and what it is worth."""

    person_id: UUID
    witness_id: UUID | None
    points: int


async def tell_filed(scope: Scope, deed: Deed) -> None:
    """Tell who did a deed that somebody else has filed by hand; its witness is asked."""
    what = f"「{deed.rule}」（{dated(deed.occurred_on)}，{deed.area}）"
    if not scope.is_own(deed.person_id):
        text = f"有人给您登记了善行{what}，{deed.points} 分，审核并公示后才记分。不对的话请找社区管理员。"
        await tell(scope, deed.person_id, "deed_filed", text, f"deed:{deed.id}:filed", deed.id)


async def tell_filed_by_book(scope: Scope, deeds: Sequence[Named], import_id: UUID) -> None:
    """Tell once each of the deeds that the moral bank's book says of them."""
    key = f"import:{import_id}:deeds"
    count, points = _of_doers(deeds)
    tellings = [
        Telling(
            person_id,
            f"社区按台账登记了您的 {n} 件善行，共 {points[person_id]} 分，审核并公示后才记分。不对的话请找社区管理员。",
            key,
        )
        for person_id, n in count.items()
    ]
    await tell_many(scope, "deed_filed", tellings, import_id=import_id)
    tellings = [
        Telling(
            person_id,
            f"社区按台账登记的善行里有 {n} 件写了您是证明人。您没有见证的话，请告诉社区管理员。",
            f"{key}:witness",
        )
        for person_id, n in _of_witnesses(deeds).items()
    ]
    await tell_many(scope, "deed_witness", tellings, import_id=import_id)


async def tell_withdrawn(scope: Scope, deeds: Sequence[Named], key: str, import_id: UUID | None) -> None:
    """Tell once each of the deeds that were taken back before anybody had reviewed them."""
    count, points = _of_doers(deeds)
    tellings = [
        Telling(
            person_id,
            f"登记给您的 {n} 件善行（共 {points[person_id]} 分）撤回了，不再记分。不对的话请找社区管理员。",
            key,
        )
        for person_id, n in count.items()
    ]
    await tell_many(scope, "deed_withdrawn", tellings, import_id=import_id)
    tellings = [
        Telling(person_id, f"写您是证明人的 {n} 件善行撤回了。", f"{key}:witness")
        for person_id, n in _of_witnesses(deeds).items()
    ]
    await tell_many(scope, "deed_withdrawn", tellings, import_id=import_id)


def _of_doers(deeds: Sequence[Named]) -> tuple[Counter[UUID], Counter[UUID]]:
    """How many deeds each person did, and for how many points in all."""
    points: Counter[UUID] = Counter()
    for deed in deeds:
        points[deed.person_id] += deed.points
    return Counter(deed.person_id for deed in deeds), points


def _of_witnesses(deeds: Sequence[Named]) -> Counter[UUID]:
    return Counter(deed.witness_id for deed in deeds if deed.witness_id is not None)

"""Finds the uses of an import's records that prevent its undo, and describes them in sentences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.errors import TimebankError
from timebank.core.locale import _, translate
from timebank.core.scope import Scope
from timebank.imports.intake import Kind, Noun
from timebank.matters.opening.importing import used_matters
from timebank.matters.opening.later_books import ended_by_later_books, matters_ended_by
from timebank.teams.importing import changed_offers

SENTENCES: Mapping[str, str] = {
    "visited": _("{name}已经签到过"),
    "served": _("{name}已有服务记录"),
    "did_good": _("{name}已写进善行记录"),
    "redeemed": _("{name}已经兑换过物品"),
    "learns": _("{name}已有课时或课程预约"),
    "signed_up": _("{name}报名了班次"),
    "has_card": _("{name}已经办卡"),
    "consented": _("{name}的监护关系已由家长确认，或另有登记"),
    "holds_office": _("{name}后来登记了别的身份"),
    "signed_in": _("{name}已经登录过"),
    "has_account": _("{name}已有积分或时长账户"),
    "corrected": _("{name}的资料后来改过"),
    "objected": _("{name}提过异议"),
    "told": _("{name}收到过通知"),
    "reviewed_hours": _("{name} {day} 的服务时长已经审核"),
    "reviewed_deed": _("{name} {day} 的善行已经审核"),
    "moved_stock": _("{station}的“{name}”已被兑换、预留或盘点过"),
    "reported_in": _("{name}已从单位报到"),
    "spoke": _("{name}反映或承办过事项"),
    "left_unit": _("{name}的报到后来结束了"),
    "changed_skill": _("{name}的技能后来由本人改过，或看过证件"),
    "offers_skill": _("{name}登记过别的技能"),
    "handled_matter": _("事项 {name} 后来有人办过"),
    "ended_by_book": _("事项 {name} 后来的台账写着已经了结"),
}


MANY: Mapping[str, str] = {
    "visited": _("{names}等 {count} 人已经签到过"),
    "served": _("{names}等 {count} 人已有服务记录"),
    "did_good": _("{names}等 {count} 人已写进善行记录"),
    "redeemed": _("{names}等 {count} 人已经兑换过物品"),
    "learns": _("{names}等 {count} 人已有课时或课程预约"),
    "signed_up": _("{names}等 {count} 人报名了班次"),
    "has_card": _("{names}等 {count} 人已经办卡"),
    "consented": _("{names}等 {count} 人的监护关系已由家长确认，或另有登记"),
    "holds_office": _("{names}等 {count} 人后来登记了别的身份"),
    "signed_in": _("{names}等 {count} 人已经登录过"),
    "has_account": _("{names}等 {count} 人已有积分或时长账户"),
    "corrected": _("{names}等 {count} 人的资料后来改过"),
    "objected": _("{names}等 {count} 人提过异议"),
    "told": _("{names}等 {count} 人收到过通知"),
    "reviewed_hours": _("{names}等人的 {count} 次服务时长已经审核"),
    "reviewed_deed": _("{names}等人的 {count} 件善行已经审核"),
    "moved_stock": _("“{names}”等 {count} 处库存已被兑换、预留或盘点过"),
    "reported_in": _("{names}等 {count} 人已从单位报到"),
    "spoke": _("{names}等 {count} 人反映或承办过事项"),
    "left_unit": _("{names}等 {count} 人的报到后来结束了"),
    "changed_skill": _("{names}等人的 {count} 项技能后来由本人改过，或看过证件"),
    "offers_skill": _("{names}等 {count} 人登记过别的技能"),
    "handled_matter": _("{names}等 {count} 件事项后来有人办过"),
    "ended_by_book": _("{names}等 {count} 件事项后来的台账写着已经了结"),
}
"""The sentence for several traces of a kind, with their number and the first names."""

_PEOPLE = _("已经在用的居民不能当作没有登记过：登错的请到居民页逐位更正，不该在册的办理迁出。")
CURES: Mapping[str, str] = {
    "reviewed_hours": _("已审核的时长请到服务记录里逐条冲正，还没审核的逐条驳回。"),
    "reviewed_deed": _("已审核的善行请到善行页逐条冲正，还没审核的逐条驳回。"),
    "moved_stock": _("库存请到物品页盘点改正，不该兑换的物品停止兑换。"),
    "handled_matter": _("有人办过的事项请到事项页逐件办理。"),
    "ended_by_book": _("后来的台账超过 24 小时不能撤销的，请到事项页逐件办理。"),
}
"""What the community does instead of the undo, by kind of trace; for traces of people it is _PEOPLE."""
NAMED_MAX = 3


class Trace(msgspec.Struct, frozen=True):
    """One use of an imported person, record or good since the import."""

    kind: str
    values: dict[str, str]
    noun_id: UUID

    def text(self, language: str = "zh") -> str:
        return translate(SENTENCES[self.kind], language).format(**self.values)


class ImportUsed(TimebankError):
    code = "import_used"
    status = 409
    sentence = (
        "这次导入的内容已有 {count} 处用过或改过，不能整批撤销：{reasons}。后来还有导入的，请先撤销后来的。{cures}"
    )

    def __init__(self, traces: Sequence[Trace]) -> None:
        super().__init__(count=len(traces))
        self.traces = traces

    def reasons(self, language: str = "zh") -> list[str]:
        """One sentence for each kind of trace that prevents the undo."""
        kinds: dict[str, list[Trace]] = {}
        for trace in self.traces:
            kinds.setdefault(trace.kind, []).append(trace)
        return [_in_words(alike, language) for alike in kinds.values()]

    def cures(self, language: str = "zh") -> list[str]:
        """What to do instead, each sentence once."""
        return [translate(cure, language) for cure in dict.fromkeys(CURES.get(t.kind, _PEOPLE) for t in self.traces)]

    def text(self, language: str = "zh") -> str:
        self.values["reasons"] = translate(_("；"), language).join(self.reasons(language))
        self.values["cures"] = "".join(self.cures(language))
        return super().text(language)


def _in_words(alike: Sequence[Trace], language: str) -> str:
    if len(alike) == 1:
        return alike[0].text(language)
    first = alike[0]
    names = list(dict.fromkeys(trace.values["name"] for trace in alike))
    named = translate(_("、"), language).join(names[:NAMED_MAX])
    if len(names) <= NAMED_MAX and first.values.keys() == {"name"}:
        return translate(SENTENCES[first.kind], language).format(name=named)
    return translate(MANY[first.kind], language).format(names=named, count=len(alike))


Made = Mapping[Noun, Sequence[UUID]]
"""The ids of a run's records, by noun."""


async def find_traces(scope: Scope, kind: Kind, made: Made, since: datetime) -> list[Trace]:
    """The traces that prevent the undo of an import of this kind, since it began."""
    if kind == "residents":
        return await of_people(scope, made, since)
    if kind == "hours":
        return await of_hours(scope, made)
    if kind == "deeds":
        return await of_deeds(scope, made)
    if kind == "members":
        changed = await changed_offers(scope, made.get("person_skill", ()))
        return [
            *await of_people(scope, made, since),
            *await of_affiliations(scope, made),
            *(Trace("changed_skill", {"name": name}, offer_id) for offer_id, name in changed.items()),
        ]
    if kind == "matters":
        return await of_matters(scope, made)
    return await of_goods(scope, made, since)


_OF_PEOPLE = {
    "visited": "SELECT person_id FROM visit WHERE community_id = $1 AND person_id = ANY ($2)",
    "served": (
        "SELECT person_id FROM service_record WHERE community_id = $1 AND person_id = ANY ($2) "
        "AND status <> 'withdrawn'"
    ),
    "did_good": (
        "SELECT unnest(ARRAY[person_id, witness_id, filed_by]) FROM deed WHERE community_id = $1 "
        "AND (person_id = ANY ($2) OR witness_id = ANY ($2) OR filed_by = ANY ($2)) AND status <> 'withdrawn'"
    ),
    "redeemed": "SELECT person_id FROM redemption WHERE community_id = $1 AND person_id = ANY ($2)",
    "learns": (
        "SELECT unnest(ARRAY[guardian_id, child_id]) FROM class_purchase WHERE community_id = $1 "
        "AND (guardian_id = ANY ($2) OR child_id = ANY ($2)) UNION ALL "
        "SELECT unnest(ARRAY[guardian_id, child_id]) FROM booking WHERE community_id = $1 "
        "AND (guardian_id = ANY ($2) OR child_id = ANY ($2))"
    ),
    "signed_up": "SELECT person_id FROM sign_up WHERE community_id = $1 AND person_id = ANY ($2)",
    "has_card": "SELECT person_id FROM card WHERE community_id = $1 AND person_id = ANY ($2)",
    "consented": (
        "SELECT unnest(ARRAY[guardian_id, child_id]) FROM guardianship WHERE community_id = $1 "
        "AND (guardian_id = ANY ($2) OR child_id = ANY ($2)) AND (consented_at IS NOT NULL OR id <> ALL ($3))"
    ),
    "holds_office": (
        "SELECT person_id FROM role_grant WHERE community_id = $1 AND person_id = ANY ($2) AND id <> ALL ($3)"
    ),
    "signed_in": (
        "SELECT session_holders($1, $2, $4) UNION ALL "
        "SELECT person_id FROM message WHERE community_id = $1 AND person_id = ANY ($2) AND read_at IS NOT NULL"
    ),
    "has_account": "SELECT owner_id FROM account WHERE community_id = $1 AND owner_id = ANY ($2)",
    "corrected": "SELECT id FROM person WHERE community_id = $1 AND id = ANY ($2) AND corrected_at > $4",
    "objected": "SELECT person_id FROM objection WHERE community_id = $1 AND person_id = ANY ($2)",
    "reported_in": (
        "SELECT person_id FROM affiliation WHERE community_id = $1 AND person_id = ANY ($2) AND id <> ALL ($3)"
    ),
    "offers_skill": (
        "SELECT person_id FROM person_skill WHERE community_id = $1 AND person_id = ANY ($2) AND id <> ALL ($3)"
    ),
    "spoke": (
        "SELECT unnest(ARRAY[reporter_id, for_person_id, assignee_id]) FROM matter WHERE community_id = $1 "
        "AND (reporter_id = ANY ($2) OR for_person_id = ANY ($2) OR assignee_id = ANY ($2))"
    ),
    # Messages sent by an import do not count as a use; they are deleted together with the people whom it registered.
    "told": "SELECT person_id FROM message WHERE community_id = $1 AND person_id = ANY ($2) AND import_id IS NULL",
}

_PARTS = " UNION ALL ".join(f"SELECT '{kind}', part.* FROM ({sql}) AS part" for kind, sql in _OF_PEOPLE.items())  # noqa: S608  # from above


async def of_people(scope: Scope, made: Made, since: datetime) -> list[Trace]:
    """What the people of a roster have done since its import, or what others have done about them."""
    own = [one for noun in ("role_grant", "guardianship", "affiliation", "person_skill") for one in made.get(noun, ())]
    found = await database.fetch(
        f"SELECT DISTINCT p.pinyin, p.id, t.kind, p.name FROM ({_PARTS}) AS t (kind, person_id) "  # noqa: S608  # from above
        "JOIN person p ON p.community_id = $1 AND p.id = t.person_id WHERE p.id = ANY ($2) "
        "AND $3::uuid[] IS NOT NULL AND $4::timestamptz IS NOT NULL "
        "ORDER BY p.pinyin, p.id, t.kind",
        scope.community_id, list(made.get("person", ())), own, since,
    )  # fmt: skip
    return [Trace(row["kind"], {"name": row["name"]}, UUID(bytes=row["id"].bytes)) for row in found]


async def in_withdrawn(scope: Scope, person_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these people whom withdrawn records or deeds refer to, so that the person's row must stay."""
    found = await database.fetch(
        "SELECT id FROM person WHERE community_id = $1 AND id = ANY ($2) AND id IN ("
        "SELECT person_id FROM service_record WHERE community_id = $1 AND status = 'withdrawn' UNION ALL "
        "SELECT unnest(ARRAY[person_id, witness_id]) FROM deed WHERE community_id = $1 AND status = 'withdrawn') "
        "ORDER BY id",
        scope.community_id, list(person_ids),
    )  # fmt: skip
    return [UUID(bytes=row["id"].bytes) for row in found]


async def of_affiliations(scope: Scope, made: Made) -> list[Trace]:
    """Those of these reportings-in that have been ended since."""
    found = await database.fetch(
        "SELECT a.id, p.name FROM affiliation a JOIN person p ON p.community_id = a.community_id "
        "AND p.id = a.person_id WHERE a.community_id = $1 AND a.id = ANY ($2) AND a.ended_on IS NOT NULL "
        "ORDER BY p.pinyin, a.id",
        scope.community_id, list(made.get("affiliation", ())),
    )  # fmt: skip
    return [Trace("left_unit", {"name": row["name"]}, UUID(bytes=row["id"].bytes)) for row in found]


async def of_matters(scope: Scope, made: Made) -> list[Trace]:
    """The matters that the book has entered or ended and that somebody has acted on, or that a later book has ended."""
    entered = made.get("matter", ())
    used = await used_matters(scope, [*entered, *await matters_ended_by(scope, made.get("matter_step", ()))])
    ended = await ended_by_later_books(scope, entered)
    return [
        *(Trace("handled_matter", {"name": number}, matter_id) for matter_id, number in used.items()),
        *(Trace("ended_by_book", {"name": number}, matter_id) for matter_id, number in ended.items()),
    ]


async def of_hours(scope: Scope, made: Made) -> list[Trace]:
    """The service records that were reviewed. Withdrawn ones do not count, so that a stopped undo can continue."""
    found = await database.fetch(
        "SELECT r.id, p.name, r.started_at FROM service_record r JOIN person p ON p.community_id = r.community_id "
        "AND p.id = r.person_id WHERE r.community_id = $1 AND r.id = ANY ($2) "
        "AND r.status NOT IN ('pending', 'withdrawn') ORDER BY r.started_at, r.id",
        scope.community_id, list(made.get("service_record", ())),
    )  # fmt: skip
    return [
        Trace(
            "reviewed_hours", {"name": row["name"], "day": clock.local_day(row["started_at"]).isoformat()}, row["id"]
        )
        for row in found
    ]  # fmt: skip


async def of_deeds(scope: Scope, made: Made) -> list[Trace]:
    """The deeds that were reviewed. Withdrawn ones do not count, so that a stopped undo can continue."""
    found = await database.fetch(
        "SELECT d.id, p.name, d.occurred_on FROM deed d JOIN person p ON p.community_id = d.community_id "
        "AND p.id = d.person_id WHERE d.community_id = $1 AND d.id = ANY ($2) "
        "AND d.status NOT IN ('filed', 'withdrawn') ORDER BY d.occurred_on, d.id",
        scope.community_id, list(made.get("deed", ())),
    )  # fmt: skip
    return [
        Trace("reviewed_deed", {"name": row["name"], "day": row["occurred_on"].isoformat()}, row["id"]) for row in found
    ]


async def of_goods(scope: Scope, made: Made, since: datetime) -> list[Trace]:
    """The goods and stocks of the list with a stock move since that is not the import's own."""
    found = await database.fetch(
        "SELECT DISTINCT g.name, s.name AS station, g.id FROM stock_move later "
        "JOIN good g ON g.community_id = $1 AND g.id = later.good_id "
        "JOIN station s ON s.community_id = $1 AND s.id = later.station_id "
        "WHERE later.community_id = $1 AND later.moved_at >= $4 AND later.id <> ALL ($2) "
        "AND later.reason <> 'import_undone' "
        "AND (later.good_id = ANY ($3) OR EXISTS ("
        "  SELECT FROM stock_move own WHERE own.community_id = $1 AND own.id = ANY ($2) "
        "  AND own.good_id = later.good_id AND own.station_id = later.station_id)) ORDER BY 1, 2",
        scope.community_id, list(made.get("stock_move", ())), list(made.get("good", ())), since,
    )  # fmt: skip
    return [Trace("moved_stock", {"name": row["name"], "station": row["station"]}, row["id"]) for row in found]

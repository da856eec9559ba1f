"""Records that wait for a review, as the inbox lists them and decides many of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.agreements.deciders import administrators_apart_from_each, nearest
from timebank.agreements.independence import near
from timebank.core import database, settings
from timebank.core.database import Filters, most, transaction
from timebank.core.locale import _, translate
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import note_in_words
from timebank.inbox.groups import Batch, decidable_groups
from timebank.inbox.kinds import MANY_MAX, Asked, Decidable, Group, Item, add_asked, batches, undecided
from timebank.presence.words import FLAGS
from timebank.service_records.reviews.deciding import scanned_by

FORGOTTEN = "forgotten_check_out"
ALONE = _("要逐条核实")
_SHOWN = (
    "SELECT r.id, r.kind, r.person_id, p.name AS person, a.name AS activity, s.name AS station, r.started_at, "
    "r.ended_at, r.minutes, r.flags, r.reason, r.reason_said, r.visit_id, r.entered_by, r.corrected_by, r.source_kind, "
    "r.created_at, r.flags = '{}' AS clean FROM service_record r "
    "JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id "
    "LEFT JOIN activity a ON a.community_id = r.community_id AND a.id = r.activity_id "
    "LEFT JOIN station s ON s.community_id = r.community_id AND s.id = r.station_id "
    "WHERE r.community_id = $1 AND r.status = 'pending'"
)


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who took part in a record: those must not decide it."""

    id: UUID
    person_id: UUID
    entered_by: UUID | None
    corrected_by: UUID | None
    visit_id: UUID | None
    doubtful: bool = False
    forgotten: bool = False


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str
    person_id: UUID
    person: str
    activity: str | None
    station: str | None
    started_at: datetime
    ended_at: datetime
    minutes: int
    flags: list[str]
    reason: str | None
    reason_said: str | None
    visit_id: UUID | None
    entered_by: UUID | None
    corrected_by: UUID | None
    source_kind: str | None
    created_at: datetime
    clean: bool

    @property
    def party(self) -> Party:
        return Party(
            id=self.id, person_id=self.person_id, entered_by=self.entered_by, corrected_by=self.corrected_by,
            visit_id=self.visit_id,
        )  # fmt: skip


def _asked(scope: Scope, asked: Asked) -> Filters:
    to = Filters(scope.community_id)
    add_asked(asked, to, row="r", at="r.started_at", flags="r.flags")
    return to


async def listing(
    scope: Scope, asked: Asked, limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[Item]:
    """The records that wait, flagged ones first, then the oldest; each with who may decide it if the caller may not."""
    scope.require_reader()
    to = _asked(scope, asked)
    to.add_after("r.flags = '{{}}', r.created_at, r.id", ">", read_cursor(cursor, tuple[bool, datetime, UUID]))
    order = f"ORDER BY (r.flags = '{{}}'), r.created_at, r.id LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(_Row, f"{_SHOWN}{to.sql} {order}", *to.values)
        kept = make_page(found, limit, lambda row: (row.clean, row.created_at, row.id))
        mine = await decidable_among(scope, [row.party for row in kept.items])
        others = [row for row in kept.items if row.id not in mine]
        named = await administrators_apart_from_each(
            scope, [[row.person_id, row.entered_by, row.corrected_by] for row in others]
        )
    who = {row.id: [o.in_words(language) for o in chosen] for row, chosen in zip(others, named, strict=True)}
    return Page([_item(row, language, who) for row in kept.items], kept.next)


def _item(row: _Row, language: str, who: dict[UUID, list[str]]) -> Item:
    reason = note_in_words(row.reason_said, row.reason, language)
    return Item(
        id=row.id,
        title=row.person,
        what=[word for word in (row.activity or translate("志愿服务", language), row.station) if word],
        began_at=row.started_at,
        ended_at=row.ended_at,
        minutes=row.minutes,
        doubts=[translate(FLAGS.get(flag, flag), language) for flag in row.flags],
        notes=[reason] if reason else [],
        mine=row.id not in who,
        alone=translate(ALONE, language) if FORGOTTEN in row.flags else "",
        who=who.get(row.id, []),
    )


async def decidable_among(scope: Scope, parties: Sequence[Party]) -> set[UUID]:
    """The ids of those that the caller may decide: no own, household's, entered, corrected or scanned ones."""
    if not scope.administers:
        return set()
    async with transaction(scope), database.gathering() as reads:
        acted = reads.start(near(scope, {person for each in parties for person in (each.person_id, each.entered_by)}))
        corrections = reads.start(near(scope, {each.corrected_by for each in parties}))
        hands = reads.start(scanned_by(scope, [each.visit_id for each in parties]))
    close, corrected, scanned = acted.result(), corrections.result(), hands.result()
    return {
        each.id
        for each in parties
        if each.visit_id not in scanned
        and close.is_uninvolved([each.entered_by or each.person_id], [each.person_id])
        and corrected.is_uninvolved([each.corrected_by])
    }


async def _parties(scope: Scope, asked: Asked) -> list[Party]:
    """The records that match, flagged ones first, then the oldest; one more than MANY_MAX if there are more."""
    to = _asked(scope, asked)
    return await database.rows(
        Party,
        "SELECT r.id, r.person_id, r.entered_by, r.corrected_by, r.visit_id, r.flags <> '{}' AS doubtful, "  # noqa: S608  # conditions of the program
        f"'{FORGOTTEN}' = ANY (r.flags) AS forgotten "
        f"FROM service_record r WHERE r.community_id = $1 AND r.status = 'pending'{to.sql} "
        f"ORDER BY (r.flags = '{{}}'), r.created_at, r.id LIMIT {most(MANY_MAX + 1)}",
        *to.values,
    )


async def decidable(scope: Scope, asked: Asked) -> Decidable:
    """How many records wait and which the caller may decide, in the order in which their people are locked."""
    scope.require_reader()
    to = _asked(scope, asked)
    async with transaction(scope):
        found = await _parties(scope, asked)
        looked_at = found[:MANY_MAX]
        waiting = len(found)
        if len(found) > MANY_MAX:
            waiting = await database.fetch_value(
                f"SELECT count(*) FROM service_record r WHERE r.community_id = $1 AND r.status = 'pending'{to.sql}",  # noqa: S608  # conditions of the program
                *to.values,
            )
        mine = await decidable_among(scope, looked_at)
    chosen = [each for each in looked_at if each.id in mine and not each.forgotten]
    chosen.sort(key=lambda each: (each.person_id, each.id))
    return Decidable(
        waiting, sum(each.doubtful for each in looked_at), len(mine), [each.id for each in chosen],
        len(found) > MANY_MAX,
    )  # fmt: skip


async def groups(scope: Scope, language: str = "zh") -> list[Group]:
    """What waits of each import, newest first; who may decide it where the caller has entered it."""
    scope.require_reader()
    made = batches()
    if made is None:
        return []
    async with transaction(scope):
        found = await database.rows(
            Batch,
            "SELECT made.batch_id, count(*) AS waiting, count(DISTINCT r.person_id) AS people, "  # noqa: S608  # conditions of the program
            "count(*) FILTER (WHERE r.flags <> '{}') AS doubtful, sum(r.minutes)::bigint AS minutes, "
            "min((r.started_at AT TIME ZONE $2)::date) AS since, max((r.started_at AT TIME ZONE $2)::date) AS until, "
            "array_remove(array_agg(DISTINCT r.entered_by), NULL) AS entered "
            f"FROM service_record r JOIN ({made.rows}) AS made ON made.noun_id = r.id "
            f"WHERE r.community_id = $1 AND r.status = 'pending' AND {undecided('r.id')} "
            f"GROUP BY made.batch_id ORDER BY max(r.created_at) DESC, made.batch_id LIMIT {most(50)}",
            scope.community_id,
            settings.current().time_zone.key,
        )
        return await decidable_groups(scope, found, language)


async def _decidable_ids(scope: Scope) -> set[UUID]:
    async with transaction(scope):
        return await decidable_among(scope, await _parties(scope, Asked()))


class _Entered(msgspec.Struct, frozen=True):
    people: list[UUID]
    waiting: int


async def others(scope: Scope) -> dict[tuple[UUID, UUID], int]:
    """How many of the records that the caller may not decide each of the nearest administrators may, by (home, id)."""
    mine = await _decidable_ids(scope)
    async with transaction(scope):
        found = await database.rows(
            _Entered,
            "SELECT array_remove(ARRAY[r.person_id, r.entered_by, r.corrected_by], NULL) AS people, "  # noqa: S608  # conditions of the program
            "count(*) AS waiting FROM service_record r WHERE r.community_id = $1 AND r.status = 'pending' "
            f"AND NOT r.id = ANY ($2) AND {undecided('r.id')} GROUP BY 1 LIMIT {most(MANY_MAX)}",
            scope.community_id, list(mine),
        )  # fmt: skip
        named = await administrators_apart_from_each(scope, [each.people for each in found])
    counted: Counter[tuple[UUID, UUID]] = Counter()
    for each, chosen in zip(found, named, strict=True):
        for officer in nearest(chosen):
            counted[officer.home_id, officer.person_id] += each.waiting
    return dict(counted)

"""The categories of a community: written when it switches matters on, then changed by its administrators."""

import hashlib
import re
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.kinds import Change
from timebank.agreements.proposing import done_alone, propose
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database, names
from timebank.core.capability import hook
from timebank.core.database import Question, retried, transaction
from timebank.core.errors import Conflict, Invalid, NotFound, TimebankError
from timebank.core.locale import _, translate
from timebank.core.scope import Scope
from timebank.matters.categories.defaults import DEFAULTS
from timebank.matters.categories.loosening import (
    CATEGORY_BEFORE,
    LOOSER_CATEGORY,
    is_looser_category,
    least_days,
    said_of,
    terms_of,
)
from timebank.matters.schemas import CategoryIn, MatterKind, MatterLevel
from timebank.matters.words import KINDS
from timebank.units.units import is_unit_of_county


class CategoryNameTaken(Conflict):
    code = "category_name_taken"
    sentence = "已经有同名的类别了，请换个名称，或直接改原来的。"
    constraint = "matter_category_name_unique"


class NobodyDispatches(TimebankError):
    code = "nobody_dispatches"
    status = 422
    sentence = "社区还没有网格长或社区管理员，收到的事没有人派。请先设好再打开“事项”。"


class CategoryOut(msgspec.Struct, frozen=True, kw_only=True):
    """A category of matters. `due_days` are days or workdays, by `due_counts`; `advice` is shown before sending."""

    code: str
    name: str
    kinds: list[MatterKind]
    due_days: int
    due_counts: str
    level: MatterLevel
    unit_id: UUID | None
    unit: str | None
    team_id: UUID | None
    team: str | None
    activity_id: UUID | None
    public: bool
    staff_only: bool
    needs_photo: bool
    minutes_max: int | None
    urgent: bool
    advice: str
    standard_code: str | None
    active: bool


_CATEGORY = (
    "SELECT c.code, c.name, c.kinds::text[] AS kinds, c.due_days, c.due_counts, c.level, c.unit_id, "
    "u.name AS unit, c.team_id, t.name AS team, c.activity_id, c.public, c.staff_only, c.needs_photo, c.minutes_max, "
    "c.urgent, c.advice, c.standard_code, c.active FROM matter_category c LEFT JOIN unit u ON u.id = c.unit_id "
    "LEFT JOIN team t ON t.community_id = c.community_id AND t.id = c.team_id WHERE c.community_id = $1"
)


async def list_categories(
    scope: Scope, *, kind: MatterKind | None = None, inactive: bool = False, language: str = "zh"
) -> list[CategoryOut]:
    """The categories in use in their order; administrators may ask for the others too."""
    scope.require_use("matters")
    asked = database.Filters(scope.community_id)
    if not (inactive and scope.reads_all):
        asked.add("c.active")
    asked.add_given("{} = ANY (c.kinds)", kind)
    async with transaction(scope):
        found = await database.rows(CategoryOut, f"{_CATEGORY}{asked.sql} ORDER BY c.place, c.code", *asked.values)
    return [_worded(each, language) for each in found]


def _worded(category: CategoryOut, language: str) -> CategoryOut:
    return msgspec.structs.replace(
        category, name=translate(category.name, language), advice=translate(category.advice, language)
    )


def category_question(scope: Scope, code: str) -> Question:
    """The question for a category, also one that is not in use any more, to be asked with others."""
    return database.one(_CATEGORY + " AND c.code = $2", scope.community_id, code)


async def find_category(scope: Scope, code: str) -> CategoryOut:
    """A category of the community, also one that is not in use any more. Raises NotFound."""
    async with transaction(scope):
        found = await database.row(CategoryOut, _CATEGORY + " AND c.code = $2", scope.community_id, code)
    if found is None:
        raise NotFound
    return found


@retried
async def put_category(scope: Scope, code: str, wanted: CategoryIn) -> CategoryOut | Waiting:
    """Add a category, or change it from now on: what was opened before keeps its due date.

    What becomes later, needs less proof or lets orders earn more waits as a whole for a second person (`Waiting`).
    Before the community's first ledger entry a second person sees it afterwards. Raises Forbidden, CategoryNameTaken,
    Invalid.
    """
    scope.require_use("matters")
    scope.require_admin()
    wanted = msgspec.structs.replace(wanted, name=names.required(wanted.name, _("名称是空的，请填上。")))
    async with transaction(scope):
        await _require_known(scope, wanted)
        stands = await _in_force(scope, code)
        before, longest = terms_of(stands) if stands else None, await _longest_in_use(scope)
        if not scope.system and is_looser_category(before, terms_of(wanted), longest):
            says = said_of(wanted, before, await _activity_name(scope, wanted.activity_id))
            if await hook("has_credited")(scope):
                await _require_free_name(scope, code, wanted.name)
                do = {"code": code, "category": msgspec.to_builtins(wanted)}
                return await propose(scope, LOOSER_CATEGORY, code, do, says, before=stands)
            await done_alone(scope, CATEGORY_BEFORE, code, says)
        await _write(scope, code, wanted)
        return await find_category(scope, code)


async def new_code(scope: Scope, name: str) -> str:
    """A code for a new category that nobody has to think of: its name in Latin letters, and something of its own.

    The same name proposed twice has the same code, unless its category was renamed. Raises CategoryNameTaken.
    """
    letters = "_".join(re.findall("[a-z0-9]+", names.pinyin(name)))[:30]
    code = f"{letters}_{hashlib.sha256(name.encode()).hexdigest()[:6]}".strip("_")
    async with transaction(scope):
        stands = await _in_force(scope, code)
    if stands is None:
        return code
    if stands.name == name:
        raise CategoryNameTaken
    return f"{letters}_{clock.new_id().hex[-6:]}".strip("_")


async def _in_force(scope: Scope, code: str) -> CategoryIn | None:
    """A category as it is now, or None where there is none with this code."""
    found = await database.row(CategoryOut, _CATEGORY + " AND c.code = $2", scope.community_id, code)
    return None if found is None else _as_wanted(found)


def _as_wanted(category: CategoryOut) -> CategoryIn:
    return CategoryIn(**{name: getattr(category, name) for name in CategoryIn.__struct_fields__})


async def _longest_in_use(scope: Scope) -> dict[MatterKind, int]:
    """By kind of matter, the longest term, in days, of the categories in use."""
    longest: dict[MatterKind, int] = {}
    for one in await database.rows(CategoryOut, _CATEGORY + " AND c.active", scope.community_id):
        for kind in one.kinds:
            longest[kind] = max(longest.get(kind, 0), least_days(terms_of(_as_wanted(one))))
    return longest


async def _activity_name(scope: Scope, activity_id: UUID | None) -> str:
    found: str = await database.fetch_value(
        "SELECT coalesce((SELECT name FROM activity WHERE community_id = $1 AND id = $2), '')",
        scope.community_id, activity_id,
    )  # fmt: skip
    return found


async def _require_free_name(scope: Scope, code: str, name: str) -> None:
    """Raise CategoryNameTaken now rather than when a second person agrees."""
    taken: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM matter_category WHERE community_id = $1 AND name = $2 AND code <> $3)",
        scope.community_id, name, code,
    )  # fmt: skip
    if taken:
        raise CategoryNameTaken


async def set_agreed_category(scope: Scope, change: Change) -> None:
    """Put the category as it was proposed, once a second person has agreed. Raises CategoryNameTaken, Invalid."""
    wanted = msgspec.convert(change.do["category"], CategoryIn)
    await _require_known(scope, wanted)
    await _write(scope, change.do["code"], wanted)


async def category_in_force(scope: Scope, do: Any) -> object:
    """The category of a proposal as it is now, with everything that agreeing would set; None where there is none."""
    return msgspec.to_builtins(await _in_force(scope, do["code"]))


async def _write(scope: Scope, code: str, wanted: CategoryIn) -> None:
    await database.execute(
        "INSERT INTO matter_category AS c (community_id, code, name, pinyin, kinds, due_days, due_counts, level, "
        "unit_id, team_id, activity_id, public, staff_only, needs_photo, minutes_max, urgent, advice, "
        "standard_code, active, place, created_at) VALUES ($1, $2, $3, $4, $5::text[], $6, $7, $8, $9, $10, $11, "
        "$12, $13, $14, $15, $16, $17, $18, $19, "
        "(SELECT coalesce(max(o.place), 0) + 1 FROM matter_category o WHERE o.community_id = $1), $20) "
        "ON CONFLICT (community_id, code) DO UPDATE SET name = $3, pinyin = $4, kinds = $5::text[], due_days = $6, "
        "due_counts = $7, level = $8, unit_id = $9, team_id = $10, activity_id = $11, public = $12, "
        "staff_only = $13, needs_photo = $14, minutes_max = $15, urgent = $16, advice = $17, standard_code = $18, "
        "active = $19",
        scope.community_id, code, wanted.name, names.pinyin(wanted.name),
        [kind for kind in KINDS if kind in wanted.kinds],
        wanted.due_days, wanted.due_counts, wanted.level, wanted.unit_id, wanted.team_id, wanted.activity_id,
        wanted.public, wanted.staff_only, wanted.needs_photo, wanted.minutes_max, wanted.urgent,
        wanted.advice.strip(), wanted.standard_code, wanted.active, clock.now(),
    )  # fmt: skip
    changed = {field: getattr(wanted, field) for field in wanted.__struct_fields__ if field != "name"}
    await audit.record(scope, "put_category", "matter_category", None, code=code, **changed)


async def _require_known(scope: Scope, wanted: CategoryIn) -> None:
    """Raise Invalid for a unit, team or activity that the community does not have."""
    if wanted.unit_id and not await is_unit_of_county(scope, wanted.unit_id):
        raise Invalid(why=_("没有这个单位"))
    known: bool = await database.fetch_value(
        "SELECT ($2::uuid IS NULL OR EXISTS (SELECT FROM team WHERE community_id = $1 AND id = $2)) "
        "AND ($3::uuid IS NULL OR EXISTS (SELECT FROM activity WHERE community_id = $1 AND id = $3))",
        scope.community_id, wanted.team_id, wanted.activity_id,
    )  # fmt: skip
    if not known:
        raise Invalid(why=_("没有这个班组或活动"))


async def switched_on(scope: Scope) -> None:
    """Write the categories that the community begins with, once it has a grid head or an administrator.

    Raises NobodyDispatches.
    """
    served: bool = await database.fetch_value(
        "SELECT community_has_dispatcher($1, $2)", scope.community_id, clock.local_day()
    )
    if not served:
        raise NobodyDispatches
    await add_defaults(scope)


async def add_defaults(scope: Scope) -> None:
    """Write the categories that a community begins with, in the open transaction; one that is there stays."""
    await database.insert_many(
        "matter_category",
        (
            "community_id", "code", "name", "pinyin", "kinds", "due_days", "due_counts", "level", "public",
            "staff_only", "needs_photo", "minutes_max", "urgent", "advice", "place", "created_at",
        ),
        [
            (
                scope.community_id, each.code, each.name, names.pinyin(each.name), list(each.kinds), each.days,
                "workday" if each.workdays else "day", each.level, each.public, each.staff_only, each.needs_photo,
                each.minutes_max, each.urgent, each.advice, place, clock.now(),
            )
            for place, each in enumerate(DEFAULTS, 1)
        ],
        "ON CONFLICT DO NOTHING",
    )  # fmt: skip

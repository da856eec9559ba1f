"""The catalogue of earning rules, in versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import done_alone, propose
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database, names
from timebank.core.database import Filters, Question, most, retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.pinyin.spelling import pinyin_of
from timebank.core.scope import Scope
from timebank.ledger.totals import has_credited
from timebank.rules.looser import is_looser_rule
from timebank.rules.schemas import RuleIn, RuleOut
from timebank.rules.tables import Rule
from timebank.rules.triggers import require_free_trigger
from timebank.rules.words import rule_in_words

CODE_MAX = 40


class RuleNotFound(TimebankError):
    code = "rule_not_found"
    status = 404
    sentence = "没有这条积分规则，或它已停用。请在积分规则里选一条在用的。"


class RuleKindFixed(TimebankError):
    code = "rule_kind_fixed"
    status = 422
    sentence = "规则 {name} 已经用于另一类积分，不能换类。请用新名称另立一条。"


class RuleIncomplete(TimebankError):
    code = "rule_incomplete"
    status = 422
    sentence = "服务规则要写几分钟换 1 分，善行规则要写积多少分；两样只写一样。"


class RuleOfDeedsOnly(TimebankError):
    code = "rule_of_deeds_only"
    status = 422
    sentence = "自动登记和公示天数只用在善行规则上。服务规则请把这两样空着。"


class RuleTooEarly(TimebankError):
    code = "rule_too_early"
    status = 422
    sentence = "规则从现在起或以后生效，不能改过去。请换一个生效时间。"


class RuleChangedMeanwhile(TimebankError):
    code = "rule_changed_meanwhile"
    status = 409
    sentence = "刚才有人也改了这条规则。请看过新的一版再改。"
    constraint = "rule_pkey"


RULE_COLUMNS = (
    "code, version, kind, name, minutes_per_point, points, unit, cap_period, cap_per_person, cap_per_area, active, "
    "valid_from, changed_by, trigger, notice_days"
)


def with_words(rule: RuleOut) -> RuleOut:
    return msgspec.structs.replace(rule, text=rule_in_words(rule))


async def rule_at(scope: Scope, code: str, moment: datetime) -> RuleOut:
    """The version of a rule that was in force at a moment: the newest of those that had begun. Raises RuleNotFound.

    It may be an ended one (`active` False), which is needed for earlier records.
    """
    async with transaction(scope):
        found = await database.row(
            RuleOut,
            f"SELECT {RULE_COLUMNS} FROM rule WHERE community_id = $1 AND code = $2 AND valid_from <= $3 "  # noqa: S608  # own columns
            "ORDER BY version DESC LIMIT 1",
            scope.community_id, code, moment,
        )  # fmt: skip
    if found is None:
        raise RuleNotFound
    return with_words(found)


def rule_of_day_question(scope: Scope, code: str, last_moment: datetime) -> Question:
    """The question for the version in force at the end of a day; the newest one where the rule is newer than that."""
    return database.one(
        f"SELECT {RULE_COLUMNS} FROM rule WHERE community_id = $1 AND code = $2 AND valid_from <= $3 "  # noqa: S608  # own columns
        "ORDER BY valid_from <= $4 DESC, version DESC LIMIT 1",
        scope.community_id, code, clock.now(), last_moment,
    )  # fmt: skip


async def usable_rule(scope: Scope, code: str, kind: str) -> RuleOut:
    """The rule in force now, if new records may use it. Raises RuleNotFound if it has ended or is of another kind."""
    rule = await rule_at(scope, code, clock.now())
    if not rule.active or rule.kind != kind:
        raise RuleNotFound
    return rule


async def rules(
    scope: Scope, *, kind: str | None = None, active: bool | None = None, limit: int = 200, cursor: str | None = None
) -> Page[RuleOut]:
    """The rules in the version that is in force now, sorted by code."""
    asked = Filters(scope.community_id, clock.now())
    asked.add_after("code", ">", read_cursor(cursor, tuple[str]))
    asked.add_given("kind = {}", kind)
    asked.add_given("active = {}", active)
    async with transaction(scope):
        found = await database.rows(
            RuleOut,
            f"SELECT {RULE_COLUMNS} FROM (SELECT DISTINCT ON (code) {RULE_COLUMNS} FROM rule "  # noqa: S608  # own columns
            "WHERE community_id = $1 AND valid_from <= $2 ORDER BY code, version DESC) AS newest "
            f"WHERE true{asked.sql} ORDER BY code LIMIT {most(limit + 1)}",
            *asked.values,
        )
    return make_page([with_words(rule) for rule in found], limit, lambda rule: (rule.code,))


async def versions(scope: Scope, code: str) -> list[RuleOut]:
    """Every version of a rule, newest first, including those that have not begun. Raises RuleNotFound."""
    async with transaction(scope):
        found = await _versions(scope, code)
    if not found:
        raise RuleNotFound
    return [with_words(rule) for rule in found]


async def _versions(scope: Scope, code: str) -> list[RuleOut]:
    return await database.rows(
        RuleOut,
        f"SELECT {RULE_COLUMNS} FROM rule WHERE community_id = $1 AND code = $2 ORDER BY version DESC",  # noqa: S608  # own columns
        scope.community_id, code,
    )  # fmt: skip


async def every_version(scope: Scope, kind: str) -> list[RuleOut]:
    """Every begun version of the rules of a kind, sorted by code and version; includes ended rules."""
    async with transaction(scope):
        return await database.rows(
            RuleOut,
            f"SELECT {RULE_COLUMNS} FROM rule WHERE community_id = $1 AND kind = $2 AND valid_from <= $3 "  # noqa: S608  # own columns
            "ORDER BY code, version",
            scope.community_id, kind, clock.now(),
        )  # fmt: skip


@retried
async def set_rule(scope: Scope, wanted: RuleIn) -> RuleOut | Waiting:
    """Store a new rule, or the next version of the rule with this code.

    Earlier versions stay unchanged, so every credit keeps its reason. A rule that gives more than every present rule of
    its kind, or that lifts a cap, waits for a second person of a higher level; before the community's first ledger
    entry its administrator sets it alone, and a second person sees the list afterwards. Raises RuleIncomplete,
    RuleTooEarly, RuleKindFixed, RuleChangedMeanwhile, RuleOfDeedsOnly, TriggerTaken, Invalid.
    """
    scope.require_admin()
    wanted = _checked(wanted)
    async with transaction(scope):
        wanted = msgspec.structs.replace(wanted, code=wanted.code or await _free_code(scope, wanted.name))
        assert wanted.code is not None
        known = await _versions(scope, wanted.code)
        newest = known[0] if known else None
        if newest is not None and newest.kind != wanted.kind:
            raise RuleKindFixed(name=newest.name)
        await require_free_trigger(scope, wanted)
        if not scope.system and await is_looser_rule(scope, wanted, known):
            says = {"name": wanted.name, "points": wanted.points, "minutes": wanted.minutes_per_point}
            if wanted.trigger is not None or wanted.notice_days is not None:
                says["earns"] = _worth_in_words(wanted)
            if await has_credited(scope):
                return await propose(
                    scope, LOOSER_RULE, wanted.code, wanted, {"name": wanted.name, "earns": _worth_in_words(wanted)},
                    before=newest.version if newest else None,
                )  # fmt: skip
            await done_alone(scope, RULE_BEFORE, wanted.code, says)
        return await _write(scope, wanted, newest, scope.person_id)


def _checked(wanted: RuleIn) -> RuleIn:
    """The rule with a clean name. Raises RuleIncomplete, RuleOfDeedsOnly, RuleTooEarly, or Invalid without a name."""
    worth = (wanted.minutes_per_point, None) if wanted.kind == "service" else (None, wanted.points)
    if worth == (None, None) or worth != (wanted.minutes_per_point, wanted.points):
        raise RuleIncomplete
    if wanted.kind != "deed" and (wanted.trigger, wanted.notice_days) != (None, None):
        raise RuleOfDeedsOnly
    name = names.required(wanted.name, _("规则要有名称"))
    if wanted.valid_from is not None and wanted.valid_from < clock.now():
        raise RuleTooEarly
    return msgspec.structs.replace(wanted, name=name)


def _worth_in_words(wanted: RuleIn) -> str:
    """What the rule would give, in Chinese, as it is stored for the person who decides."""
    shown = RuleOut(
        code=wanted.code or "", version=0, kind=wanted.kind, name=wanted.name,
        minutes_per_point=wanted.minutes_per_point, points=wanted.points, unit=wanted.unit,
        cap_period=wanted.cap_period, cap_per_person=wanted.cap_per_person, cap_per_area=wanted.cap_per_area,
        active=True, valid_from=clock.now(), changed_by=None, trigger=wanted.trigger, notice_days=wanted.notice_days,
    )  # fmt: skip
    return rule_in_words(shown)


async def _write(scope: Scope, wanted: RuleIn, newest: RuleOut | None, by: UUID | None) -> RuleOut:
    assert wanted.code is not None
    version = newest.version + 1 if newest else 1
    await Rule.insert(
        Rule(
            community_id=scope.community_id, code=wanted.code, version=version, kind=wanted.kind,
            name=wanted.name, minutes_per_point=wanted.minutes_per_point, points=wanted.points,
            unit=wanted.unit, cap_period=wanted.cap_period, cap_per_person=wanted.cap_per_person,
            cap_per_area=wanted.cap_per_area, active=wanted.active,
            valid_from=max(wanted.valid_from or clock.now(), clock.now()), changed_by=by,
            trigger=wanted.trigger, notice_days=wanted.notice_days,
        )
    )  # fmt: skip
    await audit.record(
        scope, "set_rule", "rule", None, code=wanted.code, version=version, active=wanted.active,
        minutes_per_point=wanted.minutes_per_point, points=wanted.points, trigger=wanted.trigger,
        notice_days=wanted.notice_days,
    )  # fmt: skip
    written = await _newest(scope, wanted.code)
    assert written is not None
    return with_words(written)


async def set_agreed_rule(scope: Scope, change: Change) -> None:
    wanted = msgspec.convert(change.do, RuleIn)
    assert wanted.code is not None
    await require_free_trigger(scope, wanted)
    await _write(scope, wanted, await _newest(scope, wanted.code), change.by)


async def version_now(scope: Scope, do: Any) -> int | None:
    newest = await _newest(scope, do["code"])
    return newest.version if newest else None


async def _newest(scope: Scope, code: str) -> RuleOut | None:
    return await database.row(
        RuleOut,
        f"SELECT {RULE_COLUMNS} FROM rule WHERE community_id = $1 AND code = $2 ORDER BY version DESC LIMIT 1",  # noqa: S608  # own columns
        scope.community_id, code,
    )  # fmt: skip


async def _free_code(scope: Scope, name: str) -> str:
    """An unused rule code made from the pinyin of the name: 楼道巡查 becomes lou-dao-xun-cha."""
    letters = "-".join(part for part in pinyin_of(name) if part.isascii() and part.isalnum())
    base = (letters.lower() or "rule")[: CODE_MAX - 4]
    taken = await database.fetch(
        "SELECT DISTINCT code FROM rule WHERE community_id = $1 AND starts_with(code, $2)", scope.community_id, base
    )
    used = {row["code"] for row in taken}
    return base if base not in used else next(f"{base}-{n}" for n in range(2, 1000) if f"{base}-{n}" not in used)


async def rule_names(scope: Scope, codes: Sequence[str]) -> dict[tuple[str, int], str]:
    """The names of these rules, for each version."""
    if not codes:
        return {}
    async with transaction(scope):
        found = await database.fetch(
            "SELECT code, version, name FROM rule WHERE community_id = $1 AND code = ANY ($2)",
            scope.community_id, list(codes),
        )  # fmt: skip
    return {(row["code"], row["version"]): row["name"] for row in found}


LOOSER_RULE = Kind(name="looser_rule", sentence=_("积分规则“{name}”改成：{earns}"))
RULE_BEFORE = Kind(
    name="rule_before", sentence=_("积分规则“{name}”由一个人定下：{earns}"), in_force=True,
    without={
        "points": _("积分规则“{name}”由一个人定下：{minutes} 分钟换 1 分"),
        "earns": _("积分规则“{name}”由一个人定下：每件记 {points} 分"),
    },
)  # fmt: skip

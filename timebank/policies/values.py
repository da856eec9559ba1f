"""A community's policies: the settings that may differ between communities, with default, limits and title."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import done_alone, propose
from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database
from timebank.core.capability import capabilities, hook, resolve
from timebank.core.database import Question, retried, transaction
from timebank.core.errors import Invalid, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.policies.schemas import PolicyOut


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """The policies in force in one community (design section 5). All are integers."""

    daily_minutes_max: int = 480
    expiry_years: int = 1
    grace_days: int = 30
    notice_days: int = 7
    hold_days: int = 7
    attendance_percent_min: int = 60
    cancel_class_hours: int = 24
    visit_minutes_min: int = 5
    review_over_minutes: int = 720
    honour_days_max: int = 366
    second_person_points: int = 200
    pushes_messages: int = 0
    photo_days: int = 180
    matter_confirm_days: int = 7
    matter_reopen_days: int = 30
    matter_returns_max: int = 2
    similar_days: int = 14
    wish_value_max: int = 200
    pair_orders_max: int = 4
    figure_same_day: int = 50
    figure_two_days: int = 80
    figure_three_days: int = 95
    spot_check_percent: int = 5
    paid_hours_review: int = 1
    uses_units: int = 0
    uses_teams: int = 0
    uses_matters: int = 0


class PolicyOutOfRange(TimebankError):
    code = "policy_out_of_range"
    status = 422
    sentence = "“{title}”要在 {least} 到 {most} {unit}之间。"


class PolicyInfo(msgspec.Struct, frozen=True):
    title: str
    unit: str
    smallest: int
    largest: int
    looser: Literal["up", "down", "neither"]
    """The direction that mints or unlocks more; such a change waits for a second person."""


KNOWN: dict[str, PolicyInfo] = {
    "daily_minutes_max": PolicyInfo(_("每人每天最多计入的服务时长"), _("分钟"), 0, 1440, "up"),
    "expiry_years": PolicyInfo(_("积分有效到几年后的 12 月 31 日"), _("年"), 0, 10, "up"),
    "grace_days": PolicyInfo(_("过期后退回的积分，从原到期日起还能用的天数"), _("天"), 0, 366, "up"),
    "notice_days": PolicyInfo(_("善行和荣誉时数的公示天数"), _("天"), 0, 60, "down"),
    "hold_days": PolicyInfo(_("预留物品保留天数"), _("天"), 1, 60, "up"),
    "attendance_percent_min": PolicyInfo(_("班次到岗不足这个比例不计"), "%", 0, 100, "down"),
    "cancel_class_hours": PolicyInfo(_("课程最晚提前多久取消"), _("小时"), 0, 168, "down"),
    "visit_minutes_min": PolicyInfo(_("不足这么久的签到不计"), _("分钟"), 0, 60, "down"),
    "review_over_minutes": PolicyInfo(_("一天超过这么久转人工审核"), _("分钟"), 60, 1440, "up"),
    "honour_days_max": PolicyInfo(_("手工补录的时数最早可以是多少天前的"), _("天"), 1, 1830, "up"),
    "second_person_points": PolicyInfo(_("一个人一天的善行超过这么多分，要上级再同意"), _("分"), 0, 10_000, "up"),
    "pushes_messages": PolicyInfo(_("有新消息时知会推送平台"), _("（1 开，0 关）"), 0, 1, "up"),
    # Kept longer, private pictures are open to more eyes; not shorter than a quarter, so that nobody gets rid of proof.
    "photo_days": PolicyInfo(_("照片在事情办完后保留的天数"), _("天"), 90, 365, "up"),
    "matter_confirm_days": PolicyInfo(_("事项办好后，反映人多少天不回应就自动结束"), _("天"), 1, 60, "neither"),
    "matter_reopen_days": PolicyInfo(_("事项办结后多少天内可以重办"), _("天"), 1, 180, "neither"),
    "matter_returns_max": PolicyInfo(_("同一事项最多退回几次，再由上一级定"), _("次"), 1, 5, "neither"),
    "similar_days": PolicyInfo(_("反映前给看多少天内的同类事项"), _("天"), 1, 60, "neither"),
    "wish_value_max": PolicyInfo(_("一个微心愿最多多少元"), _("元"), 1, 5000, "up"),
    "pair_orders_max": PolicyInfo(_("同一人给同一户帮忙，一个月超过几次要核对"), _("次"), 1, 31, "up"),
    "figure_same_day": PolicyInfo(_("事项当天办结的目标"), "%", 0, 100, "neither"),
    "figure_two_days": PolicyInfo(_("事项两天内办结的目标"), "%", 0, 100, "neither"),
    "figure_three_days": PolicyInfo(_("事项三天内办结的目标"), "%", 0, 100, "neither"),
    "spot_check_percent": PolicyInfo(_("办结的事项里抽查多少"), "%", 1, 100, "down"),
    "paid_hours_review": PolicyInfo(
        _("有带薪岗位的人在工作日 8 点到 18 点的时长转人工审核"), _("（1 开，0 关）"), 0, 1, "down"
    ),
    "uses_units": PolicyInfo(_("使用“单位”：单位、报到、联络员"), _("（1 开，0 关）"), 0, 1, "neither"),
    "uses_matters": PolicyInfo(_("使用“事项”：反映、点单、心愿、网格事件"), _("（1 开，0 关）"), 0, 1, "neither"),
    "uses_teams": PolicyInfo(_("使用“班组”：班组、技能、找帮手"), _("（1 开，0 关）"), 0, 1, "neither"),
}
_WORDS: dict[str, dict[Any, str]] = {
    "title": {name: info.title for name, info in KNOWN.items()},
    "unit": {info.unit: info.unit for info in KNOWN.values()},
}


class PolicyChange(msgspec.Struct, frozen=True):
    """A policy value that the community has set, with the person who set it and the time."""

    name: str
    value: int
    changed_by: UUID | None
    changed_at: datetime


class PolicyValue(msgspec.Struct, frozen=True):
    """A policy value that the community has set."""

    name: str
    value: int


_CHOSEN = "SELECT name, value FROM policy WHERE community_id = $1"


def policy_values(scope: Scope) -> Question:
    """The question for the community's own values, to be asked with others; `policies_from` takes the answer."""
    return database.many(_CHOSEN, scope.community_id)


def policies_from(chosen: Iterable[PolicyValue]) -> Policies:
    """The policies in force: the defaults, overridden by the community's own values of the policies known here."""
    return msgspec.structs.replace(Policies(), **{each.name: each.value for each in chosen if each.name in KNOWN})


async def policies(scope: Scope) -> Policies:
    """The policies in force in the scope's community; see `policies_from`."""
    async with transaction(scope):
        return await policies_of(scope.community_id)


async def policies_of(community_id: UUID) -> Policies:
    """The policies in force in a community whose rows the open transaction sees."""
    return policies_from(await database.rows(PolicyValue, _CHOSEN, community_id))


async def changes(scope: Scope) -> list[PolicyChange]:
    async with transaction(scope):
        return await database.rows(
            PolicyChange,
            "SELECT name, value, changed_by, changed_at FROM policy WHERE community_id = $1 ORDER BY name",
            scope.community_id,
        )


async def policies_in_words(scope: Scope) -> list[PolicyOut]:
    """Every policy in force, in words. Only administrators and auditors see who set it, and when."""
    set_by = {change.name: change for change in await changes(scope)}
    default = Policies()
    return [
        PolicyOut(
            name=name, title=info.title, unit=info.unit,
            value=set_by[name].value if name in set_by else getattr(default, name),
            default=getattr(default, name), smallest=info.smallest, largest=info.largest,
            changed_by=set_by[name].changed_by if name in set_by and scope.reads_all else None,
            changed_at=set_by[name].changed_at if name in set_by and scope.reads_all else None,
        )
        for name, info in KNOWN.items()
    ]  # fmt: skip


@retried
async def change_policy(scope: Scope, name: str, value: int) -> Waiting | None:
    """Set one policy, in force at once; a looser value waits for a second person of a higher level (`Waiting`).

    Before the community's first ledger entry its administrator sets policies alone, and a second person sees the list
    afterwards. Raises Invalid for an unknown name, PolicyOutOfRange.
    """
    scope.require_admin()
    info = KNOWN.get(name)
    if info is None:
        raise Invalid(why=_("没有这项规则"))
    if not info.smallest <= value <= info.largest:
        raise PolicyOutOfRange(title=info.title, least=info.smallest, most=info.largest, unit=info.unit)
    async with transaction(scope):
        stands: int = getattr(await policies(scope), name)
        if not scope.system and is_looser_policy(info, stands, value):
            says = {"title": name, "before": stands, "after": value, "unit": info.unit}
            if await hook("has_credited")(scope):
                return await propose(scope, LOOSER_POLICY, name, {"name": name, "value": value}, says, before=stands)
            await done_alone(scope, POLICY_BEFORE, name, {"name": name, "value": value, "unit": info.unit})
        await _write(scope, name, value, scope.person_id)
    return None


def is_looser_policy(info: PolicyInfo, stands: int, value: int) -> bool:
    """Whether this value mints or unlocks more than the value in force, `stands`."""
    if info.looser == "neither":
        return False
    return value > stands if info.looser == "up" else value < stands


async def _write(scope: Scope, name: str, value: int, by: UUID | None) -> None:
    await database.execute(
        "INSERT INTO policy (community_id, name, value, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (community_id, name) DO UPDATE SET value = $3, changed_by = $4, changed_at = $5",
        scope.community_id, name, value, by, clock.now(),
    )  # fmt: skip
    await audit.record(scope, "change_policy", "policy", None, name=name, value=value)
    begun = next((one.switched_on for one in capabilities() if name == f"uses_{one.name}"), None)
    if value and begun is not None:
        await resolve(begun)(scope)


async def set_agreed_policy(scope: Scope, change: Change) -> None:
    await _write(scope, change.do["name"], change.do["value"], change.by)


async def present_policy_value(scope: Scope, do: Any) -> int:
    value: int = getattr(await policies(scope), do["name"])
    return value


LOOSER_POLICY = Kind(
    name="looser_policy", sentence=_("放宽规则“{title}”：从 {before} 改成 {after} {unit}"), words=_WORDS,
    without={"unit": _("放宽规则“{title}”：从 {before} 改成 {after}")},
)  # fmt: skip
POLICY_BEFORE = Kind(
    name="policy_before", sentence=_("规则“{name}”由一个人定为 {value} {unit}"), in_force=True,
    words={"name": _WORDS["title"], "unit": _WORDS["unit"]}, without={"unit": _("规则“{name}”由一个人定为 {value}")},
)  # fmt: skip


def points_expire_on(in_force: Policies, earned_at: datetime) -> date:
    """The last local day on which points earned at this moment can be spent: 31 December, `expiry_years` later."""
    return date(clock.local_day(earned_at).year + in_force.expiry_years, 12, 31)

"""Triggers: what a capability confirms and then awards as a deed, where a community has a rule for it."""

from timebank.core import clock, database
from timebank.core.errors import TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.rules.schemas import RuleIn, Trigger

# The closed list, each in the words of "{trigger}自动登记".
TRIGGERS: dict[str, str] = {
    "report_confirmed": _("居民上报核实后"),
    "head_report_confirmed": _("楼栋长、单元长上报核实后"),
    "courier_report_confirmed": _("骑手、快递员上报核实后"),
    "turn_kept": _("值日到岗确认后"),
    "theme_kept": _("每月主题完成后"),
    "dispute_settled": _("调解成功后"),
    "idea_adopted": _("建议被采纳后"),
    "pledge_kept": _("承诺兑现后"),
}


class TriggerTaken(TimebankError):
    code = "trigger_taken"
    status = 409
    sentence = "同一件事已经由规则“{name}”自动登记，一件事只登记一次。请改那条规则，或先取消它的自动登记。"


async def code_of_trigger(scope: Scope, trigger: Trigger) -> str | None:
    """The code of the active rule that files deeds by this trigger; None where the community has chosen none.

    There is one, unless two were set at the same moment: then the one that gives less, so that nobody gains by it.
    """
    code: str | None = await database.fetch_value(
        "SELECT code FROM (SELECT DISTINCT ON (code) code, points, trigger, active FROM rule "
        "WHERE community_id = $1 AND valid_from <= $2 ORDER BY code, version DESC) AS newest "
        "WHERE active AND trigger = $3 ORDER BY points, code LIMIT 1",
        scope.community_id, clock.now(), trigger,
    )  # fmt: skip
    return code


async def require_free_trigger(scope: Scope, wanted: RuleIn) -> None:
    """Raise TriggerTaken where another active rule, in force or still to begin, has the trigger."""
    if wanted.trigger is None or not wanted.active:
        return
    other: str | None = await database.fetch_value(
        "SELECT r.name FROM rule r WHERE r.community_id = $1 AND r.code <> $2 AND r.trigger = $3 AND r.active "
        "AND r.version >= (SELECT coalesce(max(begun.version), 0) FROM rule begun WHERE begun.community_id = $1 "
        "AND begun.code = r.code AND begun.valid_from <= $4) ORDER BY r.code, r.version LIMIT 1",
        scope.community_id, wanted.code, wanted.trigger, clock.now(),
    )  # fmt: skip
    if other is not None:
        raise TriggerTaken(name=other)

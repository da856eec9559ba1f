"""Whether a category becomes looser: later, with less proof, or with more that an order may earn."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

import msgspec

from timebank.agreements.kinds import Kind
from timebank.core.locale import _
from timebank.matters.schemas import CategoryIn, MatterKind

WEEK, WORKING = 7, 5


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What of a category decides about time and earning. Minutes of helpers follow from orders."""

    kinds: frozenset[MatterKind]
    due_days: int
    due_counts: str
    minutes_max: int | None
    activity_id: UUID | None
    needs_photo: bool

    @property
    def orders(self) -> bool:
        return "order" in self.kinds


def terms_of(category: CategoryIn) -> Terms:
    return Terms(
        kinds=frozenset(category.kinds), due_days=category.due_days, due_counts=category.due_counts,
        minutes_max=category.minutes_max, activity_id=category.activity_id, needs_photo=category.needs_photo,
    )  # fmt: skip


def is_looser_category(before: Terms | None, wanted: Terms, longest: Mapping[MatterKind, int]) -> bool:
    """Whether the wanted terms allow more than those in force; `before` is None for a new category.

    `longest`: by kind of matter, the days of the longest term in use. A kind that the category was not for before is
    compared with that, and orders are always looser then.
    """
    added = wanted.kinds - before.kinds if before else wanted.kinds
    if "order" in added or any(least_days(wanted) > longest.get(kind, 0) for kind in added):
        return True
    if before is None:
        return False
    return (
        _is_longer(before, wanted)
        or (before.needs_photo and not wanted.needs_photo)
        or (wanted.orders and _earns_more(before, wanted))
    )


def least_days(terms: Terms) -> int:
    """The calendar days that the term has at least: weekends lie between working days."""
    return terms.due_days * WEEK // WORKING if terms.due_counts == "workday" else terms.due_days


def _is_longer(before: Terms, wanted: Terms) -> bool:
    if before.due_counts == wanted.due_counts:
        return wanted.due_days > before.due_days
    if wanted.due_counts == "workday":  # holidays may lie between
        return wanted.due_days * 2 > before.due_days
    return wanted.due_days > least_days(before)


def _earns_more(before: Terms, wanted: Terms) -> bool:
    """Another activity may earn more for an hour, and so may none: then the community's first rule counts."""
    if wanted.activity_id != before.activity_id:
        return True
    if before.minutes_max is None:
        return False
    return wanted.minutes_max is None or wanted.minutes_max > before.minutes_max


def said_of(category: CategoryIn, before: Terms | None, activity: str) -> dict[str, object]:
    """The values of the sentence about the change; `activity` is the name of the wanted one, "" for none.

    `content` sets one proposal apart from another where the sentence says the same of both.
    """
    wanted = terms_of(category)
    whole = msgspec.json.encode(category, order="deterministic")
    return {
        "title": category.name,
        "was_days": before.due_days if before else None, "was_counts": before.due_counts if before else None,
        "days": wanted.due_days, "counts": wanted.due_counts,
        "was_minutes": (before.minutes_max or "unlimited") if before else None,
        "minutes": wanted.minutes_max or "unlimited",
        "photo": "needed" if wanted.needs_photo else "not_needed",
        "orders": "orders" if wanted.orders else "no_orders",
        "activity": activity or "no_activity",
        "content": hashlib.sha256(whole).hexdigest()[:16],
    }  # fmt: skip


_COUNTS = {"day": _("天"), "workday": _("个工作日")}
_MINUTES = {"unlimited": _("不限")}
_WORDS = {
    "counts": _COUNTS, "was_counts": _COUNTS, "minutes": _MINUTES, "was_minutes": _MINUTES,
    "photo": {"needed": _("办结要照片"), "not_needed": _("办结不要照片")},
    "orders": {"orders": _("可以点单"), "no_orders": _("不能点单")},
    "activity": {"no_activity": _("没有固定的活动")},
}  # fmt: skip
_NEW = _(
    "新增事项类别“{title}”：{days} {counts}办好，{orders}，点单最多记分钟数 {minutes}，"
    "时长记到哪项活动：{activity}，{photo}"
)

LOOSER_CATEGORY = Kind(
    name="looser_category",
    sentence=_(
        "放宽事项类别“{title}”：{was_days} {was_counts}办好改成 {days} {counts}，{orders}，"
        "点单最多记分钟数 {was_minutes} 改成 {minutes}，时长记到哪项活动：{activity}，{photo}"
    ),
    words=_WORDS,
    without={"was_days": _NEW},
)
CATEGORY_BEFORE = Kind(
    name="category_before",
    sentence=_(
        "事项类别“{title}”由一个人定为 {days} {counts}办好，{orders}，点单最多记分钟数 {minutes}，"
        "时长记到哪项活动：{activity}，{photo}"
    ),
    in_force=True,
    words=_WORDS,
)

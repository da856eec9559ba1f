"""Whether a category becomes looser: later, with less proof, or with more that an order may earn."""

from uuid import UUID

import msgspec

from timebank.agreements.kinds import Kind
from timebank.core.locale import _
from timebank.matters.schemas import CategoryIn

WEEK, WORKING = 7, 5


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What of a category decides about time and earning. `orders`: minutes of helpers follow from it."""

    due_days: int
    due_counts: str
    orders: bool
    minutes_max: int | None
    activity_id: UUID | None
    needs_photo: bool


def terms_of(category: CategoryIn) -> Terms:
    return Terms(
        due_days=category.due_days, due_counts=category.due_counts, orders="order" in category.kinds,
        minutes_max=category.minutes_max, activity_id=category.activity_id, needs_photo=category.needs_photo,
    )  # fmt: skip


def is_looser_category(before: Terms | None, wanted: Terms, longest: int) -> bool:
    """Whether the wanted terms allow more than those in force.

    A new category, `before` None, is compared with the `longest` days of those in use; for orders it is always looser.
    """
    if before is None:
        return wanted.orders or least_days(wanted) > longest
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
    if not before.orders or wanted.activity_id not in (None, before.activity_id):
        return True
    if before.minutes_max is None:
        return False
    return wanted.minutes_max is None or wanted.minutes_max > before.minutes_max


def said_of(title: str, before: Terms | None, wanted: Terms) -> dict[str, object]:
    """The values of the sentence about the change."""
    return {
        "title": title,
        "was_days": before.due_days if before else None, "was_counts": before.due_counts if before else None,
        "days": wanted.due_days, "counts": wanted.due_counts,
        "was_minutes": (before.minutes_max or "unlimited") if before else None,
        "minutes": wanted.minutes_max or "unlimited",
        "photo": "needed" if wanted.needs_photo else "not_needed",
        "rule": "same" if before and before.activity_id == wanted.activity_id else "other",
    }  # fmt: skip


_COUNTS = {"day": _("天"), "workday": _("个工作日")}
_MINUTES = {"unlimited": _("不限")}
_WORDS = {
    "counts": _COUNTS, "was_counts": _COUNTS, "minutes": _MINUTES, "was_minutes": _MINUTES,
    "photo": {"needed": _("办结要照片"), "not_needed": _("办结不要照片")},
    "rule": {"same": _("记时长的活动不变"), "other": _("记时长的活动换了")},
}  # fmt: skip
_NEW = _("新增事项类别“{title}”：{days} {counts}办好，点单最多记分钟数 {minutes}，{photo}")

LOOSER_CATEGORY = Kind(
    name="looser_category",
    sentence=_(
        "放宽事项类别“{title}”：{was_days} {was_counts}办好改成 {days} {counts}，"
        "点单最多记分钟数 {was_minutes} 改成 {minutes}，{photo}，{rule}"
    ),
    words=_WORDS,
    without={"was_days": _NEW},
)
CATEGORY_BEFORE = Kind(
    name="category_before",
    sentence=_("事项类别“{title}”由一个人定为 {days} {counts}办好，点单最多记分钟数 {minutes}，{photo}"),
    in_force=True,
    words=_WORDS,
)

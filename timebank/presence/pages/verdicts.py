"""Word a scan's verdict for a page: headline, person, numbers and sentences."""

from dataclasses import dataclass

from timebank.core import clock
from timebank.core.locale import _, translate
from timebank.core.wording import duration, points
from timebank.presence.schemas import Verdict
from timebank.presence.words import PAID_DUTY

WORDS = {
    "expired_code": _("码已过期"),
    "revoked": _("卡已作废"),
    "blocked": _("不能签到"),
    "wrong_station": _("不是本社区的码"),
    "closed_station": _("驿站没开门"),
    "already_in": _("已经签到了"),
    "not_in": _("还没有签到"),
    "not_signed_up": _("要先报名"),
    "guardian_consent_missing": _("要监护人同意"),
    "ambiguous": _("请选驿站"),
    "open_elsewhere": _("别处还没签退"),
    "overlap": _("时间重叠"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictText:
    """A verdict in words. `kind`: good, wait or wrong; `lines`: triples of name, value and tone."""

    kind: str
    word: str
    who: str
    lines: list[tuple[str, str, str]]
    texts: list[str]
    points: int


def verdict_in_words(verdict: Verdict, language: str, balance: int | None = None) -> VerdictText:
    """Put a verdict into words. `balance`: the person's points now, or None if the reader may not see them."""
    visit, person = verdict.visit, verdict.person
    who = " · ".join(part for part in (person.name if person else "", visit.station if visit else "") if part)
    kind, word = _headline(verdict)
    credited = verdict.credited
    lines: list[tuple[str, str, str]] = []
    texts = verdict.texts(language)
    if visit is not None and verdict.direction == "in":
        lines.append((translate(_("签到"), language), f"{clock.local(visit.in_at):%H:%M}", ""))
        if visit.activity:
            lines.append((translate(_("服务"), language), visit.activity, ""))
        paid = [translate(PAID_DUTY, language)] if "paid_duty" in verdict.attention else []
        texts = [*paid, translate(_("离开时请再扫一次码签退。"), language)]
    elif "paid_duty" in verdict.attention and visit is not None:
        lines.append((translate(_("在岗"), language), duration(visit.minutes or 0, language), ""))
        texts = texts[-1:]
    elif credited.minutes:
        lines.append((translate(_("服务"), language), duration(credited.minutes, language), ""))
        total = f" → {points(balance, language)}" if balance is not None else ""
        lines.append((translate(_("积分"), language), f"+{points(credited.points, language)}{total}", "points"))
        if credited.minutes_left:
            left = translate(_("{time}记入时间账户"), language).format(time=duration(credited.minutes_left, language))
            lines.append((translate(_("余数"), language), left, ""))
        texts = texts[-1:] if "quota_reached" in verdict.attention else []
    return VerdictText(
        kind=kind, word=translate(word, language), who=who, lines=lines, texts=texts, points=credited.points
    )


def _headline(verdict: Verdict) -> tuple[str, str]:
    if verdict.status == "error":
        return ("wait" if verdict.reason in ("already_in", "open_elsewhere") else "wrong"), WORDS.get(
            verdict.reason or "", _("没有签上")
        )
    if verdict.reason == "ambiguous":
        return "wait", WORDS["ambiguous"]
    if verdict.direction == "in":
        return "good", _("已签到")
    if verdict.reason == "too_short" or "attendance_too_low" in verdict.attention:
        return "wait", _("已签退，不计时长")
    if "pending_review" in verdict.attention:
        return "wait", _("已签退，等核对")
    return "good", _("已签退")

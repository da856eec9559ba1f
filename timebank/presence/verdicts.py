"""The verdicts of scans that are not refused, in sentences for the person and the keeper."""

from timebank.core import names
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import Said, said
from timebank.policies.values import Policies
from timebank.presence.outcomes import Outcome, outcome_of
from timebank.presence.scans.facts import PersonRow
from timebank.presence.schemas import Credited, PersonSeen, Verdict, VisitSeen
from timebank.presence.visits import VisitRow
from timebank.presence.words import PAID_DUTY, REASONS, flag_texts


def person_seen(person: PersonRow | None) -> PersonSeen | None:
    return None if person is None else PersonSeen(id=person.id, name=person.name, masked_name=names.masked(person.name))


def _visit_seen(visit: VisitRow, minutes: int | None) -> VisitSeen:
    return VisitSeen(
        id=visit.id,
        in_at=visit.in_at,
        out_at=visit.out_at,
        minutes=minutes,
        station_id=visit.station_id,
        station=visit.station,
        activity=visit.activity,
    )


def check_in_verdict(person: PersonRow | None, visit: VisitRow, flags: list[str]) -> Verdict:
    what = f"{visit.station} · {visit.activity}" if visit.activity else visit.station
    told = said(_("{since:at} 已签到（{what}）。离开时请再扫一次码签退。"), since=visit.in_at, what=what)
    return Verdict(
        status="ok",
        reason=None,
        direction="in",
        person=person_seen(person),
        visit=_visit_seen(visit, None),
        attention=[*flags, *["paid_duty"] * visit.paid],
        said=[told, *[said(PAID_DUTY)] * visit.paid],
    )


def check_out_verdict(person: PersonRow | None, visit: VisitRow, outcome: Outcome, in_force: Policies) -> Verdict:
    """The verdict of a check-out: the minutes and points credited, or why there are none yet."""
    told: list[Said] = []
    attention = list(outcome.flags)
    short = outcome.status == "too_short"
    if short:
        told.append(said(REASONS["too_short"], stayed=outcome.minutes, least=max(1, in_force.visit_minutes_min)))
    elif outcome.status == "paid":
        attention.append("paid_duty")
        told += [said(_("在岗 {served:minutes}。"), served=outcome.minutes), said(PAID_DUTY)]
    elif outcome.status == "rejected":
        attention.append("attendance_too_low")
        told.append(outcome.why.said() if outcome.why else said(outcome.note or ""))
    elif outcome.status == "pending":
        attention.append("pending_review")
        sentence = _("服务 {served:minutes}，需要社区核对后入账。原因：{why}。")
        told.append(said(sentence, served=outcome.minutes, why=flag_texts(outcome.flags)))
    else:
        sentence = _("服务 {served:minutes}，积分 +{points}。")
        told.append(said(sentence, served=outcome.credited_minutes, points=outcome.credited_points))
        if outcome.minutes_left:
            told.append(said(_("余 {left:minutes}记入时间账户。"), left=outcome.minutes_left))
        if outcome.capped:
            attention.append("quota_reached")
            told.append(said(REASONS["quota_reached"]))
    credited = Credited(
        minutes=outcome.credited_minutes, points=outcome.credited_points, minutes_left=outcome.minutes_left
    )
    return Verdict(
        status="incomplete" if short else "ok", reason="too_short" if short else None, direction="out",
        person=person_seen(person),
        visit=_visit_seen(visit, outcome.minutes), credited=credited, record_id=outcome.record_id,
        attention=attention, said=told,
    )  # fmt: skip


async def repeated_check_out_verdict(
    scope: Scope, person: PersonRow | None, visit: VisitRow, in_force: Policies
) -> Verdict:
    """The verdict of a repeated check-out scan: that of the first one."""
    found = await outcome_of(scope, visit.id)
    assert visit.out_at is not None
    minutes = int((visit.out_at - visit.in_at).total_seconds() // 60)
    without_record = "paid" if visit.paid else "too_short"
    first = found or Outcome(record_id=None, status=without_record, minutes=minutes)
    return check_out_verdict(person, visit, first, in_force)

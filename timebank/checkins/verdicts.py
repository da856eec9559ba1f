"""Verdicts that are not refusals: what the person and the keeper are told."""

from timebank import database, names
from timebank.areas.policies import policies
from timebank.checkins.arrivals import Arrival
from timebank.checkins.records import Outcome
from timebank.checkins.schemas import Credited, PersonSeen, Verdict, VisitSeen
from timebank.checkins.visits import VisitRow
from timebank.checkins.words import REASONS, at_clock, duration, flag_texts


def person_seen(arrival: Arrival) -> PersonSeen | None:
    person = arrival.person
    return None if person is None else PersonSeen(person.id, person.name, names.masked(person.name))


def _visit_seen(visit: VisitRow, minutes: int | None) -> VisitSeen:
    return VisitSeen(visit.id, visit.in_at, visit.out_at, minutes, visit.station_id, visit.station, visit.activity)


def in_verdict(arrival: Arrival, visit: VisitRow) -> Verdict:
    what = f"{visit.station} · {visit.activity}" if visit.activity else visit.station
    text = f"{at_clock(visit.in_at)} 已签到（{what}）。离开时请再扫一次码签退。"
    return Verdict("ok", None, "in", person_seen(arrival), _visit_seen(visit, None), texts=[text])


async def out_verdict(arrival: Arrival, visit: VisitRow, outcome: Outcome) -> Verdict:
    """What the volunteer is told on leaving: the minutes, the points, or why there are none yet."""
    texts: list[str] = []
    attention = list(outcome.flags)
    short = outcome.status == "too_short"
    if short:
        least = (await policies(arrival.scope)).visit_minutes_min
        texts.append(REASONS["too_short"].format(minutes=outcome.minutes, least=max(1, least)))
    elif outcome.status == "rejected":
        attention.append("attendance_too_low")
        texts.append(outcome.note or "")
    elif outcome.status == "pending":
        attention.append("pending_review")
        why = "；".join(flag_texts(outcome.flags))
        texts.append(f"服务 {duration(outcome.minutes)}，需要社区核对后入账。原因：{why}。")
    else:
        texts.append(f"服务 {duration(outcome.credited_minutes)}，积分 +{outcome.credited_points}。")
        if outcome.minutes_left:
            texts.append(f"余 {outcome.minutes_left} 分钟记入时间账户。")
        if outcome.capped:
            attention.append("quota_reached")
            texts.append(REASONS["quota_reached"])
    credited = Credited(outcome.credited_minutes, outcome.credited_points, outcome.minutes_left)
    return Verdict(
        "incomplete" if short else "ok", "too_short" if short else None, "out", person_seen(arrival),
        _visit_seen(visit, outcome.minutes), credited, outcome.record_id, attention, texts,
    )  # fmt: skip


async def left_verdict(arrival: Arrival, visit: VisitRow) -> Verdict:
    """The second scan on leaving: what the first one said."""
    found = await database.row(
        Outcome,
        "SELECT id AS record_id, status, minutes, flags, review_note AS note, "
        "coalesce(credited_minutes, 0) AS credited_minutes, coalesce(credited_points, 0) AS credited_points "
        "FROM service_record WHERE community_id = $1 AND visit_id = $2",
        arrival.scope.community_id, visit.id,
    )  # fmt: skip
    assert visit.out_at is not None
    minutes = int((visit.out_at - visit.in_at).total_seconds() // 60)
    return await out_verdict(arrival, visit, found or Outcome(None, "too_short", minutes))

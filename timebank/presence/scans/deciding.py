"""What a scan does: a pure function over its facts. `tests/presence/scans` has its cases."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from timebank.agreements.independence import Near, near_by, signed_on
from timebank.core.errors import NotFound
from timebank.presence.choice import ActivityChoice
from timebank.presence.evidence.device_clock import offline_flags
from timebank.presence.evidence.leaders_code import leaders_flags
from timebank.presence.forgotten import CLOSING_GRACE
from timebank.presence.scans.context import BY_COUNTER, ScanContext
from timebank.presence.scans.facts import SAME_SCAN, CardRow, Identified, PersonRow, ScanFacts, is_guarded_at
from timebank.presence.visits import VisitRow
from timebank.presence.words import ScanRefused

NOT_SCANNED = ("closing_time", "corrected")  # values of `out_by` where the end was not scanned


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a scan does, once `forgotten`, an open visit of an earlier opening, has been closed.

    `check_in` opens a visit for `choice`, and records it as forgotten at `over` where the person has another open one;
    `check_out` closes `visit`, and `late_check_out` one that was closed without a scan, unless somebody has decided
    about it; `same_check_in` and `same_check_out` repeat what was said about `visit`. `read_by` are the logins and
    devices that had read the station's code.
    """

    step: Literal["identify", "check_in", "same_check_in", "check_out", "late_check_out", "same_check_out", "refuse"]
    flags: list[str] = field(default_factory=list)
    read_by: list[UUID] = field(default_factory=list)
    visit: VisitRow | None = None
    choice: ActivityChoice | None = None
    over: datetime | None = None
    forgotten: VisitRow | None = None
    refusal: ScanRefused | None = None


def decide(context: ScanContext, found: Identified, facts: ScanFacts) -> Decision:
    """Decide about the scan of an identified person. Raises NotFound for an activity that is not offered here."""
    person, forgotten = found.person, None
    assert person is not None
    flags: list[str] = []
    try:
        flags += _flags(context, found, facts, person)
        if context.asked.purpose == "look":
            return Decision(step="identify", flags=flags)
        forgotten = _forgotten(found.at, facts.visit)
        decided = _in_or_out(context, found, facts, None if forgotten else facts.visit)
    except ScanRefused as refusal:
        return Decision(step="refuse", flags=flags, refusal=refusal, forgotten=forgotten)
    read_by = [*facts.readers, *(each.reader_id for each in facts.led)]
    return replace(decided, flags=flags, read_by=read_by, forgotten=forgotten)


def _flags(context: ScanContext, found: Identified, facts: ScanFacts, person: PersonRow) -> list[str]:
    """The flags of this scan: reasons to review the hours that it begins or ends. Raises ScanRefused."""
    if facts.claim_is_used:
        raise ScanRefused("claim_used")
    if is_guarded_at(person, found.at) and not facts.has_guardian:
        raise ScanRefused("guardian_consent_missing")
    flags = offline_flags(context.clock, context.received_at - found.at) if context.asked.offline else []
    flags += ["offline_keeper"] * (context.sender is not None)
    flags += ["code_read_by_staff"] * bool(facts.readers)
    flags += leaders_flags(facts.led, [seat.shift_id for seat in (facts.seat, facts.visit) if seat is not None])
    if context.by not in BY_COUNTER:
        return flags
    near = near_by(signed_on(context.scope), facts.near) if facts.near else Near()
    if found.card is not None and found.card.confirmed_at is None and _may_be_the_issuers(context, found.card, near):
        flags.append("own_card")
    return [*flags, *["served_by_family"] * (person.id in near.home)]


def _may_be_the_issuers(context: ScanContext, card: CardRow, near: Near) -> bool:
    """Whether the scan may come from the issuer of the card or from a household member of the issuer.

    A scan of a tablet that nobody is signed on to may come from any keeper of its station.
    """
    login_id = context.scope.login_id
    if login_id is not None and card.issued_by in near.home:
        return True
    if login_id is not None and card.issued_by_login is not None:
        return login_id == card.issued_by_login
    if card.issued_by_login is None:
        return card.issued_by_device is not None
    return card.is_issuers_station


def _forgotten(at: datetime, visit: VisitRow | None) -> VisitRow | None:
    """The open visit, where its station had closed half an hour before the scan: it is closed without a scan."""
    return visit if visit is not None and at > visit.closing + CLOSING_GRACE else None


def _in_or_out(context: ScanContext, found: Identified, facts: ScanFacts, visit: VisitRow | None) -> Decision:
    direction, offline = context.asked.direction, context.asked.offline
    if offline and (late := _end_of_forgotten(context, found, facts.before)) is not None:
        return late
    # An offline scan that was made before the open visit began belongs to an earlier visit.
    if visit is not None and not (offline and visit.in_at - found.at >= SAME_SCAN):
        return _while_in(context, found, visit)
    if facts.just_left is not None and direction != "in":
        return Decision(step="same_check_out", visit=facts.just_left)
    if direction == "out":
        raise ScanRefused("overlap" if visit else "not_in")
    return _check_in(context, found, facts, visit)


def _while_in(context: ScanContext, found: Identified, visit: VisitRow) -> Decision:
    direction, since = context.asked.direction, found.at - visit.in_at
    assert found.station is not None
    if visit.station_id != found.station.id:
        raise ScanRefused("open_elsewhere", station=visit.station, at=visit.in_at)
    if abs(since) < SAME_SCAN and direction != "out":
        return Decision(step="same_check_in", visit=visit)
    if since < timedelta():
        raise ScanRefused("overlap")
    if direction == "in":
        raise ScanRefused("already_in", at=visit.in_at)
    return Decision(step="check_out", visit=visit)


def _end_of_forgotten(context: ScanContext, found: Identified, visit: VisitRow | None) -> Decision | None:
    """What an offline scan does with an earlier visit that was closed without a scan; None where there is none.

    The scan is the real end of that visit, which is judged like every other end and reviewed. A personal code proves
    the time of the scan; with a card only the device vouches for it. Both therefore wait for an uninvolved reviewer.
    """
    assert found.station is not None
    if visit is None or visit.out_by not in NOT_SCANNED or visit.station_id != found.station.id:
        return None
    if found.at > visit.closing + CLOSING_GRACE:
        return None
    if found.at - visit.in_at < SAME_SCAN and context.asked.direction != "out":
        return Decision(step="same_check_in", visit=visit)
    return None if context.asked.direction == "in" else Decision(step="late_check_out", visit=visit)


def _check_in(context: ScanContext, found: Identified, facts: ScanFacts, before: VisitRow | None) -> Decision:
    """Open a visit at the time of the scan.

    `before` is the person's open visit, where an offline scan was made before it began. Nobody has two open visits, so
    the new one is recorded as forgotten until its own check-out arrives.
    """
    station = found.station
    assert station is not None
    if not station.is_open(found.at):
        hours = f"{station.opens_at:%H:%M} {station.closes_at:%H:%M}"
        raise ScanRefused("closed_station", station=station.name, open=hours)
    if context.asked.offline and facts.was_in:
        raise ScanRefused("overlap")
    over = min(before.in_at, station.opening(found.at).closing(found.at)) if before is not None else None
    return Decision(step="check_in", choice=_choice(context, facts), over=over)


def _choice(context: ScanContext, facts: ScanFacts) -> ActivityChoice:
    """The activity of a check-in: that signed up for, else the one named, else the first without sign-up."""
    if facts.seat is not None:
        return facts.seat
    if context.asked.activity_id is not None or context.asked.shift_id is not None:
        if facts.named is None:
            raise NotFound
        if facts.named.needs_sign_up:
            raise ScanRefused("not_signed_up")
        return ActivityChoice(facts.named.id, facts.named.name, context.asked.shift_id, facts.named.paid)
    usual = next((offer for offer in facts.offers if not offer.needs_sign_up), None)
    return ActivityChoice(usual.id, usual.name, paid=usual.paid) if usual else ActivityChoice()

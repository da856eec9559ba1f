"""The undo of a check-in and of a check-out within a minute, by the login at the counter that did it."""

from uuid import UUID

from timebank.agreements.independence import is_near_home, signed_on
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.people.locks import require_locked
from timebank.people.messages import notify
from timebank.presence.at_counter import PROVES_FOR
from timebank.presence.forgotten import CLOSING_GRACE
from timebank.presence.outcomes import withdraw_outcome
from timebank.presence.scans.facts import lock_person
from timebank.presence.tables import Visit
from timebank.presence.undoing.acts import has_undone, is_within_the_minute, note_undone
from timebank.presence.visits import VisitEnds, locked_visit


class TooLateToUndo(TimebankError):
    code = "too_late_to_undo"
    status = 409
    sentence = (
        "这次签到、签退不能撤销：只有刚办的那个账号，在一分钟以内可以撤销；之后又签到、签退或审核过的也不行。"
        "记错了的，请社区管理员在审核里更正。"
    )


class OwnVisit(TimebankError):
    code = "own_visit"
    status = 403
    sentence = "不能撤销自己、同户家人或自己监护的孩子的签到、签退。记错了的，请另一位社区管理员在审核里更正。"


@retried
async def undo_check_in(scope: Scope, visit_id: UUID) -> None:
    """Undo a mistaken check-in within a minute: the visit becomes void and earns nothing.

    Only the login that checked the person in may, and not for itself, its household or a ward. A repeated call changes
    nothing. Raises NotFound, Forbidden, OwnVisit, TooLateToUndo.
    """
    async with transaction(scope):
        found = await _undoable(scope, visit_id)
        if found.status == "void":
            return
        if found.status != "open" or not _is_callers(scope, found.in_by_login):
            raise TooLateToUndo
        if not is_within_the_minute(found.in_received_at):
            raise TooLateToUndo
        now = clock.now()
        await Visit.update(
            {
                Visit.status: "void", Visit.out_at: max(now, found.in_at), Visit.out_by: "keeper",
                Visit.out_by_login: scope.login_id, Visit.out_received_at: now,
            }
        ).where((Visit.community_id == scope.community_id) & (Visit.id == visit_id))  # fmt: skip
        await note_undone(scope, "check_in", visit_id, found.station_id, found.person_id, what=found.activity or "")
        await audit.record(scope, "undo_check_in", "visit", visit_id, about_id=found.person_id)
        await notify(
            scope, found.person_id, "check_in_undone", f"visit:{visit_id}:undone",
            at=found.in_at, station=found.station,
        )  # fmt: skip


@retried
async def undo_check_out(scope: Scope, visit_id: UUID) -> None:
    """Undo a mistaken check-out within a minute: the visit is open again, and its record and credit are taken back.

    Only the login that checked the person out may, and not for itself, its household or a ward. The flags stay: what
    was doubtful is still to be reviewed. The next check-out is judged by its own time and makes a record of its own. A
    repeated call changes nothing. Raises NotFound, Forbidden, OwnVisit, TooLateToUndo.
    """
    async with transaction(scope):
        found = await _undoable(scope, visit_id)
        if found.status == "open" and await has_undone(scope, "check_out", visit_id):
            return
        if found.status != "closed" or not _is_callers(scope, found.out_by_login):
            raise TooLateToUndo
        if not is_within_the_minute(found.out_received_at) or await _is_past(scope, found):
            raise TooLateToUndo
        taken, points = await withdraw_outcome(scope, visit_id)
        left_at = found.out_at
        await Visit.update(
            {
                Visit.status: "open", Visit.out_at: None, Visit.out_by: None, Visit.out_by_login: None,
                Visit.out_received_at: None,
            }
        ).where((Visit.community_id == scope.community_id) & (Visit.id == visit_id))  # fmt: skip
        noted = await note_undone(
            scope, "check_out", visit_id, found.station_id, found.person_id, what=found.activity or "", points=points
        )
        await audit.record(
            scope, "undo_check_out", "visit", visit_id, about_id=found.person_id, station_id=found.station_id,
            points=points,
        )  # fmt: skip
        await notify(
            scope, found.person_id, "check_out_undone", f"visit:{visit_id}:undone:{noted}", visit_id,
            at=left_at, station=found.station, taken=taken,
        )  # fmt: skip


async def _undoable(scope: Scope, visit_id: UUID) -> VisitEnds:
    """The visit, with the locks that a scan takes: its person's row, then its own. Raises NotFound, OwnVisit."""
    person_id = await database.fetch_value(
        "SELECT person_id FROM visit WHERE community_id = $1 AND id = $2", scope.community_id, visit_id
    )
    if person_id is None:
        raise NotFound
    person = await lock_person(scope, UUID(bytes=person_id.bytes))
    found = await locked_visit(scope, visit_id)
    if person is None or found is None:
        raise NotFound
    require_locked(found.person_id, [person.id])
    scope.require_keeper(found.station_id)
    if await is_near_home(signed_on(scope), found.person_id):
        raise OwnVisit
    return found


def _is_callers(scope: Scope, login_id: UUID | None) -> bool:
    return login_id is not None and login_id == scope.login_id


async def _is_past(scope: Scope, found: VisitEnds) -> bool:
    """Whether the visit cannot be open any more.

    Its end was scanned long before the server received it, its station has closed, or the person has been in since.
    """
    assert found.out_at is not None
    assert found.out_received_at is not None
    if found.out_received_at - found.out_at > PROVES_FOR or clock.now() > found.closing + CLOSING_GRACE:
        return True
    return await database.read_value(
        bool,
        "SELECT EXISTS (SELECT FROM visit WHERE community_id = $1 AND person_id = $2 AND id <> $3 "
        "AND (status = 'open' OR status <> 'void' AND in_at >= $4))",
        scope.community_id, found.person_id, found.id, found.in_at,
    )  # fmt: skip

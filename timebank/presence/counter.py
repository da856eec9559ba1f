"""The counter: the person in front of it, and the undo of a mistaken check-in."""

from datetime import timedelta
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database, names
from timebank.core.codes import CardCode, PersonCode
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.people.directory import AREA_IN_WORDS, PEOPLE
from timebank.people.messages import notify
from timebank.presence.scans.context import ScanContext, read_code, require_counter
from timebank.presence.scans.facts import Identified, first_facts
from timebank.presence.scans.identifying import person_named, recognise
from timebank.presence.schemas import ScanIn
from timebank.presence.tables import Visit
from timebank.presence.words import ScanRefused

UNDO_WITHIN = timedelta(minutes=15)


class TooLateToUndo(TimebankError):
    code = "too_late_to_undo"
    status = 409
    sentence = "签到已经超过 15 分钟，或已经签退，不能撤销。请在审核里处理。"


class CounterPerson(msgspec.Struct, frozen=True):
    """A person at the counter, recognised by a scan, or by the name and the last digits of the phone."""

    id: UUID
    name: str
    place: str | None
    family: int = 0  # how many others live in the household


async def find_counter_person(scope: Scope, person_id: UUID) -> CounterPerson:
    """A person whom the counter has just recognised; the caller has checked that. Raises NotFound, Forbidden."""
    require_counter(scope)
    async with transaction(scope):
        found = await database.row(
            CounterPerson,
            f"SELECT p.id, p.name, {AREA_IN_WORDS} AS place, (SELECT count(*) FROM person o "  # noqa: S608  # no input
            "WHERE o.community_id = $1 AND o.household_id = p.household_id AND o.id <> p.id AND o.status = 'active') "
            f"AS family {PEOPLE} WHERE p.community_id = $1 AND p.id = $2",
            scope.community_id, person_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    return found


@retried
async def holder_at_sign_on(scope: Scope, code: str) -> CounterPerson:
    """The holder, with masked name, of the personal code or card shown to sign on to a counter.

    The password is checked afterwards. Raises ScanRefused with the reason.
    """
    read, now = read_code(code), clock.now()
    if not scope.is_counter or scope.device_station_id is None or not isinstance(read, PersonCode | CardCode):
        raise ScanRefused("invalid_code")
    context = ScanContext(scope=scope, asked=ScanIn(code=code, nonce="-" * 22), received_at=now, code=read)
    found = Identified(now)
    async with transaction(scope):
        recognise(context, read, await first_facts(context, scope.device_station_id, person_named(context)), found)
    if found.person is None:
        raise ScanRefused("invalid_code")
    return CounterPerson(found.person.id, names.masked(found.person.name), None)


@retried
async def undo_check_in(scope: Scope, visit_id: UUID) -> None:
    """Undo a mistaken check-in within 15 minutes: the visit becomes void and earns nothing. Raises TooLateToUndo."""
    async with transaction(scope):
        found = await database.fetch_one(
            "SELECT v.station_id, v.person_id, v.status, v.in_at, s.name AS station FROM visit v "
            "JOIN station s ON s.community_id = v.community_id AND s.id = v.station_id "
            "WHERE v.community_id = $1 AND v.id = $2 FOR NO KEY UPDATE OF v",
            scope.community_id, visit_id,
        )  # fmt: skip
        if found is None:
            raise NotFound
        scope.require_keeper(UUID(bytes=found["station_id"].bytes))
        if found["status"] == "void":
            return
        now = clock.now()
        if found["status"] != "open" or now - found["in_at"] > UNDO_WITHIN:
            raise TooLateToUndo
        await Visit.update(
            {
                Visit.status: "void", Visit.out_at: max(now, found["in_at"]), Visit.out_by: "keeper",
                Visit.out_by_login: scope.login_id,
            }
        ).where((Visit.community_id == scope.community_id) & (Visit.id == visit_id))  # fmt: skip
        await audit.record(scope, "undo_check_in", "visit", visit_id, about_id=UUID(bytes=found["person_id"].bytes))
        await notify(
            scope, UUID(bytes=found["person_id"].bytes), "check_in_undone", f"visit:{visit_id}:undone",
            at=found["in_at"], station=found["station"],
        )  # fmt: skip

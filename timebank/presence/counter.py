"""The counter: the person in front of it."""

from uuid import UUID

import msgspec

from timebank.core import clock, database, names
from timebank.core.codes import CardCode, PersonCode
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.directory import AREA_IN_WORDS, PEOPLE
from timebank.presence.scans.context import ScanContext, read_code, require_counter
from timebank.presence.scans.facts import Identified, first_facts
from timebank.presence.scans.identifying import person_named, recognise
from timebank.presence.schemas import ScanIn
from timebank.presence.words import ScanRefused


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

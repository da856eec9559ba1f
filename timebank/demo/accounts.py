"""Who signs in to the try-out, and the displays on its stations' walls."""

from functools import partial
from uuid import UUID

import msgspec

from timebank.access.devices.at_stations import add_device
from timebank.access.devices.devices import revoke
from timebank.access.sign_in.logins import login_by_phone, store_password
from timebank.access.sign_in.passwords import DEMO_PASSWORD as PASSWORD
from timebank.core import database, vault
from timebank.core.database import transaction
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.deeds.board import board_places
from timebank.demo.county import COMMUNITIES
from timebank.demo.names import SIGN_IN_PHONES, phone
from timebank.demo.population import ROLES
from timebank.stations.places import stations
from timebank.stations.schemas import DeviceIn

DISPLAY = "演示屏"
COUNTER = "演示的柜台平板"


class SignIn(msgspec.Struct, frozen=True):
    """One way into the county; the person's home is the community."""

    role: str
    name: str
    phone: str
    password: str
    person_id: UUID
    community_id: UUID
    community: str


class Screen(msgspec.Struct, frozen=True):
    """A station with the links that make a browser its display, or its counter for a keeper to sign on to."""

    id: UUID
    community_id: UUID
    community: str
    name: str
    display_url: str
    counter_url: str
    device_ids: tuple[UUID, UUID]


async def set_passwords() -> None:
    """Give everybody who signs in the password that is printed."""
    for number in SIGN_IN_PHONES:
        login = await login_by_phone(phone(number))
        assert login is not None
        await store_password(login.id, PASSWORD)


async def sign_ins() -> list[SignIn]:
    """The ten who sign in, in the order of the roles; without those who have another phone by now."""
    indexes = {vault.blind_index(phone(number), "phone"): number for number in SIGN_IN_PHONES}
    found: dict[int, SignIn] = {}
    for place in await board_places():
        scope = Scope.of_system(place.id, via="demo")
        async with transaction(scope):
            people = await database.fetch(
                "SELECT id, name, phone_index FROM person WHERE community_id = $1 AND phone_index = ANY ($2) "
                "ORDER BY created_at, id",
                scope.community_id, list(indexes),
            )  # fmt: skip
        for person in people:
            number = indexes[person["phone_index"]]
            role = ROLES[number - SIGN_IN_PHONES.start]
            person_id = UUID(bytes=person["id"].bytes)
            made = SignIn(role, person["name"], phone(number), PASSWORD, person_id, place.id, place.name)
            found.setdefault(number, made)
    return [found[number] for number in SIGN_IN_PHONES if number in found]


async def put_up_screens() -> list[Screen]:
    """A display for each station of the county. Its link is told once, so that every start puts up new ones."""
    screens: list[Screen] = []
    for place in await board_places():
        scope = Scope.of_system(place.id, via="demo")
        for station in await all_pages(partial(stations, scope)):
            wall = await add_device(scope, station.id, DeviceIn(DISPLAY, "display"))
            desk = await add_device(scope, station.id, DeviceIn(COUNTER, "counter"))
            screens.append(
                Screen(station.id, place.id, place.name, station.name, wall.url, desk.url, (wall.id, desk.id))
            )
    planned = [(plan.name, station) for plan in COMMUNITIES for station, _ in plan.stations]
    places = {place: number for number, place in enumerate(planned)}
    return sorted(screens, key=lambda screen: places.get((screen.community, screen.name), len(places)))


async def take_down(screens: list[Screen]) -> None:
    for screen in screens:
        for device_id in screen.device_ids:
            await revoke(Scope.of_system(screen.community_id, via="demo"), device_id)

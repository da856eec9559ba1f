"""The sign-ins of the demo, and the pairing links of its stations' displays and counters."""

import asyncio
from functools import partial
from uuid import UUID

import msgspec

from timebank.access.devices.at_stations import add_device
from timebank.access.devices.devices import revoke
from timebank.access.sign_in.logins import login_by_phone, store_hashed
from timebank.access.sign_in.passwords import DEMO_PASSWORD as PASSWORD
from timebank.access.sign_in.passwords import hash_password
from timebank.core import database, vault
from timebank.core.database import transaction
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.deeds.board import board_places
from timebank.demo.county import COMMUNITIES
from timebank.demo.names import SIGN_IN_PHONES, phone
from timebank.demo.population import ROLES
from timebank.stations.schemas import DeviceIn
from timebank.stations.stations import stations

DISPLAY = "演示屏"
COUNTER = "演示的柜台平板"


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in of the demo; `community` is the person's own community."""

    role: str
    name: str
    phone: str
    password: str
    person_id: UUID
    community_id: UUID
    community: str


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A station with the pairing links of its display and its counter."""

    id: UUID
    community_id: UUID
    community: str
    name: str
    display_url: str
    counter_url: str
    device_ids: tuple[UUID, UUID]


async def set_passwords() -> None:
    """Set the printed password for everybody who signs in. It is no secret, so that one hash serves them all."""
    hashed = await hash_password(PASSWORD)
    await asyncio.gather(*[_set_password(phone(number), hashed) for number in SIGN_IN_PHONES])


async def _set_password(of_phone: str, hashed: str) -> None:
    login = await login_by_phone(of_phone)
    assert login is not None
    await store_hashed(login.id, hashed)


async def sign_ins() -> list[SignIn]:
    """The sign-ins in the order of their roles, without people whose phone was changed since."""
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
            made = SignIn(
                role=role,
                name=person["name"],
                phone=phone(number),
                password=PASSWORD,
                person_id=person_id,
                community_id=place.id,
                community=place.name,
            )
            found.setdefault(number, made)
    return [found[number] for number in SIGN_IN_PHONES if number in found]


async def put_up_screens() -> list[Screen]:
    """Register a display and a counter for each station. Every start makes new ones, as a link is shown only once."""
    screens: list[Screen] = []
    for place in await board_places():
        scope = Scope.of_system(place.id, via="demo")
        for station in await all_pages(partial(stations, scope)):
            if station.kind == "gate":  # without a screen: the leader of a shift shows the code
                continue
            wall = await add_device(scope, station.id, DeviceIn(DISPLAY, "display"))
            desk = await add_device(scope, station.id, DeviceIn(COUNTER, "counter"))
            screens.append(
                Screen(
                    id=station.id,
                    community_id=place.id,
                    community=place.name,
                    name=station.name,
                    display_url=wall.url,
                    counter_url=desk.url,
                    device_ids=(wall.id, desk.id),
                )
            )
    planned = [(plan.name, station) for plan in COMMUNITIES for station, _ in plan.stations]
    places = {place: number for number, place in enumerate(planned)}
    return sorted(screens, key=lambda screen: places.get((screen.community, screen.name), len(places)))


async def take_down(screens: list[Screen]) -> None:
    for screen in screens:
        for device_id in screen.device_ids:
            await revoke(Scope.of_system(screen.community_id, via="demo"), device_id)

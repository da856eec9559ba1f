"""What the tests of the counter share: a paired tablet, the keeper's sign-on to it, and a person who stands there."""

from uuid import UUID

import httpx

from tests.support.presence import nonce, personal_code
from tests.support.town import Town, operating, set_password
from timebank.access.devices import devices
from timebank.access.devices.sign_on import SignOnIn, sign_on
from timebank.core.scope import Scope
from timebank.http.callers import DEVICE_COOKIE, csrf_token
from timebank.presence.scanning import scan
from timebank.presence.schemas import ScanIn

API = "/api/v1"
PASSWORD = "lan-tian-bai-yun-2026"
STATION = "暖蜂驿站"


class Tablet:
    """A paired counter tablet, as a program that holds its token or as a browser that holds its cookie."""

    def __init__(self, client: httpx.AsyncClient, made: devices.NewDevice) -> None:
        self.client, self.token, self.id = client, made.token, made.id
        self.bearer = {"Authorization": f"Bearer {made.token}"}
        self.cookie = {"Cookie": f"{DEVICE_COOKIE}={made.token}"}

    async def scope(self) -> Scope:
        found = await devices.find_device(self.token)
        assert found is not None
        return found

    async def ask(self, method: str, path: str, status: int = 200, /, **more: object) -> httpx.Response:
        headers = self.bearer | dict(more.pop("headers", {}))  # type: ignore[call-overload]  # of `more`
        answer = await self.client.request(method, f"{API}{path}", headers=headers, **more)  # type: ignore[arg-type]  # as above
        assert answer.status_code == status, answer.text
        return answer

    async def sign_on(self, town: Town, name: str, status: int = 201, password: str = PASSWORD) -> httpx.Response:
        body = {"phone": town.phones[name], "password": password}
        return await self.ask("POST", "/counter/sign-on", status, json=body)

    async def see(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path, headers=self.cookie)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, path: str, key: str = "", /, **fields: object) -> httpx.Response:
        data = {name: str(value) for name, value in fields.items()}
        known = {"_csrf": csrf_token(self.token), "_key": key or nonce()}
        return await self.client.post(path, data=data | known, headers=self.cookie)


async def tablet(client: httpx.AsyncClient, town: Town, by: str = "周敏", station: str = STATION) -> Tablet:
    """A tablet that somebody pairs, or a further one that a second person has agreed to; nobody is signed on to it."""
    try:
        made = await devices.register_device(await town.scope(by), town.stations[station], name="平板", kind="counter")
    except devices.DeviceInPlace:
        async with operating():
            made = await devices.register_device(town.system(), town.stations[station], name="平板", kind="counter")
    return Tablet(client, made)


async def has_password(town: Town, *names: str) -> None:
    """Let these people sign in with a password."""
    for name in names:
        await set_password(town.logins[name], town.phones[name], PASSWORD)


async def kept(client: httpx.AsyncClient, town: Town, keeper: str = "周敏", station: str = STATION) -> Tablet:
    """A tablet with a keeper signed on to it."""
    made = await tablet(client, town, station=station)
    await has_password(town, keeper)
    await made.sign_on(town, keeper)
    return made


async def kept_scope(town: Town, token: str, keeper: str = "周敏") -> Scope:
    """A counter device's scope after its keeper has signed on."""
    device = await devices.find_device(token)
    assert device is not None
    await has_password(town, keeper)
    await sign_on(device, SignOnIn(PASSWORD, town.phones[keeper]))
    found = await devices.find_device(token)
    assert found is not None
    return found


async def stands_here(scope: Scope, town: Town, name: str, station: str = STATION) -> str:
    """The nonce of a scan by which the caller has recognised this person at the counter."""
    asked = ScanIn(
        code=personal_code(town, name), nonce=nonce(), station_id=_station(scope, town, station), purpose="look"
    )
    verdict = await scan(scope, asked)
    assert verdict.status == "ok", verdict
    return asked.nonce


def _station(scope: Scope, town: Town, station: str) -> UUID | None:
    return None if scope.device_id else town.stations[station]

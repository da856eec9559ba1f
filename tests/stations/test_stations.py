"""Stations, their opening hours, their codes and their devices."""

from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest

from tests.support.counter import kept_scope
from tests.support.town import Town
from timebank.access.devices import at_stations, devices
from timebank.core import clock, codes
from timebank.core.errors import Forbidden
from timebank.overview.closing import change_station
from timebank.stations import station_codes
from timebank.stations.schemas import DeviceIn, StationChange, StationIn
from timebank.stations.stations import add_station, station_row


async def test_stations_are_listed_to_residents_of_the_community_alone(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/stations")).status_code == 401
    mine = await client.get("/api/v1/stations", headers=await town.sign_in("张桂兰"))
    assert [s["name"] for s in mine.json()["items"]] == ["慈善超市", "暖蜂驿站"]
    theirs = await client.get("/api/v1/stations", headers=await town.sign_in("马涛"))
    assert [s["name"] for s in theirs.json()["items"]] == ["龙泉驿站"]
    unseen = await client.get(f"/api/v1/stations/{town.stations['暖蜂驿站']}", headers=await town.sign_in("马涛"))
    assert unseen.status_code == 404


async def test_an_admin_adds_a_station_and_closes_it(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("赵丽")
    body = {"name": "米邻驿站", "opens_at": "08:30", "closes_at": "17:30", "address": "东街 3 号"}
    made = await client.post("/api/v1/stations", json=body, headers=headers)
    assert (made.status_code, made.json()["opens_at"]) == (201, "08:30")
    again = await client.post("/api/v1/stations", json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "station_name_taken")
    address = f"/api/v1/stations/{made.json()['id']}"
    closed = await client.patch(address, json={"active": False}, headers=headers)
    assert (closed.json()["active"], closed.json()["name"]) == (False, "米邻驿站")
    for name in ("张桂兰", "周敏", "孙伟"):
        other = await town.sign_in(name)
        assert (await client.post("/api/v1/stations", json=body, headers=other)).status_code == 403
        assert (await client.patch(address, json={"active": True}, headers=other)).status_code == 403


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "站", "closes_at": "24:00"}, 400, "bad_request"),
        ({"name": "远站", "area_id": str(UUID(int=9))}, 422, "station_area_unknown"),
        ({"name": "", "opens_at": "20:00"}, 400, "bad_request"),
        ({"name": "站", "opens_at": "25:00"}, 400, "bad_request"),
        ({"name": "站\u0000"}, 400, "bad_request"),
        ({"name": "站", "colour": "red"}, 400, "bad_request"),
    ],
)
async def test_a_station_that_cannot_be_is_refused(
    town: Town, client: httpx.AsyncClient, body: dict[str, object], status: int, code: str
) -> None:
    refused = await client.post("/api/v1/stations", json=body, headers=await town.sign_in("赵丽"))
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_the_code_is_for_those_who_serve_at_the_station(town: Town, client: httpx.AsyncClient) -> None:
    address = f"/api/v1/stations/{town.stations['暖蜂驿站']}/code"
    other = f"/api/v1/stations/{town.stations['慈善超市']}/code"
    assert (await client.get(address)).status_code == 401
    for name, status in (("张桂兰", 403), ("孙伟", 403), ("马涛", 404), ("周敏", 200), ("赵丽", 200)):
        assert (await client.get(address, headers=await town.sign_in(name))).status_code == status, name
    assert (await client.get(other, headers=await town.sign_in("周敏"))).status_code == 403
    device = await devices.register_device(
        await town.scope("周敏"), town.stations["暖蜂驿站"], name="大屏", kind="display"
    )
    bearer = {"Authorization": f"Bearer {device.token}"}
    shown = (await client.get(address, headers=bearer)).json()
    assert (await client.get(other, headers=bearer)).status_code == 403
    assert shown["url"] == f"http://test/{shown['code']}"
    assert shown["step_seconds"] == 15
    left = datetime.fromisoformat(shown["expires_at"]) - datetime.fromisoformat(shown["server_time"])
    assert timedelta(seconds=15) <= left <= timedelta(seconds=30)
    for form, kind, start in (("png", "image/png", b"\x89PNG"), ("svg", "image/svg+xml", b"<?xml")):
        picture = await client.get(f"{address}.{form}", headers=bearer)
        assert (picture.headers["content-type"].split(";")[0], picture.content[: len(start)]) == (kind, start)


async def test_a_code_is_accepted_until_just_the_moment_it_names(town: Town) -> None:
    keeper = await town.scope("周敏")
    shown = await station_codes.code_on_screen(keeper, town.stations["暖蜂驿站"])
    code = codes.read(shown.code)
    assert isinstance(code, codes.StationCode)
    assert codes.is_fresh(code, shown.expires_at - timedelta(milliseconds=1))
    assert not codes.is_fresh(code, shown.expires_at)


async def test_a_new_key_ends_every_code_shown_before(town: Town) -> None:
    admin, station = await town.scope("赵丽"), town.stations["暖蜂驿站"]
    before = codes.read((await station_codes.code_on_screen(admin, station)).code)
    assert isinstance(before, codes.StationCode)
    await station_codes.rotate_key(admin, station, "屏幕被拍了照")
    found = await station_row(admin, station)
    assert found is not None
    assert not codes.is_genuine(before, found.code_epoch)
    with pytest.raises(Forbidden):
        await station_codes.rotate_key(await town.scope("周敏"), station, "不是管理员")


async def test_a_counter_serves_at_its_station_and_a_display_only_shows(town: Town) -> None:
    keeper, station = await town.scope("周敏"), town.stations["暖蜂驿站"]
    for wanted, serves in ((DeviceIn("平板", "counter"), True), (DeviceIn("大屏", "display"), False)):
        made = await at_stations.add_device(keeper, station, wanted)
        assert made.token not in made.url
        scope = await devices.find_device(made.token)
        assert scope is not None
        assert not scope.keeps(station), "a device is nobody until a keeper has signed on"
        if serves:
            scope = await kept_scope(town, made.token)
        assert scope.keeps(station) is serves
        await devices.revoke(keeper, made.id)
        assert await devices.find_device(made.token) is None
    with pytest.raises(Forbidden):
        await at_stations.add_device(keeper, town.stations["慈善超市"], DeviceIn("设备", "counter"))


async def test_a_station_is_open_between_its_hours(town: Town) -> None:
    admin = await town.scope("赵丽")
    made = await add_station(admin, StationIn(name="晨站", opens_at="08:00", closes_at="18:00"))
    row = await station_row(admin, made.id)
    assert row is not None
    today = clock.local_day()
    hours = row.opening(clock.now())
    opens, closes = hours.begin, hours.closing(hours.begin)
    assert (row.is_open(opens), row.is_open(closes), row.is_open(opens - timedelta(seconds=1))) == (True, False, False)
    assert (clock.local(opens).date(), clock.local(closes).hour) == (today, 18)
    await change_station(admin, made.id, StationChange(active=False))
    closed = await station_row(admin, made.id)
    assert closed is not None
    assert not closed.is_open(opens)

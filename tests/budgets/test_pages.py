"""Pages."""

import httpx
import pytest

from tests.support.counter import kept as kept_tablet
from tests.support.presence import served
from tests.support.town import Town
from tests.support.wire import Wire
from timebank.http.callers import SESSION_COOKIE, csrf_token


async def test_home(client: httpx.AsyncClient, town: Town, wire: Wire) -> None:
    await served(town, "刘洋", 90)
    token = await town.token("刘洋")
    await wire.renew()
    page = await client.get("/", headers={"Cookie": f"{SESSION_COOKIE}={token}"})
    assert page.status_code == 200
    print("HOME", wire.listed())
    await wire.renew()
    page = await client.get("/api/v1/me/statement", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 200
    print("STATEMENT", wire.listed())
    await wire.renew()
    page = await client.get("/api/v1/me/balances", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 200
    print("BALANCES", wire.listed())
    token = await town.token("赵丽")
    await wire.renew()
    page = await client.get("/admin", headers={"Cookie": f"{SESSION_COOKIE}={token}"})
    assert page.status_code == 200
    print("ADMIN", wire.listed())
    tab = await kept_tablet(client, town)
    await wire.renew()
    page = await tab.send("/desk/people", name="刘洋", digits=town.phones["刘洋"][-4:])
    assert page.status_code == 200, page.status_code
    print("DESK", wire.listed())
    assert 0

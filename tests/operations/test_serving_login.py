"""An installation whose service connects with a serving-only database login; also one from before that login."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import as_login
from tests.support.outside import PASSWORD, PHONE, Outside, is_ready, lines, outside, ready, sign_in, until

MANY = ("--name", "何晓梅", "--phone", PHONE, "--community", "梅林社区", "--password-stdin")


@pytest.fixture(scope="module")
def place() -> Iterator[Outside]:
    """A database server on which the service's database login does not exist yet."""
    with outside() as there:
        yield there


def both(place: Outside) -> dict[str, str]:
    return {"TIMEBANK_OPERATOR_DATABASE_URL": place.url, **serving(place)}


def serving(place: Outside) -> dict[str, str]:
    return {"TIMEBANK_DATABASE_URL": as_login(place.url, "timebank_web")}


def test_a_town_is_founded_and_works_by_a_login_that_only_serves(place: Outside) -> None:
    assert place.run("migrate", **both(place)).returncode == 0
    founding = ("create-admin", *MANY, "--county", "清江县", "--street", "梅林街道")
    for by, problem in ((serving(place), "TIMEBANK_OPERATOR_DATABASE_URL"), (both(place), "")):
        made = place.run(*founding, given=f"{PASSWORD}\n", **by)
        assert (made.returncode == 0, problem in made.stderr) == (not problem, True), made.stderr
    assert place.run("migrate", **both(place)).returncode == 0, "again, and nothing to do"
    process = place.begin("serve", "--port", "0", **serving(place))
    address = place.address(process)
    until(lambda: is_ready(address))
    assert "warnings" not in ready(address).json()
    admin = sign_in(address)
    with httpx.Client(base_url=f"{address}/api/v1", headers=admin, timeout=30) as client:
        me = client.get("/me").json()["persons"][0]
        community = me["community_id"]
        assert client.post("/areas", json={"kind": "grid", "name": "第一网格"}).status_code == 201
        person = client.post("/people", json={"name": "林小满", "phone": "19900008002"}).json()
        code = client.post(f"/people/{person['id']}/sign-in-code")
        assert code.status_code == 201, code.text
        opened = client.post("/sessions", json={"phone": "19900008002", "otp": code.json()["code"]}).json()
        own = {"Authorization": f"Bearer {opened['token']}"}
        assert client.post("/me/password", json={"password": "小满的密码-2026"}, headers=own).status_code == 204
        again = client.post("/sessions", json={"phone": "19900008002", "password": "小满的密码-2026"})
        assert again.status_code == 201
        role = {"person_id": person["id"], "role": "auditor", "region_id": community}
        waits = client.post("/roles", json=role)
        assert waits.status_code == 202, waits.text
        agreed = place.run("confirm", waits.json()["waiting"], **both(place))
        assert agreed.returncode == 0, agreed.stderr
        [granted] = client.get("/roles", params={"person_id": person["id"]}).json()["items"]
        ended = client.delete(f"/roles/{granted['id']}")
        assert ended.status_code == 202, ended.text
        rule = {
            "kind": "deed", "name": "调解", "code": "mediation", "points": 10, "unit": "每件", "cap_period": "week",
            "cap_per_person": 3,
        }  # fmt: skip
        assert client.post("/rules", json=rule).status_code in {200, 201}
        assert client.delete("/sessions/current", headers=own).status_code == 204
        assert client.get("/me", headers=own).status_code == 401
    assert place.run("check", "all", **serving(place)).returncode == 0
    assert not [line for line in lines(place.said(process)) if line["event"] in {"failed", "constraint"}]


def test_an_installation_whose_login_may_do_everything_goes_on_and_is_told(place: Outside) -> None:
    process = place.begin("serve", "--port", "0")
    address = place.address(process)
    until(lambda: is_ready(address))
    assert ready(address).json()["warnings"] == ["serving_login_may_do_everything"]
    warned = [line for line in lines(place.said(process)) if "may do everything" in str(line["event"])]
    assert [line["level"] for line in warned] == ["warning"]

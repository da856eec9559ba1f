"""What the service answers to monitoring: liveness, readiness and metrics."""

import httpx

from tests.support.town import Town


async def test_the_service_tells_that_it_is_alive_and_ready(town: Town, client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "missing": []})


async def test_metrics_count_routes_and_name_nobody(town: Town, client: httpx.AsyncClient) -> None:
    person = str(town.people["张桂兰"])
    assert (await client.get(f"/api/v1/people/{person}", headers=await town.sign_in("赵丽"))).status_code == 200
    await client.get("/display/tbd_not_a_token")
    told = (await client.get("/metrics")).text
    assert 'timebank_requests_total{app_name="timebank",method="GET",path="/api/v1/people/{person_id}"' in told
    assert person not in told
    assert "not_a_token" not in told

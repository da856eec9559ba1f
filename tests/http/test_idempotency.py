"""Idempotency keys: stored with the community, so that what a tenant's transaction writes is the tenant's."""

from datetime import timedelta

import asyncpg
import httpx

from tests.support.town import PHOENIX, SPRING, Town
from timebank.core import clock


async def test_one_key_in_two_communities_is_two_requests_each_with_its_own_answer(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    headers = await town.sign_in("钱进") | {"Idempotency-Key": "the same key"}
    began, ids = clock.now() - timedelta(days=2), set()
    for community in (PHOENIX, SPRING):
        there = headers | {"X-Community-Id": str(town.communities[community])}
        served = next(name for name, home in town.home.items() if home == town.communities[community])
        hours = {
            "person_id": str(town.people[served]), "started_at": began.isoformat(), "reason": "街道的活动",
            "ended_at": (began + timedelta(hours=1)).isoformat(),
        }  # fmt: skip
        first = await client.post("/api/v1/service-records", headers=there, json=hours)
        again = await client.post("/api/v1/service-records", headers=there, json=hours)
        assert (first.status_code, again.status_code) == (201, 201), first.text + again.text
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.content == first.content
        ids.add(first.json()["id"])
    stored = await owner.fetch("SELECT community_id, caller_id FROM idempotent_request WHERE key = 'the same key'")
    assert {row["community_id"] for row in stored} == set(town.communities.values())
    assert {row["caller_id"] for row in stored} == {town.logins["钱进"]}
    assert len(ids) == len(stored) == 2

"""Offline scans by a device with a wrong clock: times are corrected by the measured difference, records flagged."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.counter import kept_scope
from tests.support.presence import body, card, count, later, nine_o_clock, personal_code, points_of
from tests.support.town import Town
from timebank.access.devices import devices
from timebank.core import clock
from timebank.presence.evidence.device_clock import goes_back, measured, offline_flags

BATCH = "/api/v1/checkins/batch"
NOON = datetime(2026, 5, 20, 4, tzinfo=UTC)


def test_a_clock_is_measured_once_and_called_wrong_beyond_two_minutes() -> None:
    for seconds, wrong in ((0, False), (120, False), (121, True), (-121, True), (3 * 3600, True)):
        found = measured(NOON + timedelta(seconds=seconds), NOON)
        assert (found.is_wrong, found.corrected(NOON + timedelta(seconds=seconds))) == (wrong, NOON)
    untold = measured(None, NOON)
    assert (untold.is_wrong, untold.corrected(NOON)) == (False, NOON)


@pytest.mark.parametrize(("minutes", "back"), [((0, 1, 5), False), ((0, 5, 4), False), ((0, 5, 2), True), ((), False)])
def test_times_that_go_back_say_that_the_clock_was_changed(minutes: tuple[int, ...], back: bool) -> None:
    assert goes_back([NOON + timedelta(minutes=m) for m in minutes]) is back


def test_every_offline_scan_is_flagged() -> None:
    assert offline_flags(measured(NOON, NOON), timedelta()) == ["offline"]
    assert offline_flags(measured(None, NOON), timedelta(minutes=16)) == ["offline", "offline_late"]
    assert offline_flags(measured(NOON, NOON + timedelta(hours=3)), timedelta()) == ["offline", "skew"]


class Tablet:
    """Collects offline scans with a clock that is `ahead` of the server's, and sends them as one batch."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str], ahead: timedelta) -> None:
        self.client, self.headers, self.ahead = client, headers, ahead
        self.rows: list[dict[str, object]] = []

    def scan(self, code: str, at: datetime, **more: object) -> None:
        """Add a scan, made at the true time `at`, with the time that the tablet's clock shows."""
        self.rows.append(body(code, offline=True, occurred_at=(at + self.ahead).isoformat()) | more)

    async def send(self, at: datetime, **more: object) -> list[dict[str, Any]]:
        told = {"device_now": (at + self.ahead).isoformat()} if "device_now" not in more else more
        sent = {"rows": self.rows} | {name: value for name, value in told.items() if value is not None}
        with clock.at(at):
            answer = await self.client.post(BATCH, json=sent, headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["results"]
        return found


async def tablet(town: Town, client: httpx.AsyncClient, ahead: timedelta) -> Tablet:
    return Tablet(client, await town.sign_in("周敏"), ahead)


async def test_a_tablet_three_hours_fast_loses_no_minute(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    fast = await tablet(town, client, timedelta(hours=3))
    fast.scan(code, begin)
    fast.scan(code, begin + timedelta(minutes=60))
    came, left = await fast.send(begin + timedelta(minutes=65))
    assert (came["direction"], datetime.fromisoformat(came["visit"]["in_at"])) == ("in", begin)
    assert (left["direction"], left["visit"]["minutes"]) == ("out", 60)
    assert left["attention"] == ["offline", "offline_late", "skew", "pending_review"]
    assert came["attention"] == ["offline", "offline_late", "skew"]
    assert await points_of(town, "张桂兰") == 0
    kept = await owner.fetchrow("SELECT scanned_at, device_at, skew_seconds FROM scan ORDER BY scanned_at LIMIT 1")
    assert kept is not None
    assert tuple(kept) == (begin, begin + timedelta(hours=3), -3 * 3600)


async def test_a_tablet_five_minutes_slow_reads_every_phone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, slow = nine_o_clock(), await tablet(town, client, -timedelta(minutes=5))
    for minutes in (0, 40):
        with later(begin, minutes):
            slow.scan(personal_code(town, "张桂兰"), clock.now())
    results = await slow.send(begin + timedelta(minutes=60))
    assert [(r["status"], r["direction"]) for r in results] == [("ok", "in"), ("ok", "out")]
    assert results[1]["visit"]["minutes"] == 40
    assert results[1]["attention"] == ["offline", "offline_late", "skew", "pending_review"]


async def test_a_phones_code_is_still_bound_to_its_minute(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, right = nine_o_clock(), await tablet(town, client, timedelta())
    with clock.at(begin):
        code = personal_code(town, "张桂兰")
    right.scan(code, begin + timedelta(minutes=3))
    (refused,) = await right.send(begin + timedelta(minutes=10))
    assert refused["reason"] == "expired_code"


async def test_a_right_clock_is_flagged_as_offline_alone(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, right = nine_o_clock(), await tablet(town, client, timedelta(seconds=90))
    code = await card(town, owner, "张桂兰")
    right.scan(code, begin)
    right.scan(code, begin + timedelta(minutes=9))
    results = await right.send(begin + timedelta(minutes=10))
    assert [r["attention"] for r in results] == [["offline"], ["offline", "pending_review"]]


async def test_a_page_of_before_that_tells_no_clock_is_taken_at_its_word_and_looked_at(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    old = await tablet(town, client, timedelta())
    old.scan(code, begin)
    old.scan(code, begin + timedelta(minutes=60))
    results = await old.send(begin + timedelta(minutes=70), device_now=None)
    assert results[1]["visit"]["minutes"] == 60
    assert results[1]["attention"] == ["offline", "offline_late", "pending_review"]


async def test_a_time_to_come_is_refused_in_words_and_kept(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    fast = await tablet(town, client, timedelta(hours=3))
    fast.scan(code, begin)
    (refused,) = await fast.send(begin + timedelta(minutes=5), device_now=None)
    assert (refused["status"], refused["reason"]) == ("error", "error")
    assert "时钟不准" in refused["texts"][0]
    kept = await owner.fetchrow("SELECT received_at, device_at, skew_seconds FROM scan")
    assert kept is not None
    assert tuple(kept) == (begin + timedelta(minutes=5), begin + timedelta(hours=3), None)
    assert await count(owner, "visit") == 0


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z"])
@pytest.mark.parametrize("device_now", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", None])
async def test_a_moment_beyond_every_calendar_is_refused_in_words(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection, moment: str, device_now: str | None
) -> None:
    odd = await tablet(town, client, timedelta())
    odd.rows = [body(await card(town, owner, "张桂兰"), offline=True, occurred_at=moment)]
    (result,) = await odd.send(clock.now(), device_now=device_now)
    assert result["status"] in ("ok", "error")
    assert await count(owner, "scan") == 1


async def test_a_tablet_that_fell_back_to_1970_is_corrected(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    reset = await tablet(town, client, datetime(1970, 1, 1, tzinfo=UTC) - begin)
    reset.scan(code, begin)
    reset.scan(code, begin + timedelta(minutes=30))
    results = await reset.send(begin + timedelta(minutes=31))
    assert results[1]["visit"]["minutes"] == 30


async def test_a_time_before_the_tablet_was_paired_is_refused(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    with clock.at(begin):
        counter = await devices.register_device(
            await town.scope("周敏"), town.stations["暖蜂驿站"], name="平板", kind="counter"
        )
        await kept_scope(town, counter.token)
    paired = Tablet(client, {"Authorization": f"Bearer {counter.token}"}, timedelta())
    paired.scan(code, begin - timedelta(minutes=30))
    paired.scan(code, begin + timedelta(minutes=10))
    refused, came = await paired.send(begin + timedelta(minutes=20))
    assert (refused["status"], came["direction"]) == ("error", "in")
    assert "启用之前" in refused["texts"][0]


async def test_rows_out_of_order_are_judged_in_the_order_of_their_times(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    right = await tablet(town, client, timedelta())
    for minutes in (60, 0):
        right.scan(code, begin + timedelta(minutes=minutes))
    left, came = await right.send(begin + timedelta(minutes=70))
    assert (came["direction"], left["direction"], left["visit"]["minutes"]) == ("in", "out", 60)
    assert "skew" in left["attention"], "the clock may have been changed between the two"


async def test_a_clock_set_back_between_two_rows_is_flagged(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code, other = nine_o_clock(), await card(town, owner, "张桂兰"), await card(town, owner, "李秀英")
    changed = await tablet(town, client, timedelta(minutes=30))
    changed.scan(code, begin)
    changed.ahead = timedelta()
    changed.scan(other, begin + timedelta(minutes=10))
    results = await changed.send(begin + timedelta(minutes=40))
    assert all(r["status"] == "ok" and "skew" in r["attention"] for r in results)


async def test_an_end_before_its_beginning_is_refused_in_words(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    right = await tablet(town, client, timedelta())
    right.scan(code, begin, direction="in")
    await right.send(begin + timedelta(minutes=5))
    right.rows = []
    right.scan(code, begin - timedelta(minutes=20), direction="out")
    (refused,) = await right.send(begin + timedelta(minutes=30))
    assert (refused["status"], refused["reason"]) == ("error", "overlap")


async def test_rows_sent_again_are_the_same_scans_whatever_the_clock_says_then(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    right = await tablet(town, client, timedelta())
    right.scan(code, begin)
    first = await right.send(begin + timedelta(minutes=5))
    again = await right.send(begin + timedelta(minutes=90))
    assert [r["replayed"] for r in (*first, *again)] == [False, True]
    assert first[0]["visit"] == again[0]["visit"]


async def test_one_offline_scan_tells_its_clock_with_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, ahead = nine_o_clock(), timedelta(hours=1)
    sent = body(
        await card(town, owner, "张桂兰"), offline=True, occurred_at=(begin + ahead).isoformat(),
        device_now=(begin + ahead + timedelta(minutes=3)).isoformat(),
    )  # fmt: skip
    with later(begin, 3):
        answer = await client.post("/api/v1/checkins", json=sent, headers=await town.sign_in("周敏"))
    assert datetime.fromisoformat(answer.json()["visit"]["in_at"]) == begin
    assert answer.json()["attention"] == ["offline", "skew"]


async def test_who_sent_a_scan_with_a_time_of_its_own_does_not_approve_it(
    town: Town, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    begin, code = nine_o_clock(), await card(town, owner, "张桂兰")
    sender = Tablet(client, await town.sign_in("赵丽"), timedelta())
    station = str(town.stations["暖蜂驿站"])
    sender.scan(code, begin, station_id=station)
    sender.scan(code, begin + timedelta(minutes=60), station_id=station)
    results = await sender.send(begin + timedelta(minutes=65))
    address, asked = f"/api/v1/service-records/{results[1]['record_id']}/review", {"decision": "approve"}
    own = await client.post(address, json=asked, headers=await town.sign_in("赵丽"))
    assert (own.status_code, own.json()["code"]) == (403, "own_record")
    other = await client.post(address, json=asked, headers=await town.sign_in("钱进"))
    assert (other.status_code, other.json()["credited_minutes"]) == (200, 60)

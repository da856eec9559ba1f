"""An installation of version 0.1.0 is upgraded; its people's tokens, codes, cards and requests stay valid.

tests/make_old_dump.py made tests/data/first_version with the code of that version.
"""

import gzip
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.make_old_dump import DAY, PASSWORD, SECRET, at
from tests.support.elsewhere import elsewhere
from timebank.core import clock, names, settings
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.migrate import known, migrate
from timebank.operations import worker
from timebank.operations.first_schema import MADE_BY

FILES = Path(__file__).parents[1] / "data" / "first_version"
AFTERNOON = at(DAY, 15)

# Roles belong to the server and are not in a database's dump, so a restore creates them first.
ROLES = """
DO $$ BEGIN CREATE ROLE timebank_owner NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE timebank_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
"""


@dataclass
class Old:
    """The old installation after its upgrade; `told` holds what its people got before it (tokens, codes, answers)."""

    url: str
    client: httpx.AsyncClient
    told: dict[str, Any]
    ran: list[str]

    async def ask(self, method: str, path: str, name: str | None, status: int = 200, **more: Any) -> Any:
        answer = await self.send(method, path, name, **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:2000])
        return answer.json() if answer.content else None

    async def send(self, method: str, path: str, name: str | None, **more: Any) -> httpx.Response:
        headers = {"X-Community-Id": self.told["community"], "Idempotency-Key": more.pop("key", uuid4().hex)}
        headers |= self.told["tokens"][name] if name else {}
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    async def scan(self, name: str, code: str) -> Any:
        verdict = await self.ask("POST", "/checkins", name, json={"code": code, "nonce": uuid4().hex})
        assert verdict["status"] == "ok", verdict
        return verdict

    async def shown(self) -> str:
        """The code URL that the station's screen shows now, requested with the screen's old token."""
        code: str = (await self.ask("GET", f"/stations/{self.told['station']}/code", "display"))["url"]
        return code

    async def points(self, name: str) -> int:
        available: int = (await self.ask("GET", "/me/balances", name))["points"]["available"]
        return available


async def restore(url: str) -> None:
    """Run the dump as an SQL script; the current user becomes the owner of the operator's objects."""
    script = gzip.decompress((FILES / "dump.sql.gz").read_bytes()).decode()
    connection = await asyncpg.connect(url)
    await connection.execute(ROLES)
    await connection.execute(script.replace("OWNER TO timebank;", "OWNER TO CURRENT_USER;"))
    await connection.close()


async def object_to_both(url: str) -> None:
    """Insert a decided objection to a deed and one to a service record, each in a column of its own at that version."""
    connection = await asyncpg.connect(url)
    for column, table in (("deed_id", "deed"), ("service_record_id", "service_record")):
        await connection.execute(
            f"INSERT INTO objection (community_id, id, {column}, person_id, reason, created_at, upheld, decided_at) "
            "SELECT s.community_id, gen_random_uuid(), s.id, p.id, '没见过', s.created_at, false, s.created_at "
            f"FROM {table} s JOIN person p ON p.community_id = s.community_id AND p.id <> s.person_id LIMIT 1"
        )
    await connection.close()


def check_all(url: str) -> "subprocess.CompletedProcess[str]":
    """`timebank check all`, as the operator runs it after an upgrade."""
    environment = os.environ | {"TIMEBANK_DATABASE_URL": url, "TIMEBANK_SECRET_KEY": SECRET}
    command = [sys.executable, "-m", "timebank", "check", "all"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
async def old(pool: str, owner: asyncpg.Connection, client: httpx.AsyncClient) -> AsyncIterator[Old]:
    """The old installation, restored, migrated and served; after the test its ledger check must find no problem."""
    used = await owner.fetchval("SELECT current_database()")
    name = f"{used}_{secrets.token_hex(3)}"
    await owner.execute(f'CREATE DATABASE "{name}"')
    url = pool.replace(used, name)
    told = json.loads((FILES / "told.json").read_text(encoding="utf-8"))
    await restore(url)
    await object_to_both(url)
    ran = await migrate(url)
    chosen = replace(settings.current(), database_url=url, secret_key=SECRET.encode(), base_url="http://meilin.example")
    async with elsewhere(chosen, 5):
        here = Old(url, client, told, ran)
        yield here
        signs_in = {"phone": told["phones"]["何晓梅"], "password": PASSWORD}  # the old session may have expired
        token = (await here.ask("POST", "/sessions", None, 201, json=signs_in))["token"]
        here.told["tokens"]["何晓梅"] = {"Authorization": f"Bearer {token}"}
        books = await here.ask("GET", "/ledger/check", "何晓梅")
    await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert (books["ok"], books["problems"]) == (True, [])


def everything_in(told: Any, now: Any) -> bool:
    """Whether an answer still contains all earlier values; a later version may add fields."""
    if isinstance(told, dict):
        return isinstance(now, dict) and all(key in now and everything_in(told[key], now[key]) for key in told)
    if isinstance(told, list):
        return isinstance(now, list) and len(told) == len(now) and all(map(everything_in, told, now))
    return bool(told == now)


async def test_an_old_installation_is_brought_up_to_date_and_its_books_balance(old: Old) -> None:
    assert old.ran == [name for name in known() if name not in MADE_BY]
    assert await migrate(old.url) == []
    checked = check_all(old.url)
    assert checked.returncode == 0, checked.stdout + checked.stderr


async def test_everybody_has_what_they_had(old: Old) -> None:
    with clock.at(AFTERNOON):
        for name, told in old.told["balances"].items():
            now = await old.ask("GET", "/me/balances", name)
            assert (now["points"]["available"], now["points"]["held"]) == (
                told["points"]["available"], told["points"]["held"],
            ), name  # fmt: skip
            assert now["minutes"] == told["minutes"], name
            minutes = [
                {(m["child_id"], m["course_id"], m["available"]) for m in b["class_minutes"]} for b in (told, now)
            ]
            assert minutes[0] == minutes[1], name
        books = await old.ask("GET", "/ledger/check", "何晓梅")
        assert everything_in(old.told["books"]["currencies"], books["currencies"])


async def test_everybody_of_before_is_found_by_the_key_of_the_name(old: Old) -> None:
    owner = await asyncpg.connect(old.url)
    found = await owner.fetch("SELECT name, name_key FROM person")
    await owner.close()
    assert found
    assert [row["name_key"] for row in found] == [names.key(row["name"]) for row in found]


async def test_an_old_session_goes_on_and_an_old_password_signs_in(old: Old) -> None:
    with clock.at(AFTERNOON):
        me = await old.ask("GET", "/me", "张桂兰")
        assert [person["name"] for person in me["persons"]] == ["张桂兰"]
        signs_in = {"phone": old.told["phones"]["刘洋"], "password": PASSWORD}
        again = await old.ask("POST", "/sessions", None, 201, json=signs_in)
        assert [person["name"] for person in again["persons"]] == ["刘洋"]
        assert (await old.ask("GET", "/me/messages", "王建国"))["items"]


async def test_the_open_visit_is_checked_out_and_credited(old: Old) -> None:
    with clock.at(AFTERNOON):
        before = await old.points("张桂兰")
        out = await old.scan("张桂兰", await old.shown())
        assert (out["direction"], out["visit"]["id"]) == ("out", old.told["open_visit"]["id"])
        assert (out["credited"]["minutes"], out["credited"]["points"]) == (360, 60)
        assert await old.points("张桂兰") == before + 60


async def test_the_paired_tablet_asks_for_a_sign_on_and_reads_a_card_that_was_printed_before(old: Old) -> None:
    with clock.at(AFTERNOON):
        scan = {"code": old.told["card"], "nonce": secrets.token_urlsafe(24)}
        refused = await old.ask("POST", "/checkins", "counter", 403, json=scan)
        assert refused["code"] == "sign_on_needed"
        signs_on = {"phone": old.told["phones"]["周敏"], "password": PASSWORD}
        await old.ask("POST", "/counter/sign-on", "counter", 201, json=signs_on)
        came = await old.scan("counter", old.told["card"])
        assert (came["direction"], came["person"]["id"]) == ("in", old.told["people"]["李秀英"])
    with clock.at(AFTERNOON + timedelta(hours=1)):
        assert (await old.scan("counter", old.told["card"]))["direction"] == "out"


async def test_what_was_reserved_is_collected_with_its_old_code(old: Old) -> None:
    with clock.at(AFTERNOON):
        held = old.told["held"]
        done = await old.ask("POST", f"/redemptions/{held['id']}/collection", "周敏", json={"code": held["code"]})
        assert done["status"] == "collected"
        assert (await old.ask("GET", "/me/balances", "刘洋"))["points"]["held"] == 0


async def test_the_codes_of_before_are_found_at_the_counter(old: Old) -> None:
    with clock.at(AFTERNOON):
        for noun in ("redemption", "booking"):
            told = old.told["held" if noun == "redemption" else "booked"]
            (found,) = (await old.ask("GET", f"/{noun}s?code={told['code']}", "周敏"))["items"]
            assert found["id"] == told["id"]
            mine = (await old.ask("GET", f"/{noun}s", "刘洋"))["items"]
            assert [each["code"] for each in mine if each["id"] == told["id"]] == [told["code"]]


async def test_a_seat_that_had_the_code_of_a_reservation_by_chance_has_one_of_its_own_after_the_upgrade(
    pool: str, owner: asyncpg.Connection
) -> None:
    """The number after it has been another seat's, so the seat gets the one after that."""
    used = await owner.fetchval("SELECT current_database()")
    name = f"{used}_{secrets.token_hex(3)}"
    await owner.execute(f'CREATE DATABASE "{name}"')
    url = pool.replace(used, name)
    await restore(url)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE redemption SET code = '99999999' WHERE status = 'reserved'")
        await connection.execute("UPDATE booking SET code = '99999999' WHERE status = 'held'")
        await connection.execute("UPDATE booking SET code = '00000000' WHERE status = 'attended'")
        await migrate(url)
        found = await connection.fetch("SELECT noun, code FROM pickup ORDER BY noun")
        assert [tuple(row) for row in found] == [("booking", "00000001"), ("redemption", "99999999")]
    finally:
        await connection.close()
        await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_what_was_reserved_can_still_be_given_back(old: Old) -> None:
    with clock.at(AFTERNOON):
        before = await old.points("刘洋")
        await old.ask("DELETE", f"/redemptions/{old.told['held']['id']}", "刘洋")
        assert await old.points("刘洋") == before + 16


async def test_the_lesson_that_was_booked_is_attended(old: Old) -> None:
    with clock.at(at(DAY + timedelta(days=3), 16, 32)):
        booked = old.told["booked"]
        came = await old.ask("POST", f"/bookings/{booked['id']}/attendance", "周敏", json={"code": booked["code"]})
        assert came["status"] == "attended"
        (left,) = (await old.ask("GET", "/me/balances", "刘洋"))["class_minutes"]
        assert left["available"] == 30


@pytest.mark.parametrize("title", ["redemption", "class_hours", "donation"])
async def test_a_request_that_is_sent_again_after_the_upgrade_moves_nothing(old: Old, title: str) -> None:
    sent = old.told["requests"][title]
    with clock.at(AFTERNOON):
        before = await old.ask("GET", "/me/balances", "刘洋")
        again = await old.send("POST", sent["path"], sent["who"], json=sent["body"], key=sent["key"])
        assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (201, "true"), again.text
        assert everything_in(sent["answer"], again.json())
        assert await old.ask("GET", "/me/balances", "刘洋") == before


async def test_entries_of_before_keep_their_text_and_new_ones_are_read_in_the_reader_s_language(old: Old) -> None:
    connection = await asyncpg.connect(old.url)
    try:
        kept = await connection.fetch("SELECT DISTINCT memo FROM transfer WHERE memo <> '' AND memo_kind IS NULL")
        new = await connection.fetchval("SELECT count(*) FROM transfer WHERE memo_kind IS NOT NULL")
    finally:
        await connection.close()
    assert (len(kept) > 3, new) == (True, 0)
    with clock.at(AFTERNOON):
        await old.scan("张桂兰", await old.shown())
        told = await old.ask("GET", "/me/statement", "张桂兰")
        english = await old.client.get(
            "/api/v1/me/statement", headers=old.told["tokens"]["张桂兰"] | {"Accept-Language": "en"}
        )
    newest, *before = [item["why"] for item in english.json()["items"]]
    assert newest.startswith("6 h · ")
    assert newest.endswith("6 minutes = 1 pt")
    assert before == [item["why"] for item in told["items"]][1:], "what was written before says the same to everybody"
    assert set(before) <= {row["memo"] for row in kept} | {""}


async def test_an_entry_of_before_is_posted_again_with_a_memo_and_moves_nothing(old: Old) -> None:
    """A verb that is repeated after the upgrade gives the kind and values of what it had written as a sentence."""
    connection = await asyncpg.connect(old.url)
    deed = await connection.fetchrow(
        "SELECT t.*, a.owner_id, a.expires_on FROM transfer t JOIN account a ON a.id = t.credit_account "
        "WHERE t.kind = 'deed' AND t.leg = 1 LIMIT 1"
    )
    await connection.close()
    assert deed is not None
    scope = Scope.of_system(UUID(old.told["community"]))
    now = phrase("entry.deed", area="3栋", day=DAY, rule="调解", version=1, points=deed["amount"], unit="每件")
    again = Posting(kind="deed", key=deed["key"], source_kind="deed", source_id=deed["source_id"], memo=now)
    with clock.at(AFTERNOON):
        before = await old.points("王建国")
        posted = await posting.issue(
            scope, deed["owner_id"], posting.Currency.point, deed["amount"], again, expires_on=deed["expires_on"]
        )
        assert (posted.entry_id, posted.replayed) == (deed["entry_id"], True)
        assert await old.points("王建国") == before


async def test_hours_that_waited_for_a_review_are_reviewed_and_credited_after_their_notice(old: Old) -> None:
    waiting, hanging = old.told["honour"]["pending"], old.told["honour"]["noticed"]
    with clock.at(AFTERNOON):
        decision = {"decision": "approve", "note": "签到表上有签名"}
        await old.ask("POST", f"/service-records/{waiting}/review", "何晓梅", json=decision)
    for days in (8, 9):
        with clock.at(AFTERNOON + timedelta(days=days)):
            await worker.run_all()
            await worker.run_all()
            for record in (waiting, hanging):
                assert (await old.ask("GET", f"/service-records/{record}", "何晓梅"))["credited_minutes"] == 120


async def test_deeds_go_the_rest_of_their_way(old: Old) -> None:
    deeds = old.told["deeds"]
    with clock.at(AFTERNOON):
        before = await old.points("王建国")
        reason = {"reason": "查明是同一件事，重复申报"}
        await old.ask("POST", f"/deeds/{deeds['credited']}/reversal", "何晓梅", json=reason)
        decision = {"decision": "approve", "note": "属实", "witness_asked": True}
        await old.ask("POST", f"/deeds/{deeds['filed']}/review", "何晓梅", json=decision)
        assert await old.points("王建国") == before - 10
    with clock.at(AFTERNOON + timedelta(days=9)):
        await worker.run_all()
        await worker.run_all()
        statuses = {title: (await old.ask("GET", f"/deeds/{id_}", "王建国"))["status"] for title, id_ in deeds.items()}
        assert statuses == {"credited": "reversed", "noticed": "credited", "filed": "credited"}
        assert await old.points("王建国") == before + 10


async def test_an_objection_of_before_names_its_deed_or_its_record_as_its_subject(old: Old) -> None:
    items = (await old.ask("GET", "/objections", "何晓梅"))["items"]
    for each in items:
        assert each[f"{each['subject_kind']}_id"] == each["subject_id"]
    assert sorted(each["subject_kind"] for each in items) == ["deed", "service_record"]


async def test_grants_policies_and_rules_of_before_stay_and_are_listed_for_a_second_person(old: Old) -> None:
    listed = (await old.ask("GET", "/agreements", "何晓梅"))["items"]
    assert {each["kind"] for each in listed} >= {"office_before", "rule_before"}
    assert all(each["in_force"] and each["status"] == "waiting" and each["who"] for each in listed)


async def test_after_a_year_of_jobs_the_books_of_an_old_installation_balance(old: Old) -> None:
    """The nightly jobs expire points, end the course and void holds."""
    for days in (4, 10, 62, 75, 410, 411):
        with clock.at(AFTERNOON + timedelta(days=days)):
            await worker.run_all()
    checked = check_all(old.url)
    assert checked.returncode == 0, checked.stdout + checked.stderr


async def test_what_the_audit_alone_knew_is_kept_where_it_decides(old: Old) -> None:
    """Migrations copy from the audit who scanned, who issued a card, and prices; old cards and devices stay valid."""
    connection = await asyncpg.connect(old.url)
    try:
        ends = await connection.fetch(
            "SELECT v.in_by_login, v.out_by_login, v.out_by, i.login_id AS came, o.login_id AS went FROM visit v "
            "LEFT JOIN audit i ON i.noun_id = v.id AND i.verb = 'check_in' "
            "LEFT JOIN audit o ON o.noun_id = v.id AND o.verb = 'check_out'"
        )
        assert len([end for end in ends if end["came"]]) > 0
        assert all((end["in_by_login"], end["out_by_login"]) == (end["came"], end["went"]) for end in ends)
        about = await connection.fetch(
            "SELECT a.about_id, r.person_id FROM audit a JOIN service_record r ON r.id = a.noun_id "
            "UNION ALL SELECT a.about_id, r.person_id FROM audit a JOIN redemption r ON r.id = a.noun_id"
        )
        assert about
        assert all(each["about_id"] == each["person_id"] for each in about)
        unknown = await connection.fetchval(
            "SELECT count(*) FROM redemption r WHERE NOT EXISTS (SELECT FROM good_price p WHERE p.good_id = r.good_id "
            "AND p.points * r.quantity = r.points)"
        )
        assert unknown == 0
        cards = await connection.fetch("SELECT issued_by, issued_by_login, confirmed_at, confirmed_by_login FROM card")
        assert cards
        assert all(card["confirmed_at"] and card["confirmed_by_login"] is None for card in cards)
        assert all(card["issued_by_login"] for card in cards if card["issued_by"])
        assert await connection.fetchval("SELECT count(*) FROM device WHERE pairing_hash IS NOT NULL") == 0
    finally:
        await connection.close()
    with clock.at(AFTERNOON):
        assert await old.shown(), "the screen of before still shows its code"

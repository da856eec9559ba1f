"""Imports over HTTP: permissions, answers, and hostile files, which get a clear refusal and nothing worse."""

import io
import zipfile
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from openpyxl import Workbook

from tests.imports.files.test_workbooks import saved
from tests.imports.kinds.chengjiang import DATA
from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, ROSTER, resident, table
from tests.support.town import PHOENIX, SPRING, Town
from timebank.core import clock, locale
from timebank.imports.cells.problems import SENTENCES

GOOD = resident("林小满", phone="19900008001", head="林小满", relation="户主")
BAD = resident("林大山", phone="199000", head="林小满", relation="配偶")
KINDS = {"residents": ROSTER, "hours": HOURS, "deeds": DEEDS, "goods": GOODS}


class Desk:
    """Sends imports over HTTP as one person."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    async def send(
        self, kind: str, content: bytes, name: str = "a.csv", query: str = "", **form: str
    ) -> httpx.Response:
        return await self.client.post(
            f"/api/v1/imports/{kind}{query}", headers=self.headers, data=form, files={"file": (name, content)}
        )

    async def told(self, kind: str, content: bytes, query: str = "", **form: str) -> dict[str, Any]:
        answer = await self.send(kind, content, query=query, **form)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report


@pytest.fixture
async def desk(town: Town, client: httpx.AsyncClient) -> Desk:
    return Desk(client, await town.sign_in("赵丽"))


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "{" not in answer.json()["detail"]
    assert answer.json()["request_id"]


async def people(owner: asyncpg.Connection) -> int:
    found: int = await owner.fetchval("SELECT count(*) FROM person WHERE name LIKE '林%'")
    return found


async def test_a_report_has_every_row_in_words(desk: Desk, owner: asyncpg.Connection) -> None:
    tried = await desk.told("residents", table(ROSTER, GOOD, BAD), dry_run="true")
    assert (tried["outcome"], tried["rows"], tried["accepted"], tried["created"]) == ("tried", 2, 1, 1)
    assert tried["run_id"] is None
    assert tried["errors"] == [
        {
            "row": 3, "column": "电话", "value": "1*****", "problem": "手机号有 6 位，应为 11 位，请核对",
            "code": "phone_length", "sheet": "", "cell": "K3",
        }
    ]  # fmt: skip
    assert await people(owner) == 0


async def test_bad_rows_stay_out_alone_unless_all_or_nothing_is_asked(desk: Desk, owner: asyncpg.Connection) -> None:
    kept_out = await desk.told("residents", table(ROSTER, GOOD, BAD), skip_bad="false")
    assert (kept_out["outcome"], kept_out["accepted"], kept_out["run_id"]) == ("refused", 0, None)
    assert await people(owner) == 0
    taken = await desk.told("residents", table(ROSTER, GOOD, BAD))
    assert (taken["outcome"], taken["rows"], taken["accepted"], taken["created"]) == ("imported", 2, 1, 1)
    assert await people(owner) == 1


@pytest.mark.parametrize("in_form", [True, False])
async def test_the_choices_stand_in_the_form_or_in_the_address(
    desk: Desk, owner: asyncpg.Connection, in_form: bool
) -> None:
    async def ask(**choices: str) -> dict[str, Any]:
        query = "?" + "&".join(f"{name}={value}" for name, value in choices.items())
        content = table(ROSTER, GOOD, BAD)
        return await desk.told("residents", content, "" if in_form else query, **(choices if in_form else {}))

    assert (await ask(dry_run="true", skip_bad="true"))["outcome"] == "tried"
    assert (await ask(dry_run="false", skip_bad="true"))["outcome"] == "imported"
    assert (await ask(dry_run="false", skip_bad="true"))["outcome"] == "unchanged"
    assert await people(owner) == 1


async def test_all_four_kinds_are_taken_over_http(desk: Desk, town: Town) -> None:
    day, phone = clock.local_day().isoformat(), town.phones["张桂兰"]
    rows: dict[str, list[object]] = {
        "residents": list(GOOD),
        "hours": [day, "站点值守", "", "张桂兰", phone, "00:00", "00:01"],
        "deeds": [day, "王建国", "3栋", "调解邻里纠纷", 10, "李秀英", ""],
        "goods": ["雨伞", "把", 45, 3, "慈善超市", ""],
    }
    for kind, header in KINDS.items():
        report = await desk.told(kind, table(header, rows[kind]))
        assert (report["outcome"], report["created"], report["errors"]) == ("imported", 1, [])


async def test_runs_are_listed_page_by_page_shown_and_undone(
    desk: Desk, client: httpx.AsyncClient, town: Town, owner: asyncpg.Connection
) -> None:
    run_ids = []
    for number in range(3):
        content = table(GOODS, [f"物品{number}", "个", 5, 1, "慈善超市", ""], ["坏的", "个", 0, 1, "慈善超市", ""])
        run_ids.append((await desk.told("goods", content, skip_bad="true"))["run_id"])
    first = await client.get("/api/v1/imports?limit=2", headers=desk.headers)
    assert [run["id"] for run in first.json()["items"]] == run_ids[:0:-1]
    second = await client.get(first.links["next"]["url"], headers=desk.headers)
    assert [run["id"] for run in second.json()["items"]] == run_ids[:1]
    assert second.json()["next"] is None

    path = f"/api/v1/imports/{run_ids[0]}"
    shown = (await client.get(path, headers=desk.headers)).json()
    assert (shown["kind"], shown["rows"], shown["accepted"], shown["created"]) == ("goods", 2, 1, 1)
    assert (shown["file_name"], shown["started_by"], shown["undone_at"]) == ("a.csv", "赵丽", None)
    assert shown["undo_until"] > shown["started_at"]
    assert [error["code"] for error in shown["errors"]] == ["number_range"]
    for _ in range(2):
        undone = await client.delete(path, headers=desk.headers)
        assert undone.status_code == 200
        assert undone.json()["undone_at"]
        assert undone.json()["undo_until"] is None
    assert not await owner.fetchval("SELECT active FROM good WHERE name = '物品0'")

    good = await owner.fetchval("SELECT id FROM good WHERE name = '物品1'")
    body = {"station_id": str(town.stations["慈善超市"]), "quantity": 4}
    keyed = desk.headers | {"Idempotency-Key": uuid4().hex}
    received = await client.post(f"/api/v1/goods/{good}/receipts", headers=keyed, json=body)
    assert received.status_code == 201, received.text
    used = await client.delete(f"/api/v1/imports/{run_ids[1]}", headers=desk.headers)
    assert_problem(used, 409, "import_used")
    assert "慈善超市的“物品1”已被兑换、预留或盘点过" in used.json()["detail"]


async def test_nobody_else_imports_reads_or_undoes(client: httpx.AsyncClient, town: Town, desk: Desk) -> None:
    content = table(ROSTER, GOOD)
    run = (await desk.told("residents", content))["run_id"]
    assert_problem(await Desk(client, {}).send("residents", content), 401, "unauthenticated")
    for name in ("张桂兰", "陈明", "周敏", "王建国", "孙伟"):
        headers = await town.sign_in(name)
        assert_problem(await Desk(client, headers).send("residents", content), 403, "forbidden")
        assert_problem(await client.delete(f"/api/v1/imports/{run}", headers=headers), 403, "forbidden")
        reads = 200 if name == "孙伟" else 403
        assert (await client.get("/api/v1/imports", headers=headers)).status_code == reads
        assert (await client.get(f"/api/v1/imports/{run}", headers=headers)).status_code == reads
    beside = await town.sign_in("何静")
    assert_problem(await client.get(f"/api/v1/imports/{run}", headers=beside), 404, "not_found")
    assert_problem(await client.delete(f"/api/v1/imports/{run}", headers=beside), 404, "not_found")
    elsewhere = beside | {"X-Community-Id": str(town.communities[PHOENIX])}
    assert_problem(await Desk(client, elsewhere).send("residents", content), 404, "not_found")


async def test_the_streets_administrator_imports_for_a_community_below(
    client: httpx.AsyncClient, town: Town, owner: asyncpg.Connection
) -> None:
    headers = await town.sign_in("钱进") | {"X-Community-Id": str(town.communities[SPRING])}
    await Desk(client, headers).told("residents", table(ROSTER, GOOD))
    assert await owner.fetchval("SELECT community_id FROM person WHERE name = '林小满'") == town.communities[SPRING]


async def test_a_request_without_a_file_is_refused(client: httpx.AsyncClient, desk: Desk) -> None:
    path = "/api/v1/imports/goods"
    nothing = await client.post(path, headers=desk.headers, files={"other": ("a.csv", b"x")})
    assert_problem(nothing, 400, "bad_request")
    words = await client.post(path, headers=desk.headers, data={"file": "no file"}, files={"x": ("a", b"")})
    assert_problem(words, 400, "bad_request")
    json = await client.post(path, headers=desk.headers, json={"file": "a"})
    assert json.status_code in (400, 415)
    assert json.headers["content-type"] == "application/problem+json"
    odd = await desk.send("goods", table(GOODS), dry_run="perhaps")
    assert_problem(odd, 400, "bad_request")
    assert (await desk.send("weather", table(GOODS))).status_code in (404, 405)


def bomb() -> bytes:
    """A zip bomb: a small xlsx file that unpacks to 180 MB."""
    book = Workbook()
    content = io.BytesIO(saved(book))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet9.xml", b"<c>" * 60_000_000)
    return content.getvalue()


HOSTILE: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 422, "file_empty"),
    "blank": (b" \n \n", 422, "file_empty"),
    "NUL": (b"\x00\x00\x00", 422, "text_has_nul"),
    "NUL in a cell": (table(GOODS) + "雨\x00伞,把,1".encode(), 422, "text_has_nul"),
    "no encoding": (b"\xff\xfa\xfb\x81\x30", 422, "text_undecodable"),
    "no known column": (table(["一", "二"], ["三", "四"]), 422, "no_known_column"),
    "a picture": (b"\x89PNG\r\n\x1a\n", 415, "file_type_wrong"),
    "a page": (b"<html><body>x</body></html>", 415, "file_type_wrong"),
    "half a workbook": ((DATA / "goods.xlsx").read_bytes()[:3000], 422, "workbook_broken"),
    "a zip of something": (b"PK\x03\x04" + b"x" * 100, 422, "workbook_broken"),
    "more than ten megabytes": (b"a,b\n" * 2_700_000, 413, "file_too_large"),
    "more than the service takes": (b"a,b\n" * 3_300_000, 413, "too_large"),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_file_is_refused_with_a_sentence(desk: Desk, owner: asyncpg.Connection, what: str) -> None:
    content, status, code = HOSTILE[what]
    for kind in KINDS:
        assert_problem(await desk.send(kind, content, name="a.xlsx", skip_bad="true"), status, code)
    assert await owner.fetchval("SELECT count(*) FROM import_run") == 0


async def test_a_zip_bomb_is_refused(desk: Desk) -> None:
    assert_problem(await desk.send("residents", bomb(), name="a.xlsx"), 422, "workbook_too_large")


async def test_values_beyond_every_bound_are_refused_row_by_row(desk: Desk, owner: asyncpg.Connection) -> None:
    huge, long = "9" * 400, "长" * 4000
    rows: dict[str, list[list[object]]] = {
        "residents": [
            [long] * len(ROSTER), [huge] * len(ROSTER), ["𠮷😀" * 3] * len(ROSTER),
            ["", "", "", "", "", "林\u200b小", "", "", "", "9999-99-99", huge, ""],
        ],
        "hours": [
            [huge, long, long, "张桂兰", "", huge, huge], ["2026-01-01", long, "", "张桂兰", "", "9:00", "10:00"],
        ],
        "deeds": [["2026-01-01", "王建国", long, "调解邻里纠纷", huge, long, long], [huge] * len(DEEDS)],
        "goods": [[long, long, huge, huge, long, huge], ["雨伞", "把", "1e308", "NaN", "慈善超市", "-1"]],
    }  # fmt: skip
    for kind, header in KINDS.items():
        report = await desk.told(kind, table(header, *rows[kind]), skip_bad="true")
        assert report["created"] == 0, (kind, report)
        assert {error["row"] for error in report["errors"]} == set(range(2, 2 + len(rows[kind]))), (kind, report)
        assert all(len(error["value"]) <= 61 for error in report["errors"])
    assert await owner.fetchval("SELECT count(*) FROM import_run") == 0


async def test_a_strange_file_name_is_kept_harmlessly(desk: Desk, owner: asyncpg.Connection) -> None:
    content = table(GOODS, ["雨伞", "把", 45, 1, "慈善超市", ""])
    answer = await desk.send("goods", content, name="../../etc/" + "名" * 300 + "\u202e.csv")
    assert answer.status_code == 200
    assert await owner.fetchval("SELECT file_name FROM import_run") == "名" * 200


async def test_problems_are_told_in_the_readers_language(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    english = {SENTENCES["phone_length"]: "The phone number has {length} digits, 11 are needed"}
    monkeypatch.setattr(locale, "catalogue", lambda language: english if language == "en" else {})
    desk.headers["Accept-Language"] = "en"
    report = await desk.told("residents", table(ROSTER, GOOD, BAD), skip_bad="true")
    assert report["errors"][0]["problem"] == "The phone number has 6 digits, 11 are needed"
    shown = await desk.client.get(f"/api/v1/imports/{report['run_id']}", headers=desk.headers)
    assert shown.json()["errors"] == report["errors"]

"""Entries are found by person, kind, points and day; what is found is counted, paged, exported and reversed there."""

from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from openpyxl import load_workbook

from tests.support.presence import nine_o_clock, served
from tests.support.shop import browser
from tests.support.town import Town
from timebank.core import clock
from timebank.core.errors import Forbidden
from timebank.core.paging import Count
from timebank.ledger.donations import donate
from timebank.ledger.entries import Entry
from timebank.ledger.schemas import DonationIn
from timebank.ledger.searching.found import DAYS_MAX, Asked, count_entries, entries_asked_for, entry_kinds, find_entries
from timebank.service_records.crediting.reversal import reverse_record
from timebank.service_records.reading import list_records

WHO = ("张桂兰", "李秀英")


@pytest.fixture
async def lived(town: Town) -> Town:
    """张桂兰 earns 15 points on each of three days and gives 4 away; 李秀英 earns 20 on one of them."""
    for days in (4, 3, 2):
        await served(town, "张桂兰", 90, begin=nine_o_clock(days))
    await served(town, "李秀英", 120, begin=nine_o_clock(3))
    given = DonationIn(town.people["张桂兰"], 4)
    await donate(await town.scope("张桂兰"), given, key="given", request_hash=b"")
    return town


async def test_they_are_found_by_person_kind_points_and_day(lived: Town) -> None:
    auditor = await lived.scope("孙伟")
    own = Asked(person_id=lived.people["张桂兰"])
    assert [entry.points for entry in (await find_entries(auditor, own)).items] == [-4, 15, 15, 15]
    assert [e.points for e in (await find_entries(auditor, Asked(kind="donation"))).items] == [-4]
    day = clock.local_day(nine_o_clock(3))
    of_day = await find_entries(auditor, Asked(since=day, until=day))
    assert sorted(entry.points for entry in of_day.items) == [15, 20]
    for least, most, points in ((16, None, [20]), (None, 14, [-4]), (15, 15, [15, 15, 15]), (21, 999, [])):
        found = await find_entries(auditor, Asked(least=least, most=most))
        assert [entry.points for entry in found.items] == points, (least, most)
    both = Asked(person_id=lived.people["张桂兰"], least=10, since=day, kind="service")
    assert [entry.points for entry in (await find_entries(auditor, both)).items] == [15, 15]


@pytest.mark.parametrize("name", [None, "张桂兰"])
async def test_pages_hold_each_entry_once_and_as_many_as_are_counted(lived: Town, name: str | None) -> None:
    auditor = await lived.scope("孙伟")
    asked = Asked(person_id=lived.people[name] if name else None, least=1)
    whole = list((await find_entries(auditor, asked)).items)
    found: list[Entry] = []
    cursor: str | None = None
    while True:
        page = await find_entries(auditor, asked, limit=1, cursor=cursor)
        found += page.items
        if (cursor := page.next) is None:
            break
    assert found == whole
    assert await count_entries(auditor, asked) == Count(len(whole))
    assert len({entry.entry_id for entry in found}) == len(found) == (4 if name else 5)


async def test_points_of_everybody_are_looked_for_in_a_month_at_most(town: Town) -> None:
    await served(town, "张桂兰", 90, begin=nine_o_clock(DAYS_MAX + 2))
    auditor = await town.scope("孙伟")
    assert (await find_entries(auditor, Asked(least=1))).items == []
    earlier = Asked(least=1, until=clock.local_day() - timedelta(days=5))
    assert [entry.points for entry in (await find_entries(auditor, earlier)).items] == [15]
    assert [e.points for e in (await find_entries(auditor, Asked(least=1, person_id=town.people["张桂兰"]))).items] == [
        15
    ]


async def test_only_those_who_read_the_whole_ledger_search_it(lived: Town) -> None:
    for name in ("张桂兰", "周敏", "陈明"):
        with pytest.raises(Forbidden):
            await find_entries(await lived.scope(name), Asked())
        with pytest.raises(Forbidden):
            await count_entries(await lived.scope(name), Asked(least=1))


def test_what_is_no_number_no_day_and_no_kind_is_not_asked_for() -> None:
    wrong = {"person_id": "x", "kind": "conversion", "least": "1e9", "most": "'", "since": "31.1.", "until": "9999"}
    assert entries_asked_for(wrong) == Asked()
    assert entries_asked_for({"least": "-3", "most": "9" * 19}) == Asked(least=0, most=1_000_000_000)
    assert {"service", "deed", "expiry", "reversal"} <= set(entry_kinds())


async def test_an_entry_is_found_by_name_and_reversed_and_the_found_ones_are_exported(
    lived: Town, client: httpx.AsyncClient
) -> None:
    admin = await browser(client, lived, "赵丽")
    answer = await admin.send("/admin/ledger/entries/search", q="李秀英", kind="service", least="1")
    at = answer.headers["location"]
    assert at == f"/admin/ledger/entries?kind=service&least=1&person_id={lived.people['李秀英']}"
    page = await admin.see(at)
    [entry] = (await find_entries(await lived.scope("赵丽"), Asked(person_id=lived.people["李秀英"]))).items
    assert f'href="/admin/ledger/{entry.entry_id}"' in page
    assert "共 1 笔" in page
    assert "冲正这一笔" in await admin.see(f"/admin/ledger/{entry.entry_id}")
    fields = {"person_id": str(lived.people["李秀英"]), "kind": "service", "least": "1"}
    saved = await admin.send("/admin/exports/entries", **fields)
    assert saved.status_code == 200, saved.text
    sheet = load_workbook(BytesIO(saved.content), read_only=True).worksheets[0]
    _heading, row = sheet.iter_rows(values_only=True)
    assert (row[1], row[2], row[3], row[7]) == ("志愿服务", "李秀英", 20, str(entry.entry_id))
    [record] = (await list_records(await lived.scope("李秀英"))).items
    await reverse_record(await lived.scope("赵丽"), record.id, "扫错了")
    assert "已冲正" in await admin.see(at)
    assert "没有这样的账" in await admin.see("/admin/ledger/entries?least=999")
    assert "没有找到这个人" in (await admin.send("/admin/ledger/entries/search", q="没有这个")).text

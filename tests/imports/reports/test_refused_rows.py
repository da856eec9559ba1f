"""Refused rows are returned as a workbook that can be imported once corrected, whatever the original format."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from openpyxl import Workbook as NewWorkbook
from openpyxl import load_workbook

from tests.imports.files.test_workbooks import saved
from tests.imports.files.unread_books import csv, ods, ods_cell, ods_file, ods_row, ods_table, strict_xlsx, xls, xlsx
from tests.imports.kinds.test_imports import DEEDS, GOODS, HOURS, ROSTER, table
from tests.imports.runs.test_runs import get_ready
from tests.support.town import Town
from timebank.core.scope import Scope
from timebank.imports.files import workbook
from timebank.imports.intake import Kind
from timebank.imports.reports.refused_rows import refused_rows
from timebank.imports.reports.report import Findings
from timebank.imports.runs import runs
from timebank.imports.runs.runs import import_file
from timebank.imports.sheets.header import REASONS

Rows = list[list[Any]]


@dataclass(frozen=True)
class Book:
    """Sheets whose first row is a title; `mended` has the corrected value of each wrong cell, by heading."""

    sheets: dict[str, Rows]
    mended: dict[Any, Any]
    bad: int


BOOKS: dict[Kind, Book] = {
    "residents": Book(
        {
            "第一网格": [
                ["凤凰社区花名册"], ROSTER,
                ["第一网格", "9栋", "1单元", "101", "林小满", "林小满", "户主", "", "", "", "19900008001", ""],
                ["", "", "", "同上", "", "林大山", "配偶", "", "", "", "199000", "党员"],
            ],
            "第二网格": [
                ["第二网格花名册"], ROSTER,
                ["第二网格", "8栋", "1单元", "201", "林小舟", "林小舟", "户主", "", "", "", "199001", ""],
            ],
        },
        {"电话": "19900008002"}, 2,
    ),
    "hours": Book(
        {
            "9月": [
                ["2026年志愿服务签到表"], HOURS,
                ["9月3日", "站点值守", "", "张桂兰", "-", "9:00", "10:00"],
                ["同上", "站点值守", "", "李秀英", "-", "9:00", "8:00"],
            ],
            "10月": [
                ["2026年志愿服务签到表"], HOURS,
                ["10月4日", "站点值守", "", "张桂兰", "-", "9:00", "10:00"],
                ["", "站点值守", "〃", "王建国", "-", "9:00", ""],
            ],
        },
        {"签退时间": "11:00"}, 2,
    ),
    "deeds": Book(
        {
            "台账": [
                ["2026年道德银行台账"], DEEDS,
                ["10月3日", "王建国", "3栋", "楼道卫生巡查", 2, "李秀英", ""],
                ["同上", "张桂兰", "同上", "楼道卫生巡查", "+2分", "张桂兰", "=好"],
            ],
            "2026/11": [["台账"], DEEDS, ["1日", "李秀英", "3栋", "楼道卫生巡查", 2, "李秀英", ""]],
        },
        {"证明人": "王建国"}, 2,
    ),
    "goods": Book(
        {
            "一号架": [
                ["物品表"], GOODS,
                ["雨伞", "把", 45, 3, "慈善超市", ""],
                ["皂盒", "个", "+8分", -4, "同上", "-"],
            ],
            "二号架": [["物品表"], GOODS, ["毛巾", "条", 8, "若干", "慈善超市", 3]],
        },
        {"库存": 4}, 2,
    ),
    "members": Book(
        {
            "税务": [
                ["2026年县税务局报到名册"], ["姓名", "手机", "报到日期"],
                ["张桂兰", "-", "3月2日"],
                ["林大山", "199000", "同上"],
            ],
            "供电": [["2026年供电公司报到名册"], ["姓名", "手机", "报到日期"], ["林小舟", "1990001", "3月4日"]],
        },
        {"手机": "13800008002"}, 2,
    ),
    "matters": Book(
        {
            "十月": [
                ["2026年事项台账"], ["受理日期", "网格", "类别", "内容", "办结日期", "处理结果"],
                ["10月3日", "第一网格", "路灯", "灯不亮", "10月4日", "已修好"],
                ["同上", "同上", "停车", "占道", "10月1日", "已劝离"],
            ],
            "十一月": [
                ["2026年事项台账"], ["受理日期", "网格", "类别", "内容", "办结日期", "处理结果"],
                ["11月3日", "第一网格", "停车", "占消防通道", "", "已劝离"],
            ],
        },
        {"办结日期": "2026-11-09"}, 2,
    ),
}  # fmt: skip


def as_xlsx(book: Book) -> bytes:
    made = NewWorkbook()
    made.remove(made.worksheets[0])
    for name, rows in book.sheets.items():
        sheet = made.create_sheet(name.replace("/", "-"))
        for row in rows:
            sheet.append(row)
        sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(rows[1]))
    return saved(made)


def as_ods(book: Book) -> bytes:
    tables = []
    for name, rows in book.sheets.items():
        tables.append(ods_table(name, "".join(ods_row(*(ods_cell(str(cell)) for cell in row)) for row in rows)))
    return ods_file(*tables)


def as_csv(book: Book) -> bytes:
    """The first sheet as CSV, which has only one."""
    return table(*next(iter(book.sheets.values())))


async def tried(scope: Scope, kind: Kind, name: str, content: bytes) -> Findings:
    found = await runs.try_or_import(scope, kind, name, content, dry_run=True, skip_bad=True)
    assert isinstance(found, Findings)
    return found


async def given_back(scope: Scope, kind: Kind, name: str, content: bytes) -> bytes:
    found = await tried(scope, kind, name, content)
    return await refused_rows(kind, name, content, found.errors, str)


def mend(content: bytes, mended: dict[Any, Any]) -> bytes:
    """Correct the downloaded workbook: write the new values below their headings."""
    book = load_workbook(BytesIO(content))
    for sheet in book.worksheets:
        headings = {
            cell.value: cell
            for row in sheet.iter_rows(max_row=min(4, sheet.max_row))
            for cell in row
            if cell.value in mended
        }
        for heading, cell in headings.items():
            for row in sheet.iter_rows(min_row=(cell.row or 0) + 1):
                row[(cell.column or 1) - 1].value = mended[heading]
    return saved(book)


def reasons(found: Findings) -> list[str]:
    return [error.code for error in found.errors]


@pytest.mark.parametrize("made", [as_xlsx, as_ods, as_csv])
@pytest.mark.parametrize("kind", list(BOOKS))
async def test_rows_that_were_refused_go_in_once_they_are_mended(
    town: Town, owner: asyncpg.Connection, kind: Kind, made: Any
) -> None:
    await get_ready(kind, town, owner)
    scope, book, name = await town.scope("赵丽"), BOOKS[kind], f"book.{made.__name__[3:]}"
    content = made(book)
    bad = 1 if made is as_csv else book.bad
    first = await tried(scope, kind, name, content)
    assert len({(error.sheet, error.row) for error in first.errors}) == bad, first.errors
    back = await given_back(scope, kind, name, content)
    report = await import_file(scope, kind, name, content, skip_bad=True)
    assert report.created == report.accepted == first.accepted

    same = await tried(scope, kind, "back.xlsx", back)
    assert (same.rows, reasons(same), same.unused_columns) == (bad, reasons(first), [])
    twice = await given_back(scope, kind, "back.xlsx", back)
    headings = [row for sheet in load_workbook(BytesIO(twice)).worksheets for row in sheet.iter_rows(values_only=True)]
    assert all(list(row).count(REASONS) <= 1 for row in headings), "its column of reasons comes once"

    mended = mend(twice, book.mended)
    again = await import_file(scope, kind, "mended.xlsx", mended, skip_bad=False)
    assert (again.outcome, again.created, again.errors) == ("imported", bad, [])
    last = await import_file(scope, kind, "mended.xlsx", mended, skip_bad=False)
    assert (last.outcome, last.created) == ("unchanged", 0)


async def test_a_mended_row_says_what_it_said_of_place_and_day(town: Town, owner: asyncpg.Connection) -> None:
    """The new workbook keeps what 同上, blank cells and the year in the title meant in the original."""
    scope = await town.scope("赵丽")
    kinds: tuple[Kind, ...] = ("residents", "hours", "deeds")
    for kind in kinds:
        content = as_xlsx(BOOKS[kind])
        back = await given_back(scope, kind, "a.xlsx", content)
        await import_file(scope, kind, "a.xlsx", content, skip_bad=True)
        await import_file(scope, kind, "b.xlsx", mend(back, BOOKS[kind].mended), skip_bad=False)
    homes = await owner.fetch("SELECT household_id FROM person WHERE name IN ('林小满', '林大山')")
    assert len({row["household_id"] for row in homes}) == 1
    days = await owner.fetch(
        "SELECT p.name, (s.started_at AT TIME ZONE 'Asia/Shanghai')::date::text AS day FROM service_record s "
        'JOIN person p ON p.id = s.person_id ORDER BY day, p.name COLLATE "C"'
    )
    assert [tuple(row) for row in days] == [
        ("张桂兰", "2026-09-03"), ("李秀英", "2026-09-03"), ("张桂兰", "2026-10-04"), ("王建国", "2026-10-04"),
    ]  # fmt: skip
    done = await owner.fetch(
        "SELECT p.name, d.occurred_on::text, d.points FROM deed d JOIN person p ON p.id = d.person_id "
        'ORDER BY d.occurred_on, p.name COLLATE "C"'
    )
    assert [tuple(row) for row in done] == [
        ("张桂兰", "2026-10-03", 2), ("王建国", "2026-10-03", 2), ("李秀英", "2026-11-01", 2),
    ]  # fmt: skip


async def test_an_old_workbook_with_titles_and_headings_over_two_rows_comes_back_as_it_was(town: Town) -> None:
    """An xls file with two sheets named after months; 签到 and 签退 are below one merged heading."""
    scope, content = await town.scope("赵丽"), (Path(__file__).parents[2] / "data" / "refused.xls").read_bytes()
    first = await tried(scope, "hours", "a.xls", content)
    assert reasons(first) == ["out_before_in", "missing_out"]
    back = await given_back(scope, "hours", "a.xls", content)
    assert [sheet.name for sheet in workbook.read_workbook("b.xlsx", back).sheets] == ["2026年9月", "2026年10月"]
    same = await tried(scope, "hours", "b.xlsx", back)
    assert (same.rows, reasons(same)) == (2, reasons(first))
    report = await import_file(scope, "hours", "b.xlsx", mend(back, {"签退": "11:00"}), skip_bad=False)
    assert (report.outcome, report.created) == ("imported", 2)


@pytest.mark.parametrize("made", [xlsx, strict_xlsx, xls, ods, csv])
async def test_a_cell_that_cannot_be_read_stays_so_until_it_is_mended(town: Town, made: Any) -> None:
    scope, content = await town.scope("赵丽"), made()
    first = await tried(scope, "residents", "a", content)
    back = await given_back(scope, "residents", "a", content)
    same = await tried(scope, "residents", "b.xlsx", back)
    assert {code[:5] for code in reasons(first)} == {code[:5] for code in reasons(same)} == {"cell_"}
    assert len(same.errors) == len(first.errors) == 2
    report = await import_file(scope, "residents", "b.xlsx", mend(back, {"房号": "101"}), skip_bad=False)
    assert (report.outcome, report.created) == ("imported", len(first.errors))


async def test_two_tables_of_one_sheet_and_names_that_xlsx_does_not_know_come_back_apart(town: Town) -> None:
    long = "二〇二六年九月凤凰社区第一网格第二网格志愿服务签到登记表/上午"
    rows: Rows = [HOURS, ["2026-09-03", "站点值守", "", "李秀英", "", "9:00", "8:00"]]
    below: Rows = [HOURS[::-1], ["8:30", "9:00", "", "王建国", "", "站点值守", "2026-09-04"]]
    tables = [ods_table(long + end, "".join(map(_line, [*rows, *below]))) for end in ("", "下午")]
    content, scope = ods_file(*tables), await town.scope("赵丽")
    back = await given_back(scope, "hours", "a.ods", content)
    names = load_workbook(BytesIO(back)).sheetnames
    assert len(set(names)) == len(names) == 4
    assert all(len(name) <= 31 for name in names)
    assert reasons(await tried(scope, "hours", "b.xlsx", back)) == ["out_before_in"] * 4


def _line(row: Sequence[Any]) -> str:
    return ods_row(*(ods_cell(str(cell)) for cell in row))

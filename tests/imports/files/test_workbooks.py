"""Files of every format, hostile ones included: what is read, and what is refused early with a clear sentence."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook as NewWorkbook
from openpyxl.worksheet.worksheet import Worksheet

from timebank.imports.files import container, refusals, workbook, xml_parts
from timebank.imports.files.refusals import ImportRefused
from timebank.imports.kinds.goods import read as read_goods
from timebank.imports.kinds.roster import read as read_roster

DATA = Path(__file__).parents[2] / "data"
TODAY = date(2026, 10, 31)
HEADER = ["姓名", "身份证号", "手机"]
PERSON = ["薛翠", "522699196809283822", "19900003050"]


def page(book: NewWorkbook) -> Worksheet:
    assert isinstance(book.active, Worksheet)
    return book.active


def saved(book: NewWorkbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def xlsx(*rows: Sequence[object]) -> bytes:
    book = NewWorkbook()
    for row in rows:
        page(book).append(list(row))
    return saved(book)


def refused(kind: type[ImportRefused], content: bytes, name: str = "a.xlsx") -> ImportRefused:
    with pytest.raises(kind) as caught:
        read_roster.parse(workbook.read_workbook(name, content), today=TODAY)
    assert "{" not in caught.value.text()
    assert "—" not in caught.value.text()
    return caught.value


def names(content: bytes, name: str = "a.csv") -> list[str]:
    return [row.name for row in read_roster.parse(workbook.read_workbook(name, content), today=TODAY).rows]


TABLE = "花名册\n姓名,身份证号,手机\n薛翠,522699196809283822,199 0000 3050\n\n合计,1人,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_text_table_is_read_in_the_encodings_that_offices_save(encoding: str, delimiter: str) -> None:
    content = TABLE.replace(",", delimiter).encode(encoding)
    parsed = read_roster.parse(workbook.read_workbook("a.csv", content), today=TODAY)
    assert [(row.row, row.name, row.phone) for row in parsed.rows] == [(3, "薛翠", "19900003050")]
    assert parsed.problems == []


def test_rare_characters_survive_every_encoding() -> None:
    rare = "姓名,手机\n䶮㛃𬭎,19900003050\n阿依古丽·买买提,19900003051\n"
    for encoding in ("utf-8", "gb18030"):
        assert names(rare.encode(encoding)) == ["䶮㛃𬭎", "阿依古丽·买买提"]


def test_a_quoted_line_break_does_not_shift_what_a_cell_means() -> None:
    content = '姓名,备注,手机\n薛翠,"党员\n志愿者",19900003050\n'.encode()
    row = read_roster.parse(workbook.read_workbook("a.csv", content), today=TODAY).rows[0]
    assert (row.note, row.phone) == ("党员 志愿者", "19900003050")


def test_bytes_that_are_no_text_are_refused() -> None:
    refused(refusals.TextUndecodable, b"\xff\xfa\x80\x81,\xff\n\x80", "a.csv")
    refused(refusals.TextUndecodable, "姓名,手机\n薛翠,1".encode()[:-7] + b"\x80\xff", "a.csv")
    refused(refusals.TextHasNul, "姓名,手机\n薛\0翠,19900003050\n".encode(), "a.csv")
    refused(refusals.TextHasNul, "姓名,手机\n薛\0翠,19900003050\n".encode("utf-16"), "a.csv")


def test_what_is_no_table_is_refused() -> None:
    refused(refusals.FileEmpty, b"")
    refused(refusals.FileEmpty, b" \n\n")
    refused(refusals.FileEmpty, xlsx())
    refused(refusals.FileTypeWrong, b"%PDF-1.7 ...")
    refused(refusals.FileTypeWrong, "<html><table><tr><td>姓名</td></tr></table>".encode(), "a.xls")
    refused(refusals.FileTypeWrong, b'"' + b"x" * 200_000)
    refused(refusals.WorkbookBroken, b"PK\x03\x04 and nothing more")
    refused(refusals.WorkbookBroken, xlsx(HEADER, PERSON)[:-200])
    refused(refusals.WorkbookBroken, bytes.fromhex("D0CF11E0A1B11AE1") + bytes(2_000), "a.xls")
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("word/document.xml", "<w/>")
    refused(refusals.FileTypeWrong, other.getvalue(), "a.docx")


def test_a_file_of_more_than_ten_mebibytes_is_refused_unread() -> None:
    error = refused(refusals.FileTooLarge, b"x" * (workbook.BYTES_MAX + 1), "a.csv")
    assert error.status == 413
    assert "11 MB" in error.text()


def test_a_workbook_with_a_password_is_refused() -> None:
    locked = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(512) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    assert "密码" in refused(refusals.WorkbookEncrypted, locked).text()


def repacked(content: bytes, replacements: dict[str, bytes]) -> bytes:
    """An xlsx file with some of its parts replaced or added."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, replacements.get(name, old.read(name)))
        for name in replacements.keys() - set(old.namelist()):
            new.writestr(name, replacements[name])
    return made.getvalue()


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    bomb = repacked(xlsx(HEADER, PERSON), {"xl/media/image1.png": bytes(90 * 1024**2)})
    refused(refusals.WorkbookTooLarge, bomb)
    many = repacked(xlsx(HEADER, PERSON), {f"xl/media/{n}.png": b"" for n in range(container.ENTRIES_MAX)})
    refused(refusals.WorkbookTooLarge, many)


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    honest = repacked(xlsx(HEADER, PERSON), {"xl/worksheets/sheet1.xml": sheet + b" " * 20 * 1024**2})
    with zipfile.ZipFile(io.BytesIO(honest)) as packed:
        size = packed.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = honest.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != honest
    refused(refusals.WorkbookBroken, lying)


def test_one_value_far_out_is_refused_before_the_cells_between_cost_memory() -> None:
    book = NewWorkbook()
    page(book).append(HEADER)
    page(book)["XFD1048576"] = "x"
    refused(refusals.WorkbookTooLarge, saved(book))
    written = page(book)
    written["XFD1048576"] = None
    written["XFC1048575"].number_format = "0.00"
    written.append([])
    written["A2"], written["B2"] = "薛翠", "522699196809283822"
    assert names(saved(book)) == ["薛翠"], "a cell that is only formatted stretches nothing"


@pytest.mark.parametrize(("corner", "kept"), [("E3", ()), ("C2", (workbook.Merge(2, 2, 2, 2),))])
def test_a_block_merged_over_the_whole_sheet_is_cut_to_the_table(corner: str, kept: tuple[workbook.Merge, ...]) -> None:
    book = NewWorkbook()
    for row in (HEADER, PERSON):
        page(book).append(list(row))
    content = saved(book)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
    merged = f'</sheetData><mergeCells count="1"><mergeCell ref="{corner}:XFD1048576"/></mergeCells>'.encode()
    content = repacked(content, {"xl/worksheets/sheet1.xml": sheet.replace(b"</sheetData>", merged)})
    assert names(content) == ["薛翠"]
    assert workbook.read_workbook("a.xlsx", content).sheets[0].merges == kept


def test_more_rows_than_one_import_takes_are_refused() -> None:
    many = "姓名,手机\n" + "薛翠,19900003050\n" * (workbook.ROWS_MAX + 200)
    assert "50000" in refused(refusals.TooManyRows, many.encode(), "a.csv").text()


def test_a_workbook_without_a_known_column_is_told_what_was_looked_for() -> None:
    error = refused(refusals.NoKnownColumn, xlsx(["甲", "乙"], [1, 2]))
    assert error.code == "no_known_column"
    assert "姓名" in error.text()
    assert "身份证号码" in error.text()
    refused(refusals.NoKnownColumn, b"\x89\xd0,\xb1\xb2\n1,2\n", "a.csv")


def test_a_missing_column_is_named() -> None:
    error = refused(refusals.ColumnMissing, xlsx(["身份证号", "手机"], PERSON[1:]))
    assert "“姓名”" in error.text()
    with pytest.raises(refusals.ColumnMissing, match="所需积分"):
        read_goods.parse(workbook.read_workbook("a.xlsx", xlsx(["物品", "库存"], ["香皂", 3])))


def test_every_visible_sheet_with_a_header_is_read_and_hidden_ones_are_not() -> None:
    book = NewWorkbook()
    page(book).title = "第一网格"
    page(book).append(HEADER)
    page(book).append(PERSON)
    book.create_sheet("空白")
    book.create_sheet("说明").append(["本表由社区填写", "请勿改动"])
    second = book.create_sheet("第二网格")
    second.append(["花名册"])
    second.append(["手机", "姓名", "身份证号"])
    second.append(["19900005281", "夏贵福", "522699199608079415"])
    second.append(["19900003050", "薛翠", "522699196809283822"])
    hidden = book.create_sheet("旧表")
    hidden.append(HEADER)
    hidden.append(["旧人", "", "19900000001"])
    hidden.sheet_state = "hidden"
    parsed = read_roster.parse(workbook.read_workbook("a.xlsx", saved(book)), today=TODAY)
    assert [(row.sheet, row.row, row.name) for row in parsed.rows] == [
        ("第一网格", 2, "薛翠"),
        ("第二网格", 3, "夏贵福"),
    ]
    assert [(found.sheet, found.row, found.problem.code) for found in parsed.problems] == [("第二网格", 4, "duplicate")]
    assert "第一网格!2" in parsed.problems[0].problem.sentence()


def test_an_old_xls_workbook_is_read() -> None:
    parsed = read_roster.parse(workbook.read_workbook("odd.xls", (DATA / "odd.xls").read_bytes()), today=TODAY)
    assert [(row.row, row.name, row.phone, row.born_on) for row in parsed.rows] == [
        (3, "薛翠", "19900003050", date(1968, 9, 28)),
        (4, "夏贵福", "19900005281", date(1996, 8, 7)),
    ]
    assert {row.household.building for row in parsed.rows} == {"1栋"}


def test_a_file_is_known_by_what_it_is_and_not_by_its_name() -> None:
    assert names(xlsx(HEADER, PERSON), "花名册.csv") == ["薛翠"]
    assert names(TABLE.encode(), "花名册.xlsx") == ["薛翠"]


def test_a_nul_hidden_in_a_workbooks_cell_refuses_its_row() -> None:
    parsed = read_roster.parse(
        workbook.read_workbook("a.xlsx", xlsx(HEADER, ["薛_x0000_翠", *PERSON[1:]], PERSON)), today=TODAY
    )
    assert [found.problem.code for found in parsed.problems] == ["control_character"]
    assert "\0" not in parsed.problems[0].value
    assert len(parsed.rows) == 1


def test_numbers_that_a_spreadsheet_has_rounded_are_told_apart_from_mistyped_ones() -> None:
    parsed = read_roster.parse(
        workbook.read_workbook("a.xlsx", xlsx(HEADER, ["甲乙", 522699196809283822, ""], ["丙丁", "5.22699E+17", ""])),
        today=TODAY,
    )
    assert [found.problem.code for found in parsed.problems] == ["identity_rounded"] * 2
    assert all("522699196809" not in found.value for found in parsed.problems)


def test_a_damaged_xls_that_asks_for_terabytes_ends_its_reader_and_not_the_server() -> None:
    damaged = bytearray((DATA / "odd.xls").read_bytes())
    for place, value in (
        (3055, 171), (1758, 77), (2406, 46), (2323, 56), (867, 204), (3071, 155),
        (3020, 244), (4485, 227), (1973, 71), (2155, 8), (4467, 6),
    ):  # fmt: skip
        damaged[place] = value
    refused(refusals.WorkbookBroken, bytes(damaged), "a.xls")


def test_a_table_of_headings_alone_is_empty() -> None:
    with pytest.raises(refusals.FileEmpty):
        read_roster.parse(workbook.read_workbook("a.xlsx", xlsx(HEADER)), today=TODAY)


@pytest.mark.parametrize("encoding", ["UTF-0", "gb18030", "idna"])
def test_an_encoding_that_no_parser_has_is_a_broken_file(encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode()
    with pytest.raises(refusals.WorkbookBroken):
        xml_parts.parsed(xml_parts.parser(), content)

"""Save a list as a workbook, page by page as it is filtered."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from timebank.agreements.schemas import Waiting
from timebank.core import audit, clock, database
from timebank.core.capability import Exported, resolve
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.exports.consent import PEOPLE_ALONE, ask_consent, exported_list, exported_today, may_export_many
from timebank.imports.reports.refused_rows import harmless

PAGE = 200
ROWS_MAX = 200_000
ALL_DAY = 2_000_000_000
"""What an integer column counts of a day's exports."""


class TooManyRows(TimebankError):
    code = "export_too_long"
    status = 422
    sentence = "这份名单超过 200000 行，一个表格放不下。请先筛选，再分几次导出。"


@dataclass(frozen=True, slots=True)
class Saved:
    """A workbook and its file name without the ending."""

    content: bytes
    word: str
    rows: int


async def export(scope: Scope, name: str, fields: Mapping[str, str]) -> Saved | Waiting:
    """The workbook of a list, with the filters that its form sent; written into the audit before it is handed out.

    More than PEOPLE_ALONE rows of people in a day need a second person's consent, which is asked for. The audit keeps
    which filters were chosen and whether words were searched for, not the words.
    """
    scope.require_reader()
    of = exported_list(name)
    chosen = {field: fields[field] for field in of.filters if fields.get(field)}
    filters = chosen | ({"q": fields["q"]} if fields.get("q") else {})
    rows: list[Sequence[object]] = []
    cursor: str | None = None
    alone = PEOPLE_ALONE - await exported_today(scope, name) if of.of_people else ROWS_MAX
    while True:
        page = await resolve(of.rows)(scope, filters, PAGE, cursor)
        rows += page.items
        if len(rows) > alone:
            if of.of_people and not await may_export_many(scope, name):
                return await ask_consent(scope, of)
            alone = ROWS_MAX
        if len(rows) > ROWS_MAX:
            raise TooManyRows
        if (cursor := page.next) is None:
            break
    if not await _note(scope, of, len(rows), chosen, searched="q" in filters):
        return await ask_consent(scope, of)
    return Saved(await asyncio.to_thread(_written, of, rows), of.word, len(rows))


@retried
async def _note(scope: Scope, of: Exported, rows: int, chosen: Mapping[str, str], *, searched: bool) -> bool:
    """Write the export down; False, and nothing written, where others at the same time have used up what is allowed."""
    async with transaction(scope):
        alone = of.of_people and not await may_export_many(scope, of.name)
        counted = await database.fetch(
            "INSERT INTO export_day AS e (community_id, login_id, list, day, rows) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (community_id, login_id, list, day) DO UPDATE SET rows = e.rows + excluded.rows "
            "WHERE e.rows + excluded.rows <= $6 RETURNING rows",
            scope.community_id, scope.login_id, of.name, clock.local_day(), rows, PEOPLE_ALONE if alone else ALL_DAY,
        )  # fmt: skip
        if not counted:
            return False
        await audit.record(
            scope, "export_list", "export", None, list=of.name, rows=rows, searched=searched, filters=dict(chosen)
        )
    return True


def _cell(sheet: WriteOnlyWorksheet, value: object) -> object:
    """A text stays text, so that no spreadsheet reads a formula or drops the zeros of a number; times are local."""
    if isinstance(value, datetime):
        return clock.local(value).replace(tzinfo=None)
    if value is None or isinstance(value, int | float | date):
        return value
    cell = WriteOnlyCell(sheet, harmless(str(value)))
    cell.number_format = "@"
    return cell


def _written(of: Exported, rows: Sequence[Sequence[object]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(of.word[:31])
    sheet.append(list(of.headings))
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()

"""Shared by the import pages: the kinds of workbooks, rows grouped by error or warning, and decided words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from litestar.params import QueryParameter

from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.imports.intake import Kind
from timebank.imports.kinds.registry import IMPORTERS
from timebank.imports.reports.marked import ShownCell, ShownRow
from timebank.imports.reports.reasons import Refusal
from timebank.imports.reports.report import RowReport
from timebank.imports.runs.runs import ANSWER_WITHIN_SECONDS
from timebank.imports.words.asking import WordUnclear
from timebank.imports.words.words import WordIn
from timebank.operations.installation import has_worker

ADD = "+"
"""The form value that adds a new thing for a word; no code or id begins with it."""
PAGE_SECONDS = 5.0
SAMPLES = 3
PLACES_MAX = 12
ROWS_PAGE = 50
WORDS_MAX = 30
"""Undecided words per page; the rest are shown after these are decided."""
REASONS_MAX = 40

KINDS: dict[Kind, tuple[str, str]] = {
    "residents": (_("花名册"), _("居民、住处和身份。备注里的楼栋长、单元长、网格员会登记为身份，其他备注不导入")),
    "hours": (_("签到表"), _("纸质签到的服务时长。导入后等待审核，审核并公示后才计时长和积分")),
    "deeds": (_("道德银行台账"), _("楼栋长、单元长做的事。导入后等待审核和公示，之后才计积分")),
    "goods": (_("物品表"), _("兑换的物品、所需积分和各驿站的库存")),
    "members": (_("报到名册"), _("单位交来的报到名单。社区里没有的人登记为不住在这里的人，本人会收到消息")),
    "matters": (_("事项台账"), _("以前办过和还没办完的事项。计入办结情况，不记分，不给任何人发消息")),
}
MEANINGS = (
    _("身份证号码"), _("证件类型"), _("联系电话"), _("活动名称"), _("签退时间"), _("下午签到"), _("下午签退"),
    _("下午起止时间"), _("起止时间"), _("事项"), _("分值"), _("证明人"), _("所需积分"), _("兑换站点"),
    _("小区"), _("规格"), _("每户每月限兑"), _("迁出日期"), _("死亡日期"), _("出勤"),
    _("报到日期"), _("特长"), _("上报时间"), _("办结时间"), _("上报人"), _("承办单位"), _("办理结果"), _("满意度"),
)  # fmt: skip
"""Names of columns that appear on no other page, listed here for translation."""
STEPS = (_("选择表格"), _("试导入"), _("导入"))
SHOWN: dict[str, Any] = {
    "kinds": KINDS, "of_words": ("unknown_item", "station_unknown", "place_unknown"), "steps_of": STEPS,
    "words_max": WORDS_MAX, "reasons_max": REASONS_MAX, "add": ADD,
}  # fmt: skip

Word = Annotated[str, QueryParameter(max_length=100)]
Of = Literal["errors", "warnings"]
Start = Annotated[int, QueryParameter(ge=0, le=1_000_000)]


class Marked(msgspec.Struct, frozen=True):
    """A row as a page shows it: its error or warning, and its cells; `letter` names the column concerned."""

    remark: RowReport
    letter: str
    cells: Sequence[ShownCell]


class Reason(msgspec.Struct, frozen=True):
    """An error or warning with its first rows, and the address of all its rows if there are more."""

    told: Refusal
    rows: list[Marked]
    more: str | None
    each: int
    places: list[tuple[str, str, int]]
    """Sheet, cell and row of the first places; a repeated sheet name is left out."""


class RowsPage(msgspec.Struct, frozen=True):
    """A page of the rows of one error or warning, and the start of the next page."""

    told: Refusal
    rows: list[Marked]
    start: int
    first: str | None
    next: str | None


def reasons(
    told: Iterable[Refusal], remarks: Sequence[RowReport], shown: Iterable[ShownRow], path: str, of: Of
) -> list[Reason]:
    """The errors or warnings of a workbook, each once with its first rows. `path`: the page of the workbook."""
    by_row, found = _by_row(shown), []
    by_reason: dict[tuple[str, str], list[RowReport]] = {}
    for remark in remarks:
        by_reason.setdefault((remark.code, remark.column), []).append(remark)
    for reason in told:
        same = by_reason.get((reason.code, reason.column), [])
        rows = [marked(remark, by_row) for remark in same[:SAMPLES]]
        more = rows_path(path, of, reason.code, reason.column) if len(same) > SAMPLES else None
        found.append(Reason(reason, rows, more, len(same), _places(reason)))
    return found


def rows_page(
    told: Iterable[Refusal], remarks: Sequence[RowReport], shown: Iterable[ShownRow], path: str, of: Of,
    code: str, column: str, start: int,
) -> RowsPage | None:  # fmt: skip
    """The rows of one error or warning from index `start` on; None if the workbook has no such error or warning."""
    reason = next((one for one in told if (one.code, one.column) == (code, column)), None)
    if reason is None:
        return None
    same, by_row = [one for one in remarks if (one.code, one.column) == (code, column)], _by_row(shown)
    end = start + ROWS_PAGE
    following = rows_path(path, of, code, column, end) if end < len(same) else None
    first = rows_path(path, of, code, column) if start else None
    return RowsPage(reason, [marked(remark, by_row) for remark in same[start:end]], start, first, following)


def _places(reason: Refusal) -> list[tuple[str, str, int]]:
    places, before = [], None
    for place, row in zip(reason.places[:PLACES_MAX], reason.rows, strict=False):
        sheet, _space, cell = place.rpartition(" ")
        places.append(("" if sheet == before else sheet, "" if cell.isdigit() else cell, row))
        before = sheet
    return places


def rows_path(path: str, of: Of, code: str, column: str, start: int = 0) -> str:
    asked = {"of": of, "code": code, "column": column} | ({"start": start} if start else {})
    return f"{path}/rows?{urlencode(asked)}"


def marked(remark: RowReport, by_row: Mapping[tuple[str, int], ShownRow]) -> Marked:
    """An error or warning with its row, or with only the cell concerned if the row is not kept."""
    letter, row = remark.cell.rstrip("0123456789"), by_row.get((remark.sheet, remark.row))
    alone = [ShownCell(letter, remark.column, remark.value)] if letter or remark.value else []
    return Marked(remark, letter, row.cells if row else alone)


def _by_row(shown: Iterable[ShownRow]) -> dict[tuple[str, int], ShownRow]:
    return {(row.sheet, row.row): row for row in shown}


def kinds_in_use(caller: Scope) -> list[Kind]:
    """The kinds of workbooks that the community may import: those whose capability it uses."""
    return [kind for kind in KINDS if caller.uses(IMPORTERS[kind].capability)]


async def page_seconds() -> float:
    """How many seconds a page may work on an import: 5 if a worker runs that continues it, else the answer limit."""
    return PAGE_SECONDS if await has_worker() else ANSWER_WITHIN_SECONDS


def answers(said: dict[str, str]) -> list[WordIn]:
    """Read the decided words from a form with `value`, `kind`, `means`, `points` and `cap` for each.

    For something new, points and a cap that are not numbers are refused: an ignored cap would mean no limit.
    """
    decided = []
    for field, means in said.items():
        name, _sep, number = field.partition("-")
        if name != "means" or not means:
            continue
        new = means == ADD
        numbers = {each: said.get(f"{each}-{number}", "").strip() for each in ("points", "cap") if new}
        answer: dict[str, object] = {
            "value": said.get(f"value-{number}"), "kind": said.get(f"kind-{number}"), "new": new,
            "means": None if new else means,
        }  # fmt: skip
        try:
            answer |= {each: int(text) for each, text in numbers.items() if text}
            decided.append(msgspec.convert(answer, WordIn))
        except (ValueError, msgspec.ValidationError) as error:
            raise WordUnclear(value=said.get(f"value-{number}", "")) from error
    return decided

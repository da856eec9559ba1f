"""Read captions that apply to all rows below them: a sheet's title or name, or a title row between its rows."""

import re
from collections.abc import Iterable

from timebank.imports.cells import places
from timebank.imports.cells.addresses import NOWHERE, Address, address, without_wider
from timebank.imports.cells.cell_values import plain_text
from timebank.imports.files.workbook import Row
from timebank.imports.sheets.header import Header

_OF_WHOM = "(?:常住|在住)?(?:住户|居民|业主|人口|家庭|户|楼栋长|单元长|楼长|网格员|[和、及])*(?:基本)?"
_PAPER = "(?:信息|情况)?(?:花名册|名册|名单|登记表|登记册|统计表|信息表|台账|清单|一览表|表)?"
_ESTATE = re.compile(
    rf"(?P<estate>[^\d\s:：、,，]{{1,12}}?(?:小区|花园|家园|公寓|新村|大院|[苑湾庭邸]))\s*{_OF_WHOM}{_PAPER}"
)
_COMMUNITY = re.compile(r"^.*(?:社区|街道)")
_LIKE_NAME = re.compile(r".{1,2}[苑湾庭邸]")
_STATION = re.compile(
    r"(?P<station>[^\d\s:：、,，]{1,20}?(?:驿站|站点|兑换点|兑换站|超市|小屋))\s*"
    rf"(?:积分)?(?:可?兑换)?(?:物品|商品|礼品|奖品)?(?:库存|盘点)?{_PAPER}"
)
_NUMERAL = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_BUILDING = r"(?:.*?[\dA-Za-z甲乙丙丁东西南北中一二三四五六七八九十]\s*(?:[栋幢座#]|号楼)(?:.{0,4}单元)?)"
_HOME = re.compile(
    rf"(?P<grid>第?{_NUMERAL}号?网格|网格{_NUMERAL})?[\s·\-]*(?P<building>{_BUILDING})?\s*{_OF_WHOM}{_PAPER}"
)
_BRACKETS = re.compile(r"[(（【\[][^)）】\]]*[)）】\]]")


def estate_of(header: Header, between: Iterable[Row]) -> str | None:
    """The estate that the nearest caption names, alone or before a building; None if none does or it names several."""
    return _nearest(_ESTATE, "estate", header, between) or home_of(header, between)[1].estate


def home_of(header: Header, between: Iterable[Row]) -> tuple[str | None, Address]:
    """The grid, and the building and unit, that the nearest caption names."""
    lines: list[tuple[str | None, Address]] = [(None, _building(text)) for text in _texts(between)]
    captions = [[_home(text) for text in texts] for texts in _captions(header, between)]
    for homes in (lines, *captions):
        found = [home for home in homes if home != (None, NOWHERE)]
        if found:
            return found[-1]
    return None, NOWHERE


def _home(text: str) -> tuple[str | None, Address]:
    found = _HOME.fullmatch(_plain(text))
    if found is None:
        return None, NOWHERE
    grid = places.grid(found["grid"])
    return grid if isinstance(grid, str) else None, _building(found["building"])


def _building(text: str | None) -> Address:
    home = address(text)
    return home if isinstance(home, Address) and home.building and home.room is None else NOWHERE


def station_of(header: Header, between: Iterable[Row]) -> str | None:
    """The station that the nearest caption names; None if none does or it names several."""
    return _nearest(_STATION, "station", header, between)


def is_caption(text: str, *, above_header: bool) -> bool:
    """Whether a text names an estate or station as a caption of the rows below.

    A short name such as 王苑 may be a person's, so it counts only above the header.
    """
    estate = _named(_ESTATE, "estate", text)
    is_name = estate is not None and _LIKE_NAME.fullmatch(estate) is not None
    return _named(_STATION, "station", text) is not None or (estate is not None and (above_header or not is_name))


def _nearest(pattern: re.Pattern[str], name: str, header: Header, between: Iterable[Row]) -> str | None:
    for texts in _captions(header, between):
        said = {found for text in texts if (found := _named(pattern, name, text))}
        if said:
            return said.pop() if len(said) == 1 else None
    return None


def _named(pattern: re.Pattern[str], name: str, text: str) -> str | None:
    # Only the community is cut off before a station's name, which may contain 市 itself: 暖城社区慈善超市.
    plain = _COMMUNITY.sub("", _BRACKETS.sub("", text).strip()) if pattern is _STATION else _plain(text)
    found = pattern.fullmatch(plain)
    return found[name] if found else None


def _plain(text: str) -> str:
    return without_wider(_BRACKETS.sub("", text).strip())


def _captions(header: Header, between: Iterable[Row]) -> list[list[str]]:
    """The captions that apply to a row, the nearest first."""
    return [_texts(between), _texts(header.titles), [header.sheet.name], _texts(header.sheet_titles)]


def _texts(rows: Iterable[Row]) -> list[str]:
    return [plain_text(cell) for row in rows for cell in row.cells if cell is not None]

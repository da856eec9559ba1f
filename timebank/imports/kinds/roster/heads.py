"""Sheets that list the heads of buildings and units: whose office the sheet itself names."""

import re

from timebank.imports.cells import values as cells
from timebank.imports.cells.values import Role
from timebank.imports.sheets.context import titles_of
from timebank.imports.sheets.header import Header

_PEOPLE = re.compile(r"居民|住户|户主|成员|人员|姓名|[楼栋幢]长|单元长|网格[员长]")
# "楼栋长名册", not "楼栋长张三包保居民花名册".
_LIST = re.compile(
    r"(?:.*[社区县镇街道村]|\d{4}年度?)*(楼栋长|楼长|栋长|单元长|网格[员长])(基本|信息|人员|联系|情况)*(花名册|名册|名单|一览表|信息表|通讯录|表)?"
)


def offices_of(header: Header) -> frozenset[Role]:
    """The office that everybody on a sheet holds, by the heading of the names or by the sheet's title."""
    labels = [cells.words(cell) for label in header.labels for cell in label]
    # Beside a column of other people, that of the heads says who looks after a row, not who it is about.
    people = [label for label in labels if _PEOPLE.search(label) and label != header.heading("name")]
    by_heading = frozenset() if people else cells.roles(header.heading("name"))
    titles = [header.sheet.name, *(cells.words(cell) for row in titles_of(header) for cell in row.cells)]
    by_title = frozenset().union(*(cells.roles(title) for title in titles if _LIST.fullmatch(title)))
    # Rows that say whose relation somebody is are residents, whatever the title says of who listed them.
    found = by_heading or (frozenset() if {"relation", "head"} & header.columns.keys() else by_title)
    # A list of heads of buildings and units says in a column of its own who is which.
    return found if len(found) == 1 else frozenset()

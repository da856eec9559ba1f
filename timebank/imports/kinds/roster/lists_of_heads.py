"""Recognise lists of building heads, unit heads or grid workers, where the sheet names everybody's role."""

import re

from timebank.imports.cells import cell_values
from timebank.imports.cells.cell_values import Role
from timebank.imports.sheets.context import titles_of
from timebank.imports.sheets.header import Header

_PEOPLE = re.compile(r"居民|住户|户主|成员|人员|姓名|[楼栋幢]长|单元长|网格[员长]")
# Matches "楼栋长名册", not "楼栋长张三包保居民花名册".
_LIST = re.compile(
    r"(?:.*[社区县镇街道村]|\d{4}年度?)*(楼栋长|楼长|栋长|单元长|网格[员长])(基本|信息|人员|联系|情况)*(花名册|名册|名单|一览表|信息表|通讯录|表)?"
)


def roles_of(header: Header) -> frozenset[Role]:
    """The role that everybody in a table holds, by the name column's heading or the title; empty if none or several."""
    labels = [cell_values.plain_text(cell) for label in header.labels for cell in label]
    # If there is also a column of other people, the heads' column says who is responsible for a row, not whom it is
    # about.
    people = [label for label in labels if _PEOPLE.search(label) and label != header.heading("name")]
    by_heading = frozenset() if people else cell_values.roles(header.heading("name"))
    titles = [header.sheet.name, *(cell_values.plain_text(cell) for row in titles_of(header) for cell in row.cells)]
    by_title = frozenset().union(*(cell_values.roles(title) for title in titles if _LIST.fullmatch(title)))
    # Rows with a relation to the head of household are residents, whatever role the title names.
    found = by_heading or (frozenset() if {"relation", "head"} & header.columns.keys() else by_title)
    # A list of several roles has a separate column that says who holds which.
    return found if len(found) == 1 else frozenset()

"""Parse amounts as people write them: points, pieces in stock, pieces per household and month."""

import re
from dataclasses import dataclass
from decimal import Decimal

from timebank.imports.cells.cell_values import Cell, blank, plain_text
from timebank.imports.cells.numerals import NUMERALS, WRITTEN, chinese_number
from timebank.imports.cells.problems import Problem, problem

AMOUNT_MAX = 1_000_000
_SIGNS = str.maketrans("－−﹣﹢", "---+")
_NUMBER = rf"(?P<number>[+-]?\d{{1,15}}(?:,\d{{3}})*(?:\.\d{{1,9}})?万?|[{NUMERALS}]{{1,10}})"
_COUNTED = "次件个人户份回场袋桶瓶块条支提包盒箱张本把组套副双卷台只听罐斤楼栋"
_NO_GOODS_UNIT = frozenset("次人户回场楼栋件个份")
_UNIT_SAID = re.compile(rf"[\d{NUMERALS}]\s*(?:积?分)?\s*(?:[/每]一?)?([{_COUNTED}])(?:/每?[月户])*$")
_MONEY = re.compile(r"[元角毛¥￥$€]|块钱|rmb|cny|yuan", re.IGNORECASE)
_PERIODS = {
    "天": "天", "日": "天", "周": "周", "星期": "周", "季": "季度", "半年": "半年", "年": "年", "次": "次", "人": "人",
    "两": "两个月", "2": "两个月", "双": "两个月",
}  # fmt: skip
_NO_LIMIT = re.compile(r"(不限(量|制|兑|购)?|无(限制|限|上限)|unlimited|no ?limit)", re.IGNORECASE)
_EACH = f"(?:人次|户次|[{_COUNTED}])"
_POINTS = re.compile(
    rf"(?:[每一]{_EACH}|\+|加|奖|计|得)?\s*{_NUMBER}\s*(?:积?分|积分|分值|points?|pts?)?\s*(?:[/每一]一?{_EACH})?",
    re.IGNORECASE,
)
_HOUSEHOLD, _MONTH = "(?:每?个?家庭|[每一]?[户家])", "(?:[每一]?个?月)"
_LIMIT = re.compile(
    rf"{_HOUSEHOLD}?/?{_MONTH}?{_HOUSEHOLD}?(?:最多|至多|只能|不超过|不得超过|限|可|仅|≤|<=)?(?:限|兑换?|购买?|领取?|换)*"
    rf"{_NUMBER}(?P<unit>[^\W\d_]?)(?:以内|封顶)?(?:/户)?(?:[/·]每?月)?(?:/户)?(?:\((?:每户)?每月(?:每户)?\))?"
)
_AMOUNT = rf"(?:\d|[{NUMERALS}])"
_SAYS_LIMIT = re.compile(
    rf"限[兑购领换]|限每|限量|限\s*{_AMOUNT}|[每一][户家人]|(?:最多|至多|不超过|只能|可)[兑购领换]|"
    rf"[每一]个?(?:月|季度?|年|周).{{0,4}}?{_AMOUNT}|{_AMOUNT}\s*[{_COUNTED}]?/(?:每?[月户人年])|{_AMOUNT}\s*[{_COUNTED}]以内"
)
_SPACE = re.compile(r"(?<!\d) +| +(?!\d)")


def whole_number(text: str) -> int | Problem:
    """Parse a whole number in digits, Chinese numerals or Chinese bank numerals (贰)."""
    said = text.translate(WRITTEN)
    if re.fullmatch(rf"[{NUMERALS}]+", said):
        counted = chinese_number(said)
        return problem("number_unclear") if counted is None else counted
    if not re.fullmatch(r"[+-]?\d{1,15}(?:,\d{3})*(?:\.\d{1,9})?万?", said):
        return problem("number_unclear")
    times = 10_000 if said.endswith("万") else 1
    value = Decimal(said.replace(",", "").removesuffix("万")) * times
    return int(value) if value == value.to_integral_value() else problem("not_whole")


def parse_points(cell: Cell, least: int = 1, most: int = AMOUNT_MAX) -> int | Problem | None:
    """Points from `least` to `most`: "60", "60分", "5分/次", "+2分", "贰". Refuses money, ranges, points per hour."""
    if blank(cell):
        return None
    text = _text(cell)
    if isinstance(text, Problem):
        return text
    if _MONEY.search(text):
        return problem("amount_money")
    found = _POINTS.fullmatch(text)
    return problem("points_unclear") if found is None else _in_range(found["number"], least, most)


def parse_stock(cell: Cell, unit: str | None = None) -> int | Problem | None:
    """Pieces in stock, at least 0. A unit after the number must be the good's own or a general one (件, 个, 份)."""
    if blank(cell):
        return None
    text = _text(cell)
    if isinstance(text, Problem):
        return text
    found = re.fullmatch(rf"{_NUMBER}\s*(?P<unit>[^\W\d_]{{0,4}})", text)
    if found is None:
        return problem("number_unclear")
    said = found["unit"]
    if said and not _own_unit(said, unit):
        return problem("amount_unit", said=said, unit=unit or "件")
    if found["number"].startswith("-"):
        return problem("stock_negative")
    return _in_range(found["number"], 0, AMOUNT_MAX)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many pieces a household may redeem in a month; None means no limit."""

    pieces: int | None


def parse_limit(cell: Cell, unit: str | None = None) -> Limit | Problem | None:
    """A limit per household and month: "2", "2块", "每月2条", "1袋/月", "每户每月限一份", "不限"."""
    if blank(cell):
        return None
    text = _text(cell)
    if isinstance(text, Problem):
        return text
    if _NO_LIMIT.fullmatch(text):
        return Limit(None)
    other = next((name for sign, name in _PERIODS.items() if f"每{sign}" in text or f"/{sign}" in text), None)
    if other:
        return problem("limit_period", period=other)
    found = _LIMIT.fullmatch(_SPACE.sub("", text))
    if found is None:
        return problem("limit_unclear")
    said = found["unit"]
    if said and not _own_unit(said, unit):
        return problem("amount_unit", said=said, unit=unit or "件")
    pieces = _in_range(found["number"], 1, 10_000)
    return pieces if isinstance(pieces, Problem) else Limit(pieces)


def unit_said(cell: Cell) -> str | None:
    """The unit after an amount, as in "5盒", "每月1袋" or "5分/桶"; None if it is general (次, 户, 件)."""
    found = _UNIT_SAID.search(plain_text(cell))
    return found[1] if found and found[1] not in _NO_GOODS_UNIT else None


def parse_price(cell: Cell, unit: str | None = None) -> int | Problem | None:
    """The price of one unit of a good in points; "5分/袋" is refused for a good whose unit is 盒."""
    said = unit_said(cell)
    other = said is not None and unit is not None and not _own_unit(said, unit)
    return problem("amount_unit", said=said or "", unit=unit or "件") if other else parse_points(cell)


def says_limit(note: str) -> bool:
    """Whether a remark states a limit on how many pieces may be redeemed."""
    return _SAYS_LIMIT.search(note) is not None


def _text(cell: Cell) -> str | Problem:
    # A bool, date or time in a column of amounts is an input error.
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return problem("number_unclear")
    return plain_text(cell).translate(WRITTEN).replace("，", ",").translate(_SIGNS)


def _own_unit(said: str, unit: str | None) -> bool:
    # A good without a unit accepts any measure word for single items; 打 and 箱 count several items.
    return said in {unit, "件", "个", "份"} or (unit is None and len(said) == 1 and said in _COUNTED and said != "箱")


def _in_range(number: str, least: int, most: int) -> int | Problem:
    value = whole_number(number)
    if isinstance(value, Problem):
        return value
    return value if least <= value <= most else problem("number_range", least=least, most=most)

"""Parses whole numbers in digits and Chinese numerals; WRITTEN maps financial numerals (壹贰叁) to ordinary ones."""

NUMERALS = "零〇一二两三四五六七八九十百千万廿卅"
WRITTEN = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬貳參陸兩", "一二三四五六七八九十百千万二三六两")
DIGITS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_DIGITS_MAX = 9
_SCALES = {"万": 10_000, "千": 1_000, "百": 100, "十": 10}
_LONGEST = 12
_TEN = 10


def chinese_number(value: str) -> int | None:
    """The value of a whole number in digits or Chinese numerals, else `None`."""
    if value.isascii() and value.isdigit():
        return int(value) if len(value) <= _DIGITS_MAX else None
    plain = value.replace("廿", "二十").replace("卅", "三十")
    return _counted(plain, _TEN * _SCALES["万"]) if plain and len(plain) <= _LONGEST else None


def _counted(said: str, below: int) -> int | None:
    """The value of a numeral below `below`, from the parts before and after its highest scale (万, 千, 百, 十)."""
    scale, worth = next(((sign, worth) for sign, worth in _SCALES.items() if sign in said), ("", 1))
    if not scale:
        return DIGITS.get(said)
    if worth >= below:
        return None
    before, _, behind = said.partition(scale)
    # Only 十 may stand without a number: 百 alone is no amount.
    high = _counted(before, worth) if before else 1 if scale == "十" else None
    low = _behind(behind, worth)
    if high is None or low is None or high == 0 or (scale != "万" and high >= _TEN):
        return None
    return high * worth + low


def _behind(said: str, worth: int) -> int | None:
    """The value after a scale: 0 for nothing, a smaller number, or a single digit of the next scale (一百五 is 150)."""
    bare = said.lstrip("零〇")
    if not bare:
        return 0 if not said else None
    low = _counted(bare, worth)
    if low is not None and bare == said and said in DIGITS and worth > _TEN:
        return low * (worth // _TEN)
    return low

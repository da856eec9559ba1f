"""Chinese names: sorted by pinyin, masked in public, cleaned of what keyboards and spreadsheets put in."""

import unicodedata

from pypinyin import Style, lazy_pinyin

# Two-character surnames that are common enough to be masked as one (欧阳*).
COMPOUND_SURNAMES = frozenset(
    (
        *("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐"),
        *("司徒", "端木", "轩辕", "夏侯", "宇文", "长孙", "独孤", "南宫", "西门", "百里"),
    )
)


def clean(text: str) -> str:
    """NFC, no control characters, inner spaces between Chinese characters removed."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs"} or c == "\n")
    text = " ".join(text.split())
    return text.replace(" ", "") if not any(c.isascii() and c.isalpha() for c in text) else text


def pinyin(text: str) -> str:
    """The sort key of a name: toneless pinyin, then the name itself, so that equal sounds keep one order."""
    return f"{' '.join(lazy_pinyin(text, style=Style.NORMAL)).lower()} {text}"[:240]


def masked(name: str) -> str:
    """张桂兰 becomes 张*, 欧阳凯伟 becomes 欧阳*, 阿依古丽·买买提 becomes 阿*."""
    if not name:
        return ""
    return (name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[:1]) + "*"

"""Names of people and things: clean them for storage, make comparison and sort keys, mask them for public pages."""

import re
import unicodedata

from timebank.core.errors import Invalid
from timebank.core.pinyin.spelling import pinyin_of

# Common two-character surnames, which a masked name shows in full (欧阳*).
COMPOUND_SURNAMES = frozenset(
    (
        *("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐"),
        *("司徒", "端木", "轩辕", "夏侯", "宇文", "长孙", "独孤", "南宫", "西门", "百里"),
    )
)

FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_DOTS = dict.fromkeys(map(ord, "•‧․・･∙⋅᛫．﹒⸱⸳●◦ꞏ᛬"), "·")
# Some input methods and scanners write a radical (a code point for dictionaries) instead of the ordinary character that
# looks the same. NFKC maps the Kangxi radicals, but only a few of the CJK Radicals Supplement.
_KANGXI = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
_SUPPLEMENT = {
    ord(radical): ordinary
    for radical, ordinary in zip(
        "⺁⺄⺅⺆⺇⺉⺊⺋⺎⺑⺒⺓⺔⺕⺖⺘⺙⺚⺛⺝⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺭⺯⺰⺹⺻⺽⺾⻁⻂⻃⻄⻅⻆⻈⻉⻊⻋⻍⻏⻐⻑⻒⻓⻔⻖⻗⻘⻙⻚⻛⻜⻝⻞⻠⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳",
        "厂乙亻冂几刂卜㔾兀尢巳幺彑彐忄扌攵无旡月母民氵氺灬爫爫丬牛犭王礻糹纟耂聿臼艹虎衤覀西见角讠贝足车辶阝钅長镸长门阝雨青韦页风飞食食饣马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟",
        strict=True,
    )
}
_ORDINARY = _DOTS | FULL_WIDTH | _KANGXI | _SUPPLEMENT
_SELECTORS = dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x180E)))
_CHINESE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_SPACE_BESIDE_CHINESE = re.compile(rf"(?<=[{_CHINESE}·]) | (?=[{_CHINESE}·])")
_DOT_BETWEEN_LETTERS = re.compile(r"(?<=[^\x00-\x7f])[.。｡](?=[^\x00-\x7f])")
_SLASH_BETWEEN_LETTERS = re.compile(r"(?<=[^\x00-\x7f])[/／](?=[^\x00-\x7f]|$)")


def clean(text: str) -> str:
    """Clean words, a title or an address: NFC, no control characters, single spaces; none without Latin letters."""
    text = " ".join(_printable(text).split())
    return text.replace(" ", "") if not any(c.isascii() and c.isalpha() for c in text) else text


def required(text: str, why: str) -> str:
    """The clean name of a thing. Raises Invalid with `why` if nothing is left, as of invisible characters."""
    name = clean(text)
    if not name:
        raise Invalid(why=why)
    return name


def clean_person(text: str) -> str:
    """A person's name in the form in which it is stored, whether it comes from the panel, the API or a workbook.

    Middle dots become "·", full-width letters half-width ones, radicals ordinary characters; variation selectors and
    spaces beside a Chinese character are removed. The spaces of a Latin name (Nguyễn Thị Mai) and rare characters stay.
    """
    text = _printable(text.translate(_ORDINARY)).translate(_SELECTORS)
    return _DOT_BETWEEN_LETTERS.sub("·", _SPACE_BESIDE_CHINESE.sub("", " ".join(text.split())))


def key(name: str) -> str:
    """The comparison key of a person's name: case-folded, with the variants of `clean_person` and NFKC unified.

    It is stored with each person, and names are compared only by it. A change of this function needs a migration that
    computes the stored keys again.
    """
    plain = unicodedata.normalize("NFKC", clean_person(name)).casefold()
    return clean_person(_SLASH_BETWEEN_LETTERS.sub("·", plain))


def _printable(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    return "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs"} or c in "\n\t")


def pinyin(text: str) -> str:
    """The sort key of a name: pinyin without tones, then the name, so that the order of homophones is fixed."""
    return f"{' '.join(pinyin_of(text)).lower()} {text}"[:240]


# Characters of names with two readings, the one as a surname last.
_READ_TWICE = {
    "单": "dan shan", "曾": "ceng zeng", "解": "jie xie", "仇": "chou qiu", "查": "cha zha", "区": "qu ou",
    "翟": "di zhai", "乐": "le yue", "秘": "mi bi", "折": "zhe she", "种": "zhong chong", "召": "zhao shao",
    "宓": "mi fu", "繁": "fan po", "盛": "cheng sheng", "句": "ju gou", "覃": "tan qin", "郗": "chi xi",
    "谌": "shen chen", "隗": "kui wei", "贾": "gu jia", "祭": "ji zhai", "车": "ju che", "长": "chang zhang",
    "朝": "zhao chao", "重": "zhong chong", "传": "zhuan chuan", "藏": "cang zang", "行": "hang xing",
    "降": "xiang jiang", "调": "tiao diao", "宿": "xiu su", "尉": "wei yu", "俞": "shu yu", "莘": "xin shen",
    "洗": "xi xian", "盖": "gai ge", "朴": "pu piao", "缪": "miu miao", "员": "yuan yun",
}  # fmt: skip


def _syllables(name: str) -> list[str]:
    """The pinyin of each Chinese character and each Latin word of a name, without dots and signs."""
    return [word for part in pinyin_of(name) for word in re.findall(r"\w+", part)]


def spelled(name: str) -> str:
    """A name in pinyin in one word, as it is typed into a search: zhangguilan. A surname is read as a surname."""
    plain = clean_person(name).lower()
    first, following = (_READ_TWICE[plain[0]].split()[-1], plain[1:]) if plain[:1] in _READ_TWICE else ("", plain)
    return (first + "".join(_syllables(following)))[:240]


def initials(name: str) -> tuple[str, str]:
    """The first letters of a name's syllables, zgl for 张桂兰, and those of its other reading or an empty text."""
    plain = clean_person(name).lower()
    letters = [syllable[0] for syllable in _syllables(plain)]
    found = ["".join(letters)[:60]]
    for at, character in enumerate(plain if len(letters) == len(plain) else ""):
        read = _READ_TWICE.get(character, "").split()
        found += ["".join([*letters[:at], other[0], *letters[at + 1 :]])[:60] for other in read]
    return found[0], next((each for each in found if each != found[0]), "")


def masked(name: str) -> str:
    """The name masked for public pages: 张桂兰 becomes 张*, 欧阳凯伟 becomes 欧阳*, 阿依古丽·买买提 becomes 阿*."""
    if not name:
        return ""
    return (name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[:1]) + "*"

"""docs/glossary.md agrees with the code: each name exists, and no word has two lines."""

import re
from importlib import import_module

from tests.support.documents import ROOT

LINE = re.compile(r"^\| (?P<chinese>[^|]+) \| (?P<english>[^|]+) \| [^|]+ \| `(?P<name>[a-z_.]+[A-Za-z_.]*)` \|$")
LINES = [
    found
    for line in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| 中文")
    for found in [LINE.match(line) or line]
]


def is_there(name: str) -> bool:
    """Whether a dotted name below `timebank` is an attribute of a module."""
    parts = name.split(".")
    for split in range(len(parts), 0, -1):
        try:
            found: object = import_module(f"timebank.{'.'.join(parts[:split])}")
        except ModuleNotFoundError:
            continue
        for attribute in parts[split:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return split < len(parts)
    return False


def test_each_name_of_the_glossary_is_in_the_code() -> None:
    assert [line for line in LINES if isinstance(line, str)] == [], "a line of another form"
    assert [line["name"] for line in LINES if not isinstance(line, str) and not is_there(line["name"])] == []


def test_no_word_of_the_glossary_is_explained_twice() -> None:
    for column in ("chinese", "english", "name"):
        words = [line[column] for line in LINES if not isinstance(line, str)]
        assert sorted({word for word in words if words.count(word) > 1}) == [], column
    assert len(LINES) >= 60

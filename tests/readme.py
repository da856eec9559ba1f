"""README.md in parts: its two languages, their sections, and the blocks of code in them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- error codes: begin -->", "<!-- error codes: end -->"
ENGLISH = "\n# timebank (English)\n"
FENCED = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it, down to the next heading of any level."""

    level: int
    title: str
    text: str

    def blocks(self, language: str = "[a-z]*") -> list[str]:
        """The fenced blocks in one language, `sh` or `sql` or none, or all of them."""
        return [code for marked, code in FENCED.findall(self.text) if re.fullmatch(language, marked)]

    def tables(self) -> list[list[str]]:
        """For each table the code that the first cell of each row names, else nothing."""
        found = re.findall(r"(?:^\|.*\n)+", self.text, re.MULTILINE)
        return [["".join(re.findall(r"`[^`]+`", row.split("|")[1])) for row in table.splitlines()] for table in found]

    def items(self) -> int:
        """How many points its lists have."""
        return len(re.findall(r"^(?:-|\d+\.) ", FENCED.sub("", self.text), re.MULTILINE))


def readme() -> str:
    return README.read_text(encoding="utf-8")


def halves() -> tuple[str, str]:
    """The Chinese half and the English half. The table of error codes stands in the first alone and is left out."""
    chinese, found, english = readme().partition(ENGLISH)
    assert found
    return chinese[: chinese.index(BEGIN)] + chinese[chinese.index(END) :], english


@cache
def sections(half: str) -> list[Section]:
    """What stands above the first heading counts as a section of level 1."""
    bare = FENCED.sub(lambda found: re.sub("^#", "\0", found[0], flags=re.MULTILINE), half)
    parts = re.split(r"^(#+) (.*)\n", bare, flags=re.MULTILINE)
    told = [("#", "", parts[0]), *zip(parts[1::3], parts[2::3], parts[3::3], strict=True)]
    return [Section(len(marks), title, text.replace("\0", "#")) for marks, title, text in told]


def section(title: str) -> Section:
    """The section of this title in the Chinese half, whose code is also the English half's."""
    (found,) = [each for each in sections(halves()[0]) if each.title == title]
    return found

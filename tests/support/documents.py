"""Parses README.md and the pages of docs/ into languages, sections and code blocks."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- error codes: begin -->", "<!-- error codes: end -->"
FENCED = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """A heading with the text below it, up to the next heading of any level."""

    level: int
    title: str
    text: str

    def blocks(self, language: str = "[a-z]*") -> list[str]:
        """The fenced code blocks of one language (`sh`, `sql`, empty), or all of them."""
        return [code for marked, code in FENCED.findall(self.text) if re.fullmatch(language, marked)]

    def tables(self) -> list[list[str]]:
        """For each table, the inline code in the first cell of each row, or an empty string."""
        found = re.findall(r"(?:^\|.*\n)+", self.text, re.MULTILINE)
        return [["".join(re.findall(r"`[^`]+`", row.split("|")[1])) for row in table.splitlines()] for table in found]

    def items(self) -> int:
        """The number of list items."""
        return len(re.findall(r"^(?:-|\d+\.) ", FENCED.sub("", self.text), re.MULTILINE))


@dataclass(frozen=True)
class Document:
    """A page by its path in the project. A bilingual page has a Chinese and an English half, each with a title."""

    name: str

    @property
    def path(self) -> Path:
        return ROOT / self.name

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def sections(self) -> list[Section]:
        bare = FENCED.sub(lambda found: re.sub("^#", "\0", found[0], flags=re.MULTILINE), self.text)
        above, *parts = re.split(r"^(#+) (.*)\n", bare, flags=re.MULTILINE)
        assert above == "", f"{self.name} begins with its title"
        found = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        return [Section(len(marks), title, text.replace("\0", "#")) for marks, title, text in found]

    @property
    def halves(self) -> tuple[list[Section], list[Section]]:
        """The sections in Chinese and those in English."""
        titles = [place for place, section in enumerate(self.sections) if section.level == 1]
        assert len(titles) == 2, f"{self.name} has one title in each language"
        return self.sections[: titles[1]], self.sections[titles[1] :]

    def section(self, title: str) -> Section:
        """The section of this title in the Chinese half; the English half shows the same code."""
        (found,) = [each for each in self.halves[0] if each.title == title]
        return found

    def code(self) -> list[str]:
        """All code on the page, fenced and inline."""
        fenced = [code for _, code in FENCED.findall(self.text)]
        return fenced + re.findall(r"`([^`\n]+)`", FENCED.sub("", self.text))


README = Document("README.md")
COMMANDS = Document("docs/commands.md")
ERRORS = Document("docs/errors.md")
OPERATING = Document("docs/operating.md")
SETTINGS = Document("docs/settings.md")
BILINGUAL = (README, COMMANDS, SETTINGS, Document("docs/http.md"), ERRORS, OPERATING, Document("docs/safeguards.md"))


@cache
def documents() -> tuple[Document, ...]:
    """README.md and every page of docs/."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    return (README, *(Document(str(path.relative_to(ROOT))) for path in pages))

"""README.md and docs/ document each command with its options, each setting and each error code.

`python -m tests.source.test_documentation` rewrites the tables of error codes.
"""

import importlib
import pkgutil
import re

import click
import pytest

import admin
import timebank
from tests.support.documents import (
    BEGIN,
    BILINGUAL,
    COMMANDS,
    END,
    ERRORS,
    FENCED,
    OPERATING,
    README,
    ROOT,
    SETTINGS,
    Document,
    Section,
    documents,
)
from timebank import cli
from timebank.core.errors import TimebankError
from timebank.core.locale import translate

LINES_MAX = 260  # of README.md; the rest is in docs/
LANGUAGES = {"zh": "| code | HTTP | 说明 |", "en": "| code | HTTP | what it says |"}
SOURCE = (".py", ".sql", ".html", ".js", ".css", ".yaml", ".toml", ".po", ".service")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def every_error() -> list[type[TimebankError]]:
    """Each error class of the project, sorted by code."""
    for package in (timebank, admin):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found, left = set[type[TimebankError]](), [TimebankError]
    while left:
        error = left.pop()
        left += error.__subclasses__()
        found.add(error)
    ours = [error for error in found - {TimebankError} if error.__module__.startswith(("timebank.", "admin."))]
    return sorted(ours, key=lambda error: (error.code, error.__qualname__))


def tables() -> list[str]:
    """The Markdown table of error codes in each language."""
    return ["\n".join([heading, "|---|---|---|", *rows(language)]) for language, heading in LANGUAGES.items()]


def rows(language: str) -> list[str]:
    return [f"| `{error.code}` | {error.status} | {translate(error.sentence, language)} |" for error in every_error()]


def test_every_error_code_is_explained_as_it_is_said() -> None:
    between = re.compile(f"{BEGIN}\n(.*?)\n{END}", re.DOTALL)
    assert between.findall(ERRORS.text) == tables(), "python -m tests.source.test_documentation writes them anew"


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in every_error()]
    assert [f"{e.__module__}.{e.__qualname__} {e.code}" for e in every_error() if codes.count(e.code) > 1] == []


def test_every_error_has_its_own_code_and_a_chinese_sentence() -> None:
    assert [error.__qualname__ for error in every_error() if "code" not in vars(error)] == []
    assert [error.code for error in every_error() if not re.search(r"[\u4e00-\u9fff]{2}", error.sentence)] == []


@pytest.mark.parametrize("half", COMMANDS.halves, ids=["chinese", "english"])
def test_every_command_and_option_is_explained(half: list[Section]) -> None:
    for name in cli.COMMANDS:
        command = cli.timebank.get_command(click.Context(cli.timebank), name)
        assert command is not None
        (section,) = [each.text for each in half if each.title == f"`timebank {name}`"]
        for option in command.params:
            said = option.opts[0] if isinstance(option, click.Option) else option.human_readable_name
            assert said in section, (name, said)


def shown(*these: Document) -> str:
    """The code that the documents show."""
    return "\n".join(code for document in these for code in document.code())


def test_no_command_is_explained_that_does_not_exist() -> None:
    named = set(re.findall(r"(?<![\w/.=])timebank ([a-z][a-z-]+)\b", shown(*documents())))
    assert named - set(cli.COMMANDS) == set()


def test_every_make_target_that_is_named_exists_and_the_usual_ones_are_named() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = re.compile(r"\bmake ([a-z]+)\b")
    assert set(called.findall(shown(*documents()))) <= targets
    assert {"run", "test", "lint", "bench"} <= set(called.findall(shown(README)))


def test_every_setting_is_explained_and_no_other() -> None:
    read = set(
        re.findall(r"TIMEBANK_[A-Z_]+", (ROOT / "timebank" / "core" / "settings.py").read_text(encoding="utf-8"))
    )
    tests = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"\bTIMEBANK_TEST_[A-Z_]+", path.read_text(encoding="utf-8"))
    } - {"TIMEBANK_TEST_"}
    settings = {name for name in read if name != "TIMEBANK_"} | tests
    named = {name for document in documents() for name in re.findall(r"TIMEBANK_[A-Z_]+", document.text)}
    assert named == settings
    for half in SETTINGS.halves:
        (table,) = [table for section in half for table in section.tables()]
        assert {cell.strip("`") for cell in table} - {""} == settings


# Links between documents.


def test_every_link_between_documents_leads_to_a_file_and_a_heading_that_are_there() -> None:
    wrong = []
    for document in (*documents(), Document("CHANGELOG.md")):
        for link in LINK.findall(FENCED.sub("", document.text)):
            if re.match(r"https?://|mailto:", link):
                continue
            name, _, place = link.partition("#")
            path = (document.path.parent / name).resolve() if name else document.path
            known = path.exists() and (not place or place in places(Document(str(path.relative_to(ROOT)))))
            wrong += [] if known else [f"{document.name}: {link}"]
    assert wrong == []


def places(document: Document) -> list[str]:
    """The link fragments of a document's headings; the second heading of the same name gets `-1`."""
    found: list[str] = []
    for section in document.sections:
        name = re.sub(r"[^\w\- ]", "", section.title.lower()).replace(" ", "-")
        before = sum(re.fullmatch(rf"{re.escape(name)}(-\d+)?", each) is not None for each in found)
        found.append(f"{name}-{before}" if before else name)
    return found


def test_every_document_is_found_from_the_front_door_in_each_language() -> None:
    for half in README.halves:
        linked = {link.partition("#")[0] for section in half for link in LINK.findall(section.text)}
        assert {document.name for document in documents()} - {README.name} - linked == set()


def test_the_front_door_is_short() -> None:
    assert len(README.text.splitlines()) <= LINES_MAX


def test_what_the_front_door_shows_for_a_server_is_what_is_tried_out_of_the_page_on_operating() -> None:
    tried = [block for section in OPERATING.sections for block in section.blocks()]
    blocks = [block for section in README.sections for block in section.blocks("sh")]
    assert [block for block in blocks if block not in tried and not re.fullmatch(r"(make [a-z]+\n)+", block)] == []


def test_every_document_that_the_source_sends_somebody_to_is_there() -> None:
    files = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in ("timebank", "admin", "migrations", "static", "docker", "docs", "bench", ".ci"):
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file() and "vendor" not in path.parts]
    wrong = []
    for path in files:
        if path.suffix in {*SOURCE, ""}:
            named = re.findall(r"[\w/.-]+\.md\b", path.read_text(encoding="utf-8", errors="replace"))
            wrong += [f"{path.relative_to(ROOT)}: {name}" for name in named if not (ROOT / name).is_file()]
    assert wrong == [], "a document is named by its path below the project"


# The two languages.


def pairs() -> list[tuple[Section, Section]]:
    """Each Chinese section with its English counterpart."""
    return [pair for document in BILINGUAL for pair in zip(*document.halves, strict=True)]


@pytest.mark.parametrize("document", BILINGUAL, ids=lambda document: document.name)
def test_each_language_has_the_same_sections(document: Document) -> None:
    """The sections have the same order and levels; headings that name a command are equal."""
    chinese, english = ([(each.level, named(each)) for each in half] for half in document.halves)
    assert chinese == english


def named(section: Section) -> str:
    """The title of a section that names a command, else an empty string."""
    return section.title if "`" in section.title else ""


def test_each_language_shows_the_same_code() -> None:
    """Tests run the code blocks of one language only, so the other must show the same."""
    assert [(a.title, b.title) for a, b in pairs() if a.blocks() != b.blocks()] == []


def test_each_language_has_the_same_tables_and_lists() -> None:
    assert [(a.title, b.title) for a, b in pairs() if (a.tables(), a.items()) != (b.tables(), b.items())] == []


def test_each_language_leads_to_the_same_files() -> None:
    def files(section: Section) -> list[str]:
        found = [link.partition("#")[0] for link in LINK.findall(section.text)]
        return sorted(name for name in found if name)

    assert [(a.title, b.title, files(a), files(b)) for a, b in pairs() if files(a) != files(b)] == []


def test_no_section_of_either_language_is_a_summary_of_the_other() -> None:
    """An English text has about 1.3 to 5 times as many characters as the same text in Chinese."""
    short = [(a.title, b.title) for a, b in pairs() if not 1.3 * len(prose(a)) <= len(prose(b)) <= 5 * len(prose(a))]
    assert short == []


def prose(section: Section) -> str:
    return re.sub(r"\s|```.*?```|`[^`]*`|\]\([^)]*\)", "", section.text, flags=re.DOTALL)


if __name__ == "__main__":
    written = iter(tables())
    between = re.compile(f"(?<={BEGIN}\n).*?(?={END})", re.DOTALL)
    ERRORS.path.write_text(between.sub(lambda _: f"{next(written)}\n", ERRORS.text), encoding="utf-8")

"""README.md says everything that one may rely on: each command with its options, each setting, each error code.

`python -m tests.test_documentation` writes the table of error codes anew.
"""

import importlib
import pkgutil
import re
from pathlib import Path

import click
import pytest

import admin
import timebank
from tests.readme import BEGIN, END, README, Section, halves, readme, sections
from timebank.cli import COMMANDS
from timebank.cli import timebank as commands
from timebank.errors import TimebankError

ROOT = Path(__file__).parent.parent


def every_error() -> list[type[TimebankError]]:
    """Each error class of the project, by code."""
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


def rows() -> list[str]:
    return [f"| `{error.code}` | {error.status} | {error.sentence} |" for error in every_error()]


def test_every_error_code_is_explained_as_it_is_said() -> None:
    table = readme().partition(BEGIN)[2].partition(END)[0].strip().splitlines()[2:]
    assert table == rows(), "python -m tests.test_documentation writes them anew"


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in every_error()]
    assert [f"{e.__module__}.{e.__qualname__} {e.code}" for e in every_error() if codes.count(e.code) > 1] == []


def test_every_error_has_its_own_code_and_a_chinese_sentence() -> None:
    assert [error.__qualname__ for error in every_error() if "code" not in vars(error)] == []
    assert [error.code for error in every_error() if not re.search(r"[\u4e00-\u9fff]{2}", error.sentence)] == []


@pytest.mark.parametrize("half", halves(), ids=["chinese", "english"])
def test_every_command_and_option_is_explained(half: str) -> None:
    for name in COMMANDS:
        command = commands.get_command(click.Context(commands), name)
        assert command is not None
        (section,) = [each.text for each in sections(half) if each.title == f"`timebank {name}`"]
        for option in command.params:
            said = option.opts[0] if isinstance(option, click.Option) else option.human_readable_name
            assert said in section, (name, said)


def test_no_command_is_explained_that_does_not_exist() -> None:
    named = set(re.findall(r"(?<![\w/.=])timebank ([a-z][a-z-]+)\b", "\n".join(code_of(readme()))))
    assert named - set(COMMANDS) == set()


def code_of(text: str) -> list[str]:
    """What README.md shows as code: fenced blocks and inline."""
    fenced = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
    return fenced + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def test_every_make_target_that_is_named_exists_and_the_usual_ones_are_named() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(code_of(readme()))))
    assert named <= targets
    assert {"run", "test", "lint", "bench"} <= named


def test_every_setting_is_explained_and_no_other() -> None:
    read = set(re.findall(r"TIMEBANK_[A-Z_]+", (ROOT / "timebank" / "settings.py").read_text(encoding="utf-8")))
    tests = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"\bTIMEBANK_TEST_[A-Z_]+", path.read_text(encoding="utf-8"))
    } - {"TIMEBANK_TEST_"}
    settings = {name for name in read if name != "TIMEBANK_"} | tests
    named = set(re.findall(r"TIMEBANK_[A-Z_]+", readme()))
    assert named == settings
    for half, heading in zip(halves(), ("| 设置 ", "| setting "), strict=True):
        table = half.partition(heading)[2].partition("\n\n")[0]
        assert settings <= set(re.findall(r"TIMEBANK_[A-Z_]+", table))


def test_every_link_into_the_repository_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", readme())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_each_language_has_the_same_sections() -> None:
    """In the same order; the names of commands are the same in both."""
    chinese, english = ([(each.level, each.title) for each in sections(half)] for half in halves())
    assert [level for level, _ in chinese][1:] == [level for level, _ in english]
    assert [title for level, title in chinese if level == 4] == [title for level, title in english if level == 4]


def pairs() -> list[tuple[Section, Section]]:
    """Each section beside itself in the other language."""
    chinese, english = (sections(half) for half in halves())
    return list(zip(chinese[1:], english, strict=True))


def test_each_language_shows_the_same_code() -> None:
    """So whoever follows either of them does the same; tests run the blocks of one."""
    assert [(a.title, b.title) for a, b in pairs() if a.blocks() != b.blocks()] == []


def test_each_language_has_the_same_tables_and_lists() -> None:
    assert [(a.title, b.title) for a, b in pairs() if (a.tables(), a.items()) != (b.tables(), b.items())] == []


def test_each_language_leads_to_the_same_files() -> None:
    link = re.compile(r"\]\(([^)#]+)\)")
    assert [
        (a.title, b.title) for a, b in pairs() if sorted(link.findall(a.text)) != sorted(link.findall(b.text))
    ] == []


def test_no_section_of_either_language_is_a_summary_of_the_other() -> None:
    """The same said in English takes more than twice as many letters, and far more than as many."""
    short = [(a.title, b.title) for a, b in pairs() if not 1.3 * len(prose(a)) <= len(prose(b)) <= 5 * len(prose(a))]
    assert short == []


def prose(section: Section) -> str:
    return re.sub(r"\s|```.*?```|`[^`]*`", "", section.text, flags=re.DOTALL)


if __name__ == "__main__":
    before, _, rest = readme().partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(["| code | HTTP | 说明 |", "|---|---|---|", *rows()])
    README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")

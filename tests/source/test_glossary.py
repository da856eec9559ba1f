"""docs/glossary.md agrees with the code: each name exists, and no word has two lines."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from tests.support.documents import ROOT

PAGE = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
MEANINGS, _, OTHERS = PAGE.partition("## 几处同名")
SHARED, _, UNUSED = OTHERS.partition("## 不用的词")
LINE = re.compile(r"^\| (?P<chinese>[^|]+) \| (?P<english>[^|]+) \| [^|]+ \| `(?P<name>[a-z_.]+[A-Za-z_.]*)` \|$")
LINES = [
    found
    for line in MEANINGS.splitlines()
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


def sources() -> Iterator[tuple[Path, str, ast.Module]]:
    for folder in ("timebank", "admin", "bench"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            yield path.relative_to(ROOT), text, ast.parse(text)


def defined_in(tree: ast.Module) -> list[str]:
    """The functions and classes that a module defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in tree.body if isinstance(node, kinds)]


def packages_of_functions() -> dict[str, set[str]]:
    """Each public function name with the packages that have it: `shop`, `core`, `admin`."""
    found: dict[str, set[str]] = {}
    for path, _, tree in sources():
        package = path.parts[1].removesuffix(".py") if path.parts[0] == "timebank" else path.parts[0]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                found.setdefault(node.name, set()).add(package)
    return found


def test_a_public_function_name_is_one_packages_or_listed_with_its_one_meaning() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", SHARED, re.MULTILINE))
    assert {name for name, packages in packages_of_functions().items() if len(packages) > 1} == listed


def unused_words() -> list[str]:
    cells = re.findall(r"^\| ([a-z, ]+) \|", UNUSED, re.MULTILINE)
    return [word for cell in cells for word in cell.split(", ")]


def texts(source: str, tree: ast.Module) -> Iterator[str]:
    """The docstrings and comments of a module."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def said_in(text: str) -> list[str]:
    """The unused words that a text says, in any form but for what stands in quotes or backticks: stored values."""
    plain = re.sub(r"`[^`]*`|'[a-z_]+'|\"[a-z_]+\"", "", text.lower())
    return [word for word in unused_words() if re.search(rf"\b{word}(s|ed|ing)?\b", plain)]


def test_no_word_that_is_not_used_is_said_in_a_docstring_or_comment() -> None:
    assert said_in("Tell the person, whom nobody has told.") == ["tell", "told"]
    wrong = [
        f"{path}: {', '.join(said_in(text))}: {text[:80]!r}"
        for path, source, tree in sources()
        for text in texts(source, tree)
        if said_in(text)
    ]
    assert wrong == []


def test_no_name_of_a_function_or_class_is_made_of_a_word_that_is_not_used() -> None:
    wrong = [
        f"{path}: {name}"
        for path, _, tree in sources()
        for name in defined_in(tree)
        if {part.lower() for part in re.findall(r"[A-Z]?[a-z]+", name)} & {*unused_words(), "settled", "doubts"}
    ]
    assert wrong == []

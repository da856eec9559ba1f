"""docs/architecture.md is true: what it names is there, no package is left out, and its drawing is the layers' own."""

import ast
import re

from tests.source.test_architecture import LAYERS
from tests.support.documents import FENCED, ROOT, Document

PAGE = Document("docs/architecture.md")
FOLDERS = "timebank|admin|migrations|tests|docs|docker|static|bench"
NAMED = re.compile(rf"(?<![\w/.])((?:{FOLDERS})/[\w./*-]*)(?:::([\w.]+))?")


def named() -> list[tuple[str, str]]:
    """Each path of the page, with the name in that file where one is given. A sentence's full stop is none of it."""
    return [(path.rstrip("."), name.rstrip(".")) for path, name in NAMED.findall(PAGE.text)]


def defined(path: str) -> set[str]:
    """The names that a module defines, and `Class.name` for what stands in a class."""
    found = set[str]()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        own = names_of(node)
        found |= own
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for inner in node.body for name in names_of(inner)}
    return found


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}


def test_every_file_that_the_page_names_is_there() -> None:
    assert [path for path, _ in named() if not any(ROOT.glob(path))] == []


def test_every_name_that_the_page_gives_is_in_its_file() -> None:
    assert [f"{path}::{name}" for path, name in named() if name and name not in defined(path)] == []


def test_every_package_is_on_the_page() -> None:
    packages = {f"timebank/{path.parent.name}/" for path in (ROOT / "timebank").glob("*/__init__.py")}
    assert packages - {path for path, _ in named()} == set()


def test_every_sql_function_that_the_page_names_is_in_a_migration() -> None:
    schema = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "migrations").glob("*.sql"))
    functions = re.findall(r"SQL function `(\w+)`", PAGE.text)
    assert functions
    assert [name for name in functions if not re.search(rf"FUNCTION {name}\(", schema)] == []


def test_the_drawing_shows_the_layers_that_hold() -> None:
    """From the top down, a line for each row: what goes on in the next line is indented."""
    _, drawing = FENCED.findall(PAGE.text)[0]
    rows: list[set[str]] = []
    for indent, line in re.findall(r"^│( +)(\S.*)$", drawing, re.MULTILINE):
        paths = {path for path, _ in NAMED.findall(line)}
        if len(indent) == 1:
            rows.append(paths)
        else:
            rows[-1] |= paths
    assert rows == [set().union(*map(paths_of, row)) for row in reversed(LAYERS)]


def paths_of(part: str) -> set[str]:
    """Where a part of the layers stands."""
    known = {"admin": {"admin/"}, "api": {"timebank/*/api.py"}, "web": {"timebank/*/pages/", "timebank/web/"}}
    return known.get(part) or {
        next(path for path in (f"timebank/{part}.py", f"timebank/{part}/") if (ROOT / path).exists())
    }


def test_the_page_says_of_ten_things_where_they_are_added() -> None:
    (section,) = [each for each in PAGE.sections if each.title == "Where to add what"]
    entries = re.split(r"^\d+\. ", section.text, flags=re.MULTILINE)[1:]
    assert len(entries) == 10
    assert [entry for entry in entries if not NAMED.search(entry)] == []

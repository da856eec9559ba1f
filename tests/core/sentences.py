"""Collects every translatable sentence from templates and code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from timebank.core.locale import keyed

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "timebank", ROOT / "admin")


def every_sentence() -> dict[str, str]:
    """Each sentence with the first file and line in which it is."""
    found: dict[str, str] = {}
    for place, sentence in (*_in_templates(), *_in_code()):
        found.setdefault(sentence, place)
    return found


def _in_templates() -> Iterator[tuple[str, str]]:
    environment = Environment(autoescape=True)
    for path in _files("*.html"):
        for line, _function, sentence in extract_from_ast(environment.parse(path.read_text()), ("_",)):
            match sentence:  # `_(word)` with a variable gives None; Python marks its word
                case str():
                    yield f"{path.relative_to(ROOT)}:{line}", sentence
                case (str(text), str(context)):
                    yield f"{path.relative_to(ROOT)}:{line}", keyed(text, context)


def _in_code() -> Iterator[tuple[str, str]]:
    for path in _files("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            for sentence in _sentences_of(node):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", sentence


def _sentences_of(node: ast.AST) -> Iterator[str]:
    """The sentences that a syntax node marks: `_("…")`, or `sentence = "…"` of an error class."""
    match node:
        case ast.Call(func=ast.Name(id="_"), args=[ast.Constant(value=str(sentence)), *_]):
            yield sentence
        case ast.ClassDef(body=body):
            for line in body:
                match line:
                    case (
                        ast.Assign(targets=[ast.Name(id="sentence")], value=ast.Constant(value=str(sentence)))
                        | ast.AnnAssign(target=ast.Name(id="sentence"), value=ast.Constant(value=str(sentence)))
                    ):
                        yield sentence


def _files(pattern: str) -> list[Path]:
    return sorted(file for folder in FOLDERS for file in folder.rglob(pattern))

"""What a docstring says is there."""

import ast
import builtins
import re

from tests.source.test_architecture import modules

RAISES = re.compile(r"\b[Rr]aises? ((?:(?:an? )?[A-Z]\w+(?:, and |, or |, | and | or )?)+)")
DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef


def errors() -> set[str]:
    """The names of all error classes of the project but the demo's, and of Python."""
    classes = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for name, (_, tree) in modules().items()
        if not name.startswith("timebank.demo")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)}
    while more := {name for name, bases in classes.items() if bases & known} - known:
        known |= more
    return known


def named_in(tree: ast.Module) -> set[str]:
    """The names that a module's own code uses, among them errors of libraries."""
    nodes = list(ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


def test_every_error_that_a_docstring_says_is_raised_is_there() -> None:
    known = errors()
    assert "ScanRefused" in known
    wrong = [
        f"{name}: {said}"
        for name, (_, tree) in modules().items()
        if name.startswith(("timebank", "admin"))
        for node in ast.walk(tree)
        if isinstance(node, DOCUMENTED)
        for found in RAISES.findall(ast.get_docstring(node) or "")
        for said in re.findall(r"[A-Z]\w+", found)
        if said not in known | named_in(tree)
    ]
    assert not wrong, wrong

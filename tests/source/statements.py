"""Which tables the SQL in Python source names, found without running it."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping

_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|[A-Za-z_][A-Za-z_0-9]*|::|[^\s]")
_WORD = re.compile(r"[A-Za-z_]")
# What is followed by the name of a table.
_BEFORE_A_TABLE = {"from", "join", "into", "update", "using", "truncate", "copy", "table", "lock"}
# After these words of a FROM list a comma is followed by no table.
_AFTER_THE_LIST = {
    "select", "where", "on", "set", "group", "order", "having", "limit", "values", "returning", "union", "except",
    "intersect", "window", "with", "for", "do",
}  # fmt: skip
_BETWEEN = {"only", "lateral", "table", "into"}
# How SQL begins. It is written with its keywords in capitals: a sentence of prose that has "from" in it is none.
_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|JOIN|USING|MERGE|TRUNCATE|COPY|LOCK)\b")
_SMALL = re.compile(r"\s*\(*\s*(select|insert into|update \w+ set|delete from|with \w+ as)\b", re.IGNORECASE)
GAP = "\0"
"""Stands in a text for what is not known without running the code."""

Constants = Callable[[str], str | None]


def tables_named(sql: str) -> Iterator[str]:
    """The tables that a statement or a part of one reads or writes, without common table expressions and functions."""
    tokens = [token for token in _TOKEN.findall(sql) if not token.startswith("--")]
    made_here = _common_tables(tokens)
    lists = [False]  # for each open bracket: whether a FROM list goes on in it
    expects = False
    for at, token in enumerate(tokens):
        word, following = token.lower(), tokens[at + 1 : at + 2]
        if token == "(":
            lists.append(expects)
        elif token == ")":
            expects, _ = False, len(lists) > 1 and lists.pop()
        elif token == ",":
            expects = lists[-1]
        elif word in _BEFORE_A_TABLE and not _is_no_clause(tokens, at):
            expects, lists[-1] = following != ["("] or word != "using", word in {"from", "using", "join"}
        elif word in _AFTER_THE_LIST:
            expects, lists[-1] = False, False
        elif expects and word not in _BETWEEN:
            expects = False
            is_call = following == ["("] and tokens[at - 1].lower() != "into"
            if _WORD.match(token) and not is_call and following != ["."] and word not in made_here:
                yield word


def _common_tables(tokens: list[str]) -> set[str]:
    """Names that the statement itself gives: `WITH name AS (` and `WITH name (columns) AS (`."""
    text = " ".join(tokens)
    named = re.findall(r"(?:\b[Ww][Ii][Tt][Hh](?: [Rr][Ee]\w+)?|,) (\w+) (?:\( [\w ,]+ \) )?AS (?:\w+ )*\(", text)
    return {name.lower() for name in named}


def _is_no_clause(tokens: list[str], at: int) -> bool:
    """IS DISTINCT FROM, FOR UPDATE, FOR NO KEY UPDATE, ON CONFLICT DO UPDATE: keywords that no table follows."""
    before = tokens[at - 1].lower() if at else ""
    word = tokens[at].lower()
    return (word == "from" and before == "distinct") or (word == "update" and before in {"for", "key", "do"})


def texts(tree: ast.Module, known: Constants) -> Iterator[tuple[str, int]]:
    """Every text of a module as it will be, f-strings and sums of constants put together, but for docstrings."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside: set[int] = set()
    for node in ast.walk(tree):  # from the outside in: a part of a text that is read is not read again
        if id(node) in docs or id(node) in inside or not isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            continue
        text = folded(node, known)
        if text is not None and text.strip(GAP):
            inside |= {id(part) for part in ast.walk(node)}
            inside -= {id(part) for part in _asked_inside(node)}
            yield text, node.lineno


def _asked_inside(node: ast.AST) -> Iterator[ast.AST]:
    """Parts that are not put together: calls and conditions in the braces of an f-string have texts of their own."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call | ast.IfExp | ast.GeneratorExp | ast.ListComp):
            yield from ast.walk(part)


def folded(node: ast.AST | None, known: Constants) -> str | None:
    """What an expression is as a text, with gaps for what is not known; None for what is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(folded(part, known) or GAP for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return folded(node.value, known)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = folded(node.left, known), folded(node.right, known)
        return None if left is None and right is None else (left or GAP) + (right or GAP)
    if isinstance(node, ast.Name | ast.Attribute):
        return known(ast.unparse(node))
    return None


def is_sql(text: str) -> bool:
    return bool(_SQL.search(text) or _SMALL.match(text))


def tables_of_source(tree: ast.Module, known: Constants) -> Iterator[tuple[str, int]]:
    """The tables that a module's statements name, with the line, and those that it names to `insert_many`."""
    for text, line in texts(tree, known):
        if is_sql(text):
            yield from ((table, line) for table in tables_named(text.replace(GAP, " ? ")))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("insert_many") and node.args:
            table = folded(node.args[0], known)
            if table:
                yield table, node.lineno


def assigned(tree: ast.Module) -> Mapping[str, ast.expr]:
    """What a module assigns to names of its own level, once each."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found

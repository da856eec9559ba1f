"""Which writes are plain, and so go through a table class: one whole row inserted, one row updated by its key alone."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

from piccolo.table import Table

from timebank.operations.piccolo_app import APP_CONFIG

GIVEN = r"(?:\$\d+|'[^']*'|-?\d+|true|false|null)(?:::\w+(?:\[\])?)?"
SETS = rf"\w+ = {GIVEN}"
INSERT = re.compile(rf"INSERT INTO (\w+) \(([\w, ]+)\) VALUES \({GIVEN}(?:, {GIVEN})*\);?", re.IGNORECASE)
UPDATE = re.compile(rf"UPDATE (\w+) SET {SETS}(?:, {SETS})* WHERE ({SETS}(?: AND {SETS})*);?", re.IGNORECASE)
UNREADABLE = re.compile(r"REVOKE SELECT\b[^;]*? ON (\w+) FROM timebank_app")
CREATED = re.compile(r"CREATE TABLE (\w+) \((.*?)\n\);", re.DOTALL)
REKEYED = re.compile(r"ALTER TABLE (\w+) [^;]*ADD PRIMARY KEY \(([\w, ]+)\)")


@cache
def schema() -> str:
    """The statements of every migration, without comments."""
    folder = Path(__file__).parents[2] / "migrations"
    return "\n".join(re.sub(r"--.*", "", path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql")))


@cache
def keys() -> dict[str, frozenset[str]]:
    """The columns of each table's primary key, as the migrations leave it."""
    found = {}
    for table, body in CREATED.findall(schema()):
        listed = re.search(r"PRIMARY KEY \(([\w, ]+)\)", body) or re.search(r"(\w+)[^,\n]* PRIMARY KEY", body)
        assert listed is not None, table
        found[table] = frozenset(listed[1].split(", "))
    return found | {table: frozenset(columns.split(", ")) for table, columns in REKEYED.findall(schema())}


@cache
def tables() -> dict[str, type[Table]]:
    return {table._meta.tablename: table for table in APP_CONFIG.table_classes}


def statements(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The strings of a module on one line each, with `{}` for what an f-string fills in.

    Those given to `database.change` are left out: a queued write is SQL, and only a whole row goes through its class.
    """
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    inside |= {id(part) for node in ast.walk(tree) if _is_call_of(node, "change") for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield " ".join("".join(parts).split()), node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield " ".join(node.value.split()), node.lineno


def is_plain(sql: str) -> bool:
    """Whether a statement inserts one whole row or updates one row by its primary key alone, with given values.

    A row is whole if every column is given that may not be null. Piccolo reads the key of an inserted row back, so an
    insert into a table that the serving role may not read is not plain.
    """
    if insert := INSERT.fullmatch(sql):
        table, given = tables().get(insert[1]), set(insert[2].split(", "))
        needed = {column._meta.name for column in table._meta.columns if not column._meta.null} if table else set()
        return table is not None and needed <= given and insert[1] not in UNREADABLE.findall(schema())
    if update := UPDATE.fullmatch(sql):
        return update[1] in tables() and set(re.findall(r"(\w+) = ", update[2])) == keys()[update[1]]
    return False


def misused(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each use of a table class that is neither a column nor a whole insert or update of one row, with its line.

    What is allowed is `await Row.insert(Row(...))`, `database.insert(Row(...))` of a row to be queued,
    `await Row.update({...}).where(...)` with the primary key alone in the condition, and columns by name.
    """
    names, used = dict(_imported(tree)), set[int]()
    if not names:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Await):
            used |= _plain_call(node.value, names)
        elif _is_call_of(node, "insert") and isinstance(built := node.args[0], ast.Call):
            used |= {id(built)} if _table(built.func, names) is not None else set()
    for node in ast.walk(tree):
        if id(node) in used:
            continue
        if isinstance(node, ast.Attribute) and (table := _table(node.value, names)) is not None:
            if node.attr not in {column._meta.name for column in table._meta.columns}:
                yield ast.unparse(node), node.lineno
        elif isinstance(node, ast.Call) and _table(node.func, names) is not None:
            yield ast.unparse(node.func) + "(...)", node.lineno


def _is_call_of(node: ast.AST, function: str) -> TypeGuard[ast.Call]:
    """Whether a node is a call of a function of `database`, such as `database.insert(...)`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == f"database.{function}"


def classes_used(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The tables whose classes a module uses, with the line."""
    names = dict(_imported(tree))
    for node in ast.walk(tree) if names else ():
        if isinstance(node, ast.expr) and (table := _table(node, names)) is not None:
            yield table._meta.tablename, node.lineno


def _imported(tree: ast.Module) -> Iterator[tuple[str, type[Table]]]:
    """The table classes of a module by the name that they have there: `Row`, or `tables.Row` of an imported module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            defined = {keyword.value.value for keyword in node.keywords if isinstance(keyword.value, ast.Constant)}
            yield from ((node.name, table) for name, table in tables().items() if name in defined)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                here = alias.asname or alias.name
                for table in tables().values():
                    if (node.module, alias.name) == (table.__module__, table.__name__):
                        yield here, table
                    elif f"{node.module}.{alias.name}" == table.__module__:
                        yield f"{here}.{table.__name__}", table


def _table(node: ast.expr, names: dict[str, type[Table]]) -> type[Table] | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return names.get(f"{node.value.id}.{node.attr}")
    return names.get(node.id) if isinstance(node, ast.Name) else None


def _plain_call(node: ast.expr, names: dict[str, type[Table]]) -> set[int]:
    """The nodes of a plain insert or update that name its table class; empty for any other expression."""
    match node:
        case ast.Call(ast.Attribute(row, "insert") as of, [ast.Call() as built], []):
            table = _table(row, names)
            return {id(of), id(built)} if table is not None and _table(built.func, names) is table else set()
        case ast.Call(ast.Attribute(ast.Call(ast.Attribute(row, "update") as of, [values], []), "where"), [where], []):
            table = _table(row, names)
            is_given = table is not None and not _computes(values, table, names)
            is_key = table is not None and _compared(where, table, names) == keys()[table._meta.tablename]
            return {id(of)} if is_given and is_key else set()
    return set()


def _computes(values: ast.expr, table: type[Table], names: dict[str, type[Table]]) -> bool:
    """Whether a new value is an expression of the table's columns."""
    new = [value for node in ast.walk(values) if isinstance(node, ast.Dict) for value in node.values]
    parts = [part for value in new for part in ast.walk(value) if isinstance(part, ast.expr)]
    return any(_table(part, names) is table for part in parts)


def _compared(where: ast.expr, table: type[Table], names: dict[str, type[Table]]) -> frozenset[str] | None:
    """The columns of a condition that is nothing but `Row.column == value`, joined by `&`; None for any other."""
    match where:
        case ast.BinOp(left, ast.BitAnd(), right):
            first, second = _compared(left, table, names), _compared(right, table, names)
            return None if first is None or second is None else first | second
        case ast.Compare(ast.Attribute(row, column), [ast.Eq()]) if _table(row, names) is table:
            return frozenset({column})
    return None

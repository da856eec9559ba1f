"""A call graph of the project, read from its source, precise enough to find the functions that write."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITES = re.compile(
    r"\b(INSERT INTO|DELETE FROM|UPDATE [a-z_]+ (AS )?[a-z]* ?SET|FOR (NO KEY )?UPDATE|FOR (KEY )?SHARE|"
    r"ledger_[a-z_]+|forget_unused_logins\(|tell_(people|holders)\(|forget_import_messages\(|count_imported\(|"
    r"sign_in_[a-z_]+\(|access_audit_login\(|analyze_new_tables\(|login_enter\(|login_set_password\(|code_(use|give)\(|"
    r"login_(answer|rest|rests_end|tell)\(|session_widen\(|"
    r"session_end(_others)?\(|[a-z_]+_sweep\(|login_confirmed\(|device_(pair|renew|seen)\(|counter_sign_off\(|agreement_done_alone\(|workday_fill\()"
)
TABLE_WRITES = {"insert", "update", "delete", "save", "remove", "lock_rows"}

Name = tuple[str, str]
AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Module:
    """A module: its functions and methods by qualified name, its assigned names and its imports."""

    name: str
    functions: dict[str, AnyFunction] = field(default_factory=dict)
    assigned: dict[str, ast.expr] = field(default_factory=dict)
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)


@cache
def modules() -> dict[str, Module]:
    found = {}
    for folder in ("timebank", "admin"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = _read(name, ast.parse(path.read_text(encoding="utf-8")))
    return found


def _read(name: str, tree: ast.Module) -> Module:
    module = Module(name)
    for node in tree.body:
        if isinstance(node, AnyFunction):
            module.functions[node.name] = node
        elif isinstance(node, ast.ClassDef):
            module.functions |= {f"{node.name}.{m.name}": m for m in node.body if isinstance(m, AnyFunction)}
        elif isinstance(node, ast.Assign):
            module.assigned |= {t.id: node.value for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            module.assigned[node.target.id] = node.value
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and each.module:
            module.imported |= {a.asname or a.name: (each.module, a.name) for a in each.names}
    return module


def named(module: Module, node: ast.expr, inside: str) -> Iterator[Name]:
    """The functions that an expression refers to: `f`, `module.f`, `Class.f`, `self.f`, or through an assigned name."""
    if isinstance(node, ast.Name):
        yield from _by_name(module, node.id)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        of, attribute = node.value.id, node.attr
        if of in ("self", "cls") and "." in inside:
            yield from _by_name(module, f"{inside.split('.', maxsplit=1)[0]}.{attribute}")
        elif of in module.imported:
            source, name = module.imported[of]
            there = modules().get(f"{source}.{name}")
            if there is not None:
                yield from _by_name(there, attribute)
            elif source in modules():
                yield from _by_name(modules()[source], f"{name}.{attribute}")
        else:
            yield from _by_name(module, f"{of}.{attribute}")


def _by_name(module: Module, name: str) -> Iterator[Name]:
    if name in module.functions:
        yield module.name, name
    elif name in module.assigned:
        for node in ast.walk(module.assigned[name]):
            if isinstance(node, ast.Name | ast.Attribute):
                yield from named(module, node, "")
    elif name in module.imported:
        source, original = module.imported[name]
        if source in modules() and original is not None:
            yield from _by_name(modules()[source], original)


def leads_to(name: Name) -> frozenset[Name]:
    """The functions that a function refers to, and so may call."""
    return frozenset(_named_in(name, modules()[name[0]].functions[name[1]]))


def _named_in(name: Name, part: ast.AST) -> Iterator[Name]:
    module = modules()[name[0]]
    for node in ast.walk(part):
        if isinstance(node, ast.Name | ast.Attribute):
            yield from (found for found in named(module, node, name[1]) if found != name)


def writes_itself(name: Name, part: ast.AST | None = None) -> bool:
    """Whether a function, or a part of it, itself contains a statement that writes or locks rows."""
    module = modules()[name[0]]
    for node in ast.walk(part or module.functions[name[1]]):
        text = _text(module, node)
        if text and WRITES.search(text):
            return True
        if isinstance(node, ast.Attribute) and node.attr in TABLE_WRITES and _is_table(node.value):
            return True
    return False


def _text(module: Module, node: ast.AST) -> str:
    """The text of a string constant, or of one that is assigned to a name of the module."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in module.assigned:
        return " ".join(
            part.value
            for part in ast.walk(module.assigned[node.id])
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
    return ""


def _is_table(node: ast.expr) -> bool:
    """Whether an expression is a Table class or a query on one: `Person`, `Person.objects()`."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id[:1].isupper() and not node.id.isupper()


@cache
def writing() -> frozenset[Name]:
    """Every function that writes, directly or through the functions it calls."""
    everything = {(m.name, f): leads_to((m.name, f)) for m in modules().values() for f in m.functions}
    found = {name for name in everything if writes_itself(name)}
    while more := {name for name, called in everything.items() if name not in found and called & found}:
        found |= more
    return frozenset(found)


def transactions() -> Iterator[tuple[Name, ast.AST]]:
    """Every transaction: its function, with the `async with transaction` block or the call of `ask` or `shared`."""
    for module in modules().values():
        for name, function in module.functions.items():
            yield from (((module.name, name), node) for node in ast.walk(function) if _is_transaction(node))


def _is_transaction(node: ast.AST) -> bool:
    if isinstance(node, ast.AsyncWith):
        return any(_opens(item.context_expr) for item in node.items)
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("database.ask", "database.shared")


def _opens(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("transaction", "database.transaction")


def writing_verbs() -> frozenset[Name]:
    """Every function that writes in a transaction that it opens itself, or joins when one is open already."""
    return frozenset(
        name for name, part in transactions() if writes_itself(name, part) or set(_named_in(name, part)) & writing()
    )


def decorators(name: Name) -> list[str]:
    return [ast.unparse(d) for d in modules()[name[0]].functions[name[1]].decorator_list]

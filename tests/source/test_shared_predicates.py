"""What a dozen statements ask is written once: a second copy is refused, with the module to ask instead."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.source.test_architecture import modules

PAID_THEN = "timebank.access.roles.paid"  # whether somebody held it on a day, also a role ended since
AT_THE_VISIT = "timebank.service_records.facts"  # whether somebody kept the station then, also by a role ended since

# The condition, what a copy of it looks like, the module to ask instead, and others that may, each with its reason.
SQL = [
    ("a role grant in force", r"\bends_on IS NULL", "timebank.access.roles.in_force", {AT_THE_VISIT, PAID_THEN}),
    ("a role grant in force", r"\bstarts_on <= \$", "timebank.access.roles.in_force", {AT_THE_VISIT, PAID_THEN}),
    ("a role grant not over", r"role_grant (?=.*\bended_at IS NULL)", "timebank.access.roles.in_force",
     {AT_THE_VISIT, PAID_THEN}),
    ("a guardian's consent in force", r"consented_at IS NOT NULL AND", "timebank.people.guardianship.care", set()),
    ("a guardian's consent in force", r"guardianship (?=.*\bended_at IS NULL)", "timebank.people.guardianship.care",
     {"timebank.people.guardianship.guardians"}),  # ends one
    ("an age", r"born_on (<=?|>=?) |\bage\(|interval '1[48] years", "timebank.people.identity.ages", set()),
    ("an area in words", r"string_agg\(\w+\.name, ''.* area ", "timebank.areas.addresses", set()),
]  # fmt: skip

PYTHON = [
    ("the own ids", r"\bp\.person_id for p in [\w.]*\bpersons\b", "timebank.core.scope", set()),
    ("an age", r"\b(timedelta|replace)\(.*(365|366)|\.born_on\.year", "timebank.people.identity.ages", {
        "timebank.photos.purging",  # how long a photo is kept
    }),
    ("a name's comparison key", r"normalize\('NFKC'|\.casefold\(\)", "timebank.core.names", {
        "timebank.core.scanned",  # what a scanner typed
        "timebank.people.identity.phones",  # digits of a phone
        "timebank.imports.words.words", "timebank.imports.reports.refused_rows",  # words and headings, not names
    }),
    ("a clean name", r"normalize\('NFC'", "timebank.core.names", set()),
]  # fmt: skip


def literals(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The text of each string, with `{}` for what an f-string puts in; parts written one after the other are one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.Constant) else "{}" for each in node.values]
            yield " ".join("".join(map(str, parts)).split()), node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split()), node.lineno


def copies(written: str) -> list[str]:
    """The conditions of which a module's source has a copy of its own."""
    tree = ast.parse(written)
    found = [what for what, copy, _, _ in SQL for text, _ in literals(tree) if re.search(copy, text)]
    return found + [what for what, copy, _, _ in PYTHON if re.search(copy, ast.unparse(tree))]


def test_no_module_writes_a_shared_condition_anew() -> None:
    wrong = []
    for name, (_, tree) in modules().items():
        if name.startswith(("timebank.demo", "migrations", "timebank.operations", "timebank.migrate")):
            continue
        texts, code = list(literals(tree)), ast.unparse(tree)
        for what, copy, home, others in SQL:
            if name != home and name not in others:
                wrong += [f"{name}:{line}: {what}; use {home}" for text, line in texts if re.search(copy, text)]
        for what, copy, home, others in PYTHON:
            if name != home and name not in others and re.search(copy, code):
                wrong.append(f"{name}: {what}; use {home}")
    assert sorted(set(wrong)) == []


@pytest.mark.parametrize(
    ("copy", "what"),
    [
        ("q = 'SELECT FROM role_grant WHERE a = $1 AND ended_at IS NULL'", "a role grant not over"),
        ("q = f'{x} AND (g.ends_on IS NULL OR g.ends_on >= $2)'", "a role grant in force"),
        ("q = 'SELECT FROM guardianship g WHERE g.consented_at IS NOT NULL ' 'AND g.ended_at IS NULL'",
         "a guardian's consent in force"),
        ("q = 'WHERE c.born_on > $1 - 5'", "an age"),
        ("q = \"SELECT string_agg(up.name, '' ORDER BY up.path) FROM area up\"", "an area in words"),
        ("own = [p.person_id for p in scope.persons]", "the own ids"),
        ("x = unicodedata.normalize('NFKC', name).casefold()", "a name's comparison key"),
    ],
)  # fmt: skip
def test_a_copy_is_found(copy: str, what: str) -> None:
    assert what in copies(copy)


def test_each_home_and_exception_is_there() -> None:
    named = {home for _, _, home, _ in (*SQL, *PYTHON)} | {name for *_, others in (*SQL, *PYTHON) for name in others}
    assert named <= modules().keys()

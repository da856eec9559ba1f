"""The reason of an entry is stored as kind and values: no posting stores a sentence that the code has written."""

import ast
import re
from collections.abc import Iterator
from string import Formatter

import pytest

from tests.source.test_architecture import modules
from timebank.core.capability import capabilities

MEMOS = {
    kind: (one.package or f"timebank.{one.name}", said)
    for one in capabilities()
    for kind, said in one.sentences.items()
}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def misused(tree: ast.Module) -> Iterator[str]:
    """The memos of postings that come neither from `memo(...)`, nor from a parameter or function of type `Memo`."""
    makers = {"phrase"} | {f.name for f in functions(tree) if ast.unparse(f.returns or ast.Name("")) == "Phrase"}
    for function in functions(tree):
        parameters = (*function.args.args, *function.args.kwonlyargs)
        known = {each.arg for each in parameters if ast.unparse(each.annotation or ast.Name("")) == "Phrase"}
        assigned = [
            (target.id, node.value)
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]
        for posting in calls(function, "Posting"):
            for given in (word.value for word in posting.keywords if word.arg == "memo"):
                if isinstance(given, ast.Name) and given.id not in known:
                    made = [value for name, value in assigned if name == given.id]
                    if made and all(is_made(value, makers) for value in made):
                        continue
                elif isinstance(given, ast.Name) or is_made(given, makers):
                    continue
                yield f"line {given.lineno}: {ast.unparse(given)}"


def is_made(value: ast.expr, makers: set[str]) -> bool:
    value = value.value if isinstance(value, ast.Await) else value
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in makers


def test_no_posting_stores_a_sentence_of_the_code() -> None:
    assert {name: found for name, (_, tree) in modules().items() if (found := list(misused(tree)))} == {}


@pytest.mark.parametrize(
    "written",
    [
        'Posting(memo=f"退货：{what}")', 'Posting(memo="退货")', 'Posting(memo="a" + what)', "Posting(memo=what)",
        'why = f"退货：{what}"; Posting(memo=why)', 'why = memo("a") if what else "退货"; Posting(memo=why)',
        'Posting(memo="退货：{}".format(what))', 'Posting(memo=f"退货：{what}"[:200])', "Posting(memo=words(what))",
    ],
)  # fmt: skip
def test_a_sentence_of_the_code_in_a_posting_is_found(written: str) -> None:
    code = "\n    ".join(written.split("; "))
    assert list(misused(ast.parse(f"def post(what: str, said: Memo):\n    {code}\n")))
    good = "def make() -> Memo: ...\ndef post(said: Memo):\n    Posting(memo=said)\n    Posting(memo=make())\n"
    assert not list(misused(ast.parse(good + '    why = memo("a")\n    Posting(memo=why)\n    Posting()\n')))


def made() -> Iterator[tuple[str, ast.Call]]:
    for name, (_, tree) in modules().items():
        yield from ((name, call) for call in calls(tree, "memo"))


def test_every_memo_is_one_that_its_capability_declares_with_just_the_values_of_its_sentence() -> None:
    wrong, used = [], set()
    for name, call in made():
        kind = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        package, sentence = MEMOS.get(str(kind), ("", ""))
        places = {place for _text, place, _spec, _conversion in Formatter().parse(sentence) if place}
        if not package or not name.startswith(f"{package}.") or {word.arg for word in call.keywords} != places:
            wrong.append(f"{name}, line {call.lineno}: {ast.unparse(call)}")
        used.add(str(kind))
    assert wrong == []
    assert sorted(MEMOS.keys() - used) == [], "a kind that nothing posts is declared"


CHINESE = re.compile(r"[\u3400-\u9fff]")
WRITES = re.compile(r"(\.insert|\.update|\binsert_many|\baudit\.record(_many|_of_login)?)$")


def stored_sentences(tree: ast.Module) -> Iterator[str]:
    """Chinese texts of the code that are written into a row or the audit, also by way of a local name."""
    for function in functions(tree):
        named = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and is_chinese(node.value, set())
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and WRITES.search(ast.unparse(call.func)):
                for given in (*call.args, *(word.value for word in call.keywords)):
                    if is_chinese(given, named):
                        yield f"line {call.lineno}: {ast.unparse(given)[:80]}"


def is_chinese(value: ast.expr, named: set[str]) -> bool:
    return any(
        (isinstance(part, ast.Constant) and isinstance(part.value, str) and CHINESE.search(part.value) is not None)
        or (isinstance(part, ast.Name) and part.id in named)
        for part in ast.walk(value)
    )


def test_no_row_and_no_line_of_the_audit_stores_a_sentence_of_the_code() -> None:
    found = {name: list(stored_sentences(tree)) for name, (_, tree) in modules().items() if ".demo" not in name}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "written",
    [
        'Deed.insert(Deed(note=f"{item}（台账补录）"))', 'audit.record(scope, "x", "y", None, reason="课程停开")',
        'why = f"课程停开，{item}"; Course.update({Course.stop_reason: why}).where(item)',
        'database.insert_many("deed", [], [("台账",)])',
    ],
)  # fmt: skip
def test_a_sentence_of_the_code_in_a_row_is_found(written: str) -> None:
    code = "\n    ".join(written.split("; "))
    assert list(stored_sentences(ast.parse(f"def write(item: str):\n    {code}\n")))

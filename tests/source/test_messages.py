"""Messages are given as a kind and values: the sentences stand in the manifests, and no verb puts a text together."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from timebank.core.capability import capabilities

ROOT = Path(__file__).parents[2] / "timebank"
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
SENTENCES = {kind: sentence for one in capabilities() for kind, sentence in one.sentences.items()}
PARTS = {kind for one in capabilities() for kind in one.parts}
KIND_AT = {
    "notify": 2, "notify_household": 2, "notify_family": 2, "notify_login": 1, "notify_holders": 3, "phrase": 0,
}  # fmt: skip
"""The functions that take a message's kind, with its place among the arguments."""
APART = {"key", "about_id", "urgent", "instead", "but"}
"""Arguments that are no values of the sentence."""

TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
    if path.name != "capability.py"
}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def sent() -> Iterator[tuple[str, ast.Call, ast.AST]]:
    """Every call that gives a message's kind, with its place and the function around it."""
    for path, tree in TREES.items():
        for function in functions(tree):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and name_of(node) in KIND_AT and len(node.args) > KIND_AT[name_of(node)]:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node, function


def kinds_of(call: ast.Call) -> set[str]:
    """The kinds that a call names itself; empty where a caller passes the kind on."""
    node = call.args[KIND_AT[name_of(call)]]
    choices = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return {c.value for c in choices if isinstance(c, ast.Constant) and isinstance(c.value, str)}


def values_of(call: ast.Call) -> list[ast.expr]:
    values = [k.value for k in call.keywords if k.arg not in APART]
    return values + ([call.args[4]] if name_of(call) == "notify_holders" and len(call.args) > 4 else [])


def blanks(kind: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in Formatter().parse(SENTENCES[kind]) if name}


def assigned(names: set[str], function: ast.AST) -> Iterator[ast.expr]:
    """What is assigned to these names in a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if names & {each.id for t in targets for each in ast.walk(t) if isinstance(each, ast.Name)}:
                yield node.value


WORDED = {
    "dated", "dated_at", "at_clock", "when", "duration", "put_together", "translate", "back_in_words", "text",
    "opening_hours_in_words", "format",
}  # fmt: skip
"""Functions that word something in one language."""


def texts_in(value: ast.expr, *, is_assigned: bool = False) -> Iterator[str]:
    """The f-strings, Chinese literals and worded values of an expression that become part of a message's value.

    Of what is assigned to a name only what the name then holds counts, not the arguments of the call that makes it.
    """
    match value:
        case ast.Call() if name_of(value) in KIND_AT:
            return  # a phrase; looked at for itself
        case ast.Call() if name_of(value) in WORDED:
            yield ast.unparse(value)
        case ast.Call() if is_assigned and name_of(value) != "join":
            return
        case ast.JoinedStr() if CHINESE.search(ast.unparse(value)):
            yield ast.unparse(value)
        case ast.Constant(value=str(text)) if CHINESE.search(text):
            yield text
    for part in ast.iter_child_nodes(value):
        yield from texts_in(part, is_assigned=is_assigned)  # type: ignore[arg-type]


def texts_given(call: ast.Call, function: ast.AST) -> Iterator[str]:
    for value in values_of(call):
        yield from texts_in(value)
        for each in assigned({node.id for node in ast.walk(value) if isinstance(node, ast.Name)}, function):
            yield from texts_in(each, is_assigned=True)


def test_the_messages_are_found() -> None:
    assert len(list(sent())) > 80
    assert len(SENTENCES) > 100


def test_every_kind_that_is_sent_has_its_sentence_in_a_manifest() -> None:
    unknown = {(place, kind) for place, call, _ in sent() for kind in kinds_of(call) - SENTENCES.keys() - PARTS}
    assert unknown == set()


def test_every_sentence_is_sent() -> None:
    """By its kind, or by one that is put together from a word such as a status."""
    said, patterns = set(), []
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.add(node.value)
                said |= set(re.findall(r"'([a-z_.]+)'", node.value))  # named in a statement
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"\w+" for v in node.values]
                patterns.append(re.compile("".join(parts)))
    for_child = {"for_child"}  # tell_people names it
    left = SENTENCES.keys() - said - for_child
    assert {kind for kind in left if not any(p.fullmatch(kind) for p in patterns)} == set()


def test_a_message_has_just_the_values_that_its_sentence_names() -> None:
    wrong = []
    for place, call, _ in sent():
        if name_of(call) == "notify_holders":
            continue
        given = {k.arg for k in call.keywords if k.arg and k.arg not in APART}
        is_open = any(k.arg is None for k in call.keywords)  # `**values`
        for kind in kinds_of(call) & SENTENCES.keys():
            fits = given <= blanks(kind) if is_open else given == blanks(kind)
            if not fits and not (len(kinds_of(call)) > 1 and given >= blanks(kind)):
                wrong.append((place, kind, given ^ blanks(kind)))
    assert wrong == []


def test_no_value_of_a_message_is_a_sentence() -> None:
    """What a reader sees besides data is in the kind's sentence, so that it can be said in the reader's language."""
    assert [(place, text) for place, call, function in sent() for text in texts_given(call, function)] == []


@pytest.mark.parametrize(
    "written",
    [
        'await notify(scope, who, "card.given", key, note=f"共 {n} 次")',
        'await notify(scope, who, "card.given", key, note="没有")',
        'text = "没有" if n else f"{n} 次"\n    await notify(scope, who, "card.given", key, note=text)',
        'await notify_many(scope, [Notification(who, phrase("card.given", note="共 {n} 次".format(n=n)), key)])',
        'await notify(scope, who, "card.given", key, note=duration(n))',
    ],
)
def test_a_sentence_given_as_a_value_is_noticed(written: str) -> None:
    tree = ast.parse(f"async def verb(scope, who, key, n):\n    {written}")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node) in KIND_AT]
    assert [text for call in calls for text in texts_given(call, tree)]


def test_a_kind_fits_its_columns() -> None:
    """What stands before the dot is the `kind` that HTTP answers."""
    assert {kind for kind in SENTENCES if len(kind) > 60 or len(kind.partition(".")[0]) > 40} == set()


def test_a_kind_is_declared_once() -> None:
    every = [kind for one in capabilities() for kind in (*one.sentences, *one.parts)]
    assert sorted(every) == sorted(set(every))

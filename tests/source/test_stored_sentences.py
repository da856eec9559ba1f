"""What is stored of the program's own words is a kind and values: no verb stores a text that it has put together."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from tests.source.test_architecture import modules
from timebank.core.capability import capabilities
from timebank.core.wording import VALUES_MAX

ROOT = Path(__file__).parents[2] / "timebank"
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
SENTENCES = {kind: sentence for one in capabilities() for kind, sentence in one.sentences.items()}
PARTS = {kind for one in capabilities() for kind in one.parts}
KIND_AT = {
    "notify": 2, "notify_household": 2, "notify_family": 2, "notify_login": 1, "notify_holders": 3, "phrase": 0,
}  # fmt: skip
"""The functions that take a sentence's kind, with its place among the arguments."""
APART = {"key", "about_id", "urgent", "instead", "but", "family"}
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
    """Every call that gives a sentence's kind, with its place and the function around it."""
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
    """What it gives the sentence, without words of the program that its sentence has translated (`{unit:word}`)."""
    words = {name for kind in kinds_of(call) for name in blanks(kind, spec="word")}
    values = [k.value for k in call.keywords if k.arg not in APART | words]
    return values + ([call.args[4]] if name_of(call) == "notify_holders" and len(call.args) > 4 else [])


def blanks(kind: str, *, spec: str | None = None) -> set[str]:
    """The placeholders of a sentence, or those of one format."""
    parsed = Formatter().parse(SENTENCES.get(kind, ""))
    return {name for _text, name, given, _conversion in parsed if name and spec in (None, given)}


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


def test_the_sentences_are_found() -> None:
    assert len(list(sent())) > 120
    assert len(SENTENCES) > 160


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


def test_a_sentence_is_given_just_the_values_that_it_names() -> None:
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


def test_no_value_is_a_sentence() -> None:
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
    """What stands before the dot is the `kind` that HTTP answers. An entry and a note have few values, each bounded."""
    assert {kind for kind in SENTENCES if len(kind) > 60 or len(kind.partition(".")[0]) > 40} == set()
    kept = {kind for kind in SENTENCES if kind.startswith(("entry.", "note.", "not_counted."))}
    assert {kind for kind in kept if len(kind) > 40 or len(blanks(kind)) > VALUES_MAX} == set()


def test_a_kind_is_declared_once() -> None:
    every = [kind for one in capabilities() for kind in (*one.sentences, *one.parts)]
    assert sorted(every) == sorted(set(every))


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node) == name)


A_GIVERS_WORDS = "given.note.strip() or GIVEN"
"""What a donation says: what the giver wrote, else the phrase that every donation has."""


def misused(tree: ast.AST) -> Iterator[str]:
    """The memos of postings that come neither from `phrase` with an entry's kind, nor from elsewhere as a `Phrase`."""
    makers = {f.name for f in functions(tree) if ast.unparse(f.returns or ast.Name("")) == "Phrase"}
    for function in functions(tree):
        parameters = (*function.args.args, *function.args.kwonlyargs)
        known = {each.arg for each in parameters if ast.unparse(each.annotation or ast.Name("")) == "Phrase"}
        for posting in calls(function, "Posting"):
            for given in (word.value for word in posting.keywords if word.arg == "memo"):
                made = [given]
                if isinstance(given, ast.Name):
                    made = [] if given.id in known else list(assigned({given.id}, function)) or [given]
                if not all(is_made(value, makers) or ast.unparse(value) == A_GIVERS_WORDS for value in made):
                    yield f"line {given.lineno}: {ast.unparse(given)}"


def is_made(value: ast.expr, makers: set[str]) -> bool:
    value = value.value if isinstance(value, ast.Await) else value
    if not isinstance(value, ast.Call):
        return False
    named = kinds_of(value) if name_of(value) == "phrase" else set()
    return name_of(value) in makers or (bool(named) and all(kind.startswith("entry.") for kind in named))


def test_no_posting_stores_a_sentence_of_the_code() -> None:
    found = {str(path.relative_to(ROOT)): list(misused(tree)) for path, tree in TREES.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "written",
    [
        'Posting(memo=f"退货：{what}")', 'Posting(memo="退货")', 'Posting(memo="a" + what)', "Posting(memo=what)",
        'why = f"退货：{what}"; Posting(memo=why)', 'why = phrase("entry.a") if what else "退货"; Posting(memo=why)',
        'Posting(memo="退货：{}".format(what))', 'Posting(memo=f"退货：{what}"[:200])', "Posting(memo=words(what))",
        'Posting(memo=phrase("redemption_expired", what=what))',
    ],
)  # fmt: skip
def test_a_sentence_of_the_code_in_a_posting_is_found(written: str) -> None:
    code = "\n    ".join(written.split("; "))
    assert list(misused(ast.parse(f"def post(what: str, said: Phrase):\n    {code}\n")))
    good = "def make() -> Phrase: ...\ndef post(said: Phrase):\n    Posting(memo=said)\n    Posting(memo=make())\n"
    assert not list(misused(ast.parse(good + '    why = phrase("entry.a")\n    Posting(memo=why)\n    Posting()\n')))


def test_an_entry_and_a_note_are_made_only_by_the_capability_that_declares_them() -> None:
    homes = {kind: (one.package or f"timebank.{one.name}") for one in capabilities() for kind in one.sentences}
    wrong = []
    for path, tree in TREES.items():
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        for call in (call for call in calls(tree, "phrase") if call.args):
            kinds = {kind for kind in kinds_of(call) if kind.startswith(("entry.", "note."))}
            wrong += [(name, kind) for kind in kinds if not name.startswith(f"{homes[kind]}.")]
    assert wrong == []


WRITES = re.compile(r"(\.insert|\.update|\b(insert|change|queue|insert_many)|\baudit\.record(_many|_of_login)?)$")


def stored_sentences(tree: ast.AST) -> Iterator[str]:
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

"""Rules of the source: imports point one way, one package writes the ledger, one module reads the environment."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.source.plain_writes import classes_used, is_plain, misused, statements
from tests.source.statements import GAP, Constants, assigned, folded, tables_of_source, texts

ROOT = Path(__file__).parents[2]
CODE = ("timebank", "admin", "migrations")
TEXT = (".py", ".sql", ".html", ".js", ".css", ".md", ".toml", ".yaml", ".txt", ".po")

# From the lowest layer up: a module may import from its own part and from every earlier row of this list.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("outbox",),
    ("agreements",),
    ("areas",),
    ("policies",),
    ("photos",),
    ("people",),
    ("units",),
    ("ledger",),
    ("expiry",),
    ("stations",),
    ("access",),
    ("inbox",),
    ("objections",),
    ("rules",),
    ("teams",),
    ("cards",),
    ("activities",),
    ("presence",),
    ("service_records",),
    ("deeds", "shop", "classes"),
    ("matters",),
    ("merging",),
    ("operations",),
    ("imports",),
    ("exports",),
    ("overview",),
    ("trail",),
    ("printing",),
    ("http",),
    ("api",),
    ("web",),
    ("admin",),
    ("capabilities",),
    ("app",),
    ("demo",),
    ("commands",),
    ("cli",),
    ("__main__",),
)  # fmt: skip
ROW = {part: number for number, row in enumerate(LAYERS) for part in row}
LEDGER_TABLES = ("account", "transfer", "debt", "day_total", "books_closed", "expiry_announcement")


@cache
def modules() -> dict[str, tuple[Path, ast.Module]]:
    """Every module of the project by its dotted name."""
    found = {}
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = (path, ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return found


def part_of(name: str) -> str:
    """The part in LAYERS to which a module belongs: timebank.shop.redemption is `shop`, timebank.shop.api is `api`."""
    first, *rest = name.split(".")
    if first == "admin":
        return "admin"
    if rest[1:2] == ["api"]:
        return "api"
    if rest[1:2] == ["pages"]:
        return "web"
    if rest == ["migrate"]:
        return "operations"  # at the root, because released migrations import it from there
    return rest[0] if rest else first


def imported(name: str) -> Iterator[tuple[str, int]]:
    """The project's modules that a module imports, imports inside functions included, with the line."""
    _, tree = modules()[name]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [each if each in modules() else node.module for each in inside]
        else:
            continue
        yield from ((each, node.lineno) for each in names if each in modules())


def strings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The string constants of a module, those inside f-strings included, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def schema_text(path: Path) -> str:
    """An SQL file without its comments."""
    return re.sub(r"--.*", "", path.read_text(encoding="utf-8"))


def test_every_module_has_its_place_in_the_layers() -> None:
    without = [n for n in modules() if not n.startswith("migrations") and n != "timebank" and part_of(n) not in ROW]
    assert without == [], "name them in LAYERS, above what they import"


def test_imports_point_one_way() -> None:
    wrong = []
    for name in modules():
        for other, line in imported(name):
            own, its = part_of(name), part_of(other)
            if "timebank" in (own, its) or name.startswith("migrations"):
                continue
            sideways = ROW[own] == ROW[its] and own != its
            if ROW[its] > ROW[own] or sideways:
                wrong.append(f"{name}:{line} imports {other}")
    assert wrong == []


def test_no_two_modules_import_each_other() -> None:
    graph = {name: {other for other, _ in imported(name) if other != name} for name in modules()}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_capability_imports_anothers_api() -> None:
    wrong = [
        f"{name}:{line} imports {other}"
        for name in modules()
        for other, line in imported(name)
        if part_of(other) == "api"
    ]
    assert wrong == []


def test_pages_touch_no_tables() -> None:
    """Member, counter, display, board and panel pages call verbs; they use no Table class and no SQL statement."""
    wrong = []
    for name, (_, tree) in modules().items():
        if part_of(name) not in {"web", "admin", "api"}:
            continue
        wrong += [f"{name}:{line} imports {other}" for other, line in imported(name) if other.endswith(".tables")]
        wrong += [
            f"{name}:{line} has SQL"
            for text, line in strings(tree)
            if re.match(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s", text)
        ]
    assert wrong == []


def test_only_the_ledger_writes_the_ledgers_tables() -> None:
    tables = "|".join(LEDGER_TABLES)
    writing = re.compile(
        rf"(INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO|COPY)\s+(ONLY\s+)?\"?(public\.)?({tables})\b",
        re.IGNORECASE,
    )
    wrong = []
    for name, (_, tree) in modules().items():
        wrong += [f"{name}:{line} writes" for text, line in strings(tree) if writing.search(text)]
        if part_of(name) != "ledger":
            wrong += [f"{name}:{line}" for other, line in imported(name) if other == "timebank.ledger.tables"]
    for path in (ROOT / "migrations").glob("*.sql"):
        if "ledger" not in path.stem and writing.search(schema_text(path)):
            wrong.append(path.name)
    assert wrong == []


def test_a_capability_writes_only_its_own_tables() -> None:
    """To change another capability's table, a module calls its verb, never SQL or the Table class."""
    owner = owners()
    writing = re.compile(r"(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?([a-z_]+)\b(?!\s*\.)")
    wrong = []
    for name, (_, tree) in modules().items():
        part = name.split(".")[1] if "." in name else name
        wrong += [
            f"{name}:{line} writes {table}, which is {owner[table]}'s"
            for text, line in strings(tree)
            for table in writing.findall(text)
            if table in owner and owner[table] != part
        ]
        wrong += [
            f"{name}:{line} imports {other}"
            for other, line in imported(name)
            if other.endswith(".tables") and part_of(other) != part
        ]
        wrong += [
            f"{name}:{line} uses the class of {table}"
            for table, line in classes_used(tree)
            if owner.get(table, part) != part
        ]
    assert wrong == []


@cache
def owners() -> dict[str, str]:
    """The part that has the class of each table."""
    return {table: part for name in modules() for table, part in tables_of(name)}


def package_of(name: str) -> str:
    """The row's word for a module's package, its API and pages too: timebank.shop.api is `shop`."""
    own = part_of(name)
    return name.split(".")[1] if own in {"api", "web"} and not name.startswith("timebank.web") else own


@cache
def known_in(name: str) -> Constants:
    """What a name in a module stands for, where it is a text that this module or another one assigns to it."""
    _, tree = modules()[name]
    own = assigned(tree)
    taken = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }

    def known(text: str) -> str | None:
        head, _, rest = text.partition(".")
        if text in own:
            return folded(own[text], known)
        if head not in taken:
            return None
        module = ".".join(taken[head]) if rest else taken[head][0]
        return known_in(module)(rest or taken[head][1]) if module in modules() else None

    return known


def unreached(part: str, tree: ast.Module, known: Constants) -> list[str]:
    """The tables in a module's SQL that are neither its part's own nor of a layer below."""
    owner = owners()
    return [
        f"{line} names {table}, which is {owner[table]}'s"
        for table, line in tables_of_source(tree, known)
        if table in owner and owner[table] != part and ROW[owner[table]] >= ROW[part]
    ]


def test_statements_name_tables_of_their_own_part_and_of_layers_below() -> None:
    """Of a higher part's tables a capability learns by a manifest, and of one beside it not at all."""
    wrong = [
        f"{name}:{each}"
        for name, (_, tree) in modules().items()
        if not name.startswith("migrations") and name != "timebank"
        for each in unreached(package_of(name), tree, known_in(name))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        'S = "SELECT id FROM redemption WHERE community_id = $1"',
        'S = "SELECT EXISTS (SELECT FROM redemption)"',
        'S = "SELECT 1 FROM station s LEFT JOIN redemption r ON true"',
        'S = "SELECT 1 FROM station s, redemption r"',
        'S = "SELECT 1 FROM unnest($1) AS x (id), LATERAL (SELECT FROM redemption) AS r"',
        'S = "INSERT INTO redemption (id) VALUES ($1)"',
        'S = "UPDATE redemption SET status = $1"',
        'S = "UPDATE station s SET name = $1 FROM redemption r WHERE true"',
        'S = "DELETE FROM station s USING redemption r WHERE true"',
        'S = "SELECT 1 FROM station; DELETE FROM ONLY redemption"',
        'S = "select id from redemption"',
        'S = f"SELECT {columns} FROM redemption WHERE {what}"',
        'S = "SELECT id " + "FROM redemption " + where',
        'T = "redemption"\nS = f"SELECT id FROM {T}"',
        'FROM = "SELECT id FROM "\nT = "redemption"\nS = FROM + T',
        'S = ask("SELECT id FROM station", f"{more} JOIN {why(\'SELECT FROM redemption\')}")',
        'await database.insert_many("redemption", COLUMNS, rows)',
        'S = "WITH mine AS (SELECT id FROM redemption) SELECT id FROM mine"',
    ],
)
def test_a_statement_that_names_a_higher_table_is_found_however_it_is_written(source: str) -> None:
    tree = ast.parse(source)
    assert [each.split(" names ")[1] for each in unreached("stations", tree, _known_of(tree))] == [
        "redemption, which is shop's"
    ]
    assert unreached("shop", tree, _known_of(tree)) == []
    assert len(unreached("classes", tree, _known_of(tree))) == 1, "a part beside it reads no table of it either"


@pytest.mark.parametrize(
    "source",
    [
        '"""Delete from redemption what is over."""',
        'S = "WITH redemption AS (SELECT id FROM station) SELECT id FROM redemption"',
        'S = "WITH x AS (SELECT 1), redemption (id) AS (SELECT 1) SELECT id FROM x, redemption"',
        'S = "SELECT redemption.id FROM station WHERE a IS DISTINCT FROM redemption FOR NO KEY UPDATE"',
        'S = "SELECT redemption($1) FROM redemption($2)"',
        "S = \"SELECT id FROM station WHERE name = 'from redemption'\"",
        'S = "take it from redemption"',
    ],
)
def test_what_names_no_table_is_not_taken_for_a_table(source: str) -> None:
    tree = ast.parse(source)
    assert unreached("stations", tree, _known_of(tree)) == []


def _known_of(tree: ast.Module) -> Constants:
    own = assigned(tree)

    def known(text: str) -> str | None:
        return folded(own.get(text), known)

    return known


def tables_of(name: str) -> Iterator[tuple[str, str]]:
    _, tree = modules()[name]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for keyword in node.keywords:
                if keyword.arg == "tablename" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value), part_of(name)


def test_a_single_row_is_written_through_its_table_class_and_everything_else_is_sql() -> None:
    """The rule is in docs/architecture.md: `tests.source.plain_writes` says what a plain insert or update is."""
    wrong = []
    for name, (_, tree) in modules().items():
        if name.startswith("timebank"):
            wrong += [f"{name}:{line} {sql}" for sql, line in statements(tree) if is_plain(sql)]
            wrong += [f"{name}:{line} {use}" for use, line in misused(tree)]
    assert wrong == [], "a plain insert or update goes through the table class, and a table class serves nothing else"


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("INSERT INTO photo (community_id, id, media_type, content, created_at, side) VALUES ($1, $2, 'x', $3, $4, 9)",
         True),
        ("UPDATE deed SET status = 'filed', review_note = $3::text WHERE community_id = $1 AND id = $2", True),
        (("UPDATE idempotent_request SET status = $1, body = NULL "
          "WHERE key = $2 AND caller_id = $3 AND community_id = $4"), True),
        ("UPDATE idempotent_request SET status = $1, body = NULL WHERE key = $2 AND caller_id = $3", False),
        ("UPDATE book_check SET begun_at = null WHERE community_id = $1", True),
        ("INSERT INTO photo (community_id, id) VALUES ($1, $2)", False),
        (("INSERT INTO photo (community_id, id, media_type, content, created_at, side) VALUES ($1, $2, $3, $4, $5, 9) "
         "ON CONFLICT DO NOTHING"), False),
        (("INSERT INTO session (id, token_hash, login_id, by_code, created_at, expires_at, by_scan) "
         "VALUES ($1, $2, $3, $4, $5, $6, $7)"), False),
        ("UPDATE deed SET status = 'filed' WHERE community_id = $1 AND id = $2 AND status = 'noticed'", False),
        ("UPDATE deed SET status = 'filed' WHERE community_id = $1 AND status = $2", False),
        ("UPDATE deed SET status = 'filed' WHERE community_id = $1 AND id = $2 RETURNING id", False),
        ("UPDATE shift SET seats_taken = seats_taken + 1 WHERE community_id = $1 AND id = $2", False),
        ("UPDATE import_work SET held_until = $3 WHERE community_id = $1 AND run_id = $2", False),
    ],
)  # fmt: skip
def test_a_plain_write_is_recognised(sql: str, plain: bool) -> None:
    assert [is_plain(found) for found, _ in statements(ast.parse(f"execute({sql!r})"))] == [plain]


@pytest.mark.parametrize(
    ("use", "wrong"),
    [
        ("await Deed.insert(Deed(id=1))", []),
        (("await tables.Deed.update({tables.Deed.status: 'filed'}).where("
         "(tables.Deed.community_id == a) & (tables.Deed.id == b))"), []),
        ("await Deed.update(new | {getattr(Deed, n): 1}).where((Deed.community_id == a) & (Deed.id == b))", []),
        ("await Deed.objects().get(Deed.id == 1)", ["Deed.objects"]),
        ("await Deed.delete().where((Deed.community_id == a) & (Deed.id == b))", ["Deed.delete"]),
        ("await Deed.exists().where(Deed.id == b)", ["Deed.exists"]),
        ("await Deed(id=1).save()", ["Deed(...)"]),
        ("await Deed.insert(Deed(id=1), Deed(id=2))", ["Deed(...)", "Deed(...)", "Deed.insert"]),
        ("await Deed.insert(Deed(id=1)).on_conflict(action='DO NOTHING')", ["Deed(...)", "Deed.insert"]),
        ("await Deed.update({Deed.status: 'filed'}).where(Deed.community_id == a)", ["Deed.update"]),
        ("await Deed.update({Deed.points: Deed.points + 1}).where((Deed.community_id == a) & (Deed.id == b))",
         ["Deed.update"]),
        ("await Deed.update({Deed.status: 'x'}).where((Deed.community_id == a) & (Deed.id == b) & (Deed.points == 1))",
         ["Deed.update"]),
    ],
)  # fmt: skip
def test_a_table_class_that_serves_anything_else_is_found(use: str, wrong: list[str]) -> None:
    tree = ast.parse(f"from timebank.deeds import tables\nfrom timebank.deeds.tables import Deed\n{use}")
    assert sorted(found for found, _ in misused(tree)) == wrong


SET_WISE = re.compile(
    r"\bINSERT\s+INTO\s+\S+(\s+AS\s+\w+)?\s*(\([^)]*\))?\s*\(?\s*(SELECT|WITH|TABLE)\b|\(\s*INSERT\s+INTO\b",
    re.IGNORECASE,
)


def test_the_service_inserts_by_lists_of_values_alone() -> None:
    """A distributed database carries INSERT ... SELECT out as COPY, which it refuses under row-level security."""
    wrong = [
        f"{name}:{line}"
        for name, (_, tree) in modules().items()
        if part_of(name) != "migrations"
        for text, line in texts(tree, known_in(name))
        if SET_WISE.search(text.replace(GAP, " ? "))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"INSERT INTO card (id) SELECT $1 FROM unnest($2::uuid[])"', True),
        ('f"INSERT INTO {table} ({columns}) " "SELECT 1"', True),
        ('"INSERT INTO card AS c SELECT * FROM card"', True),
        ('"INSERT INTO card WITH more AS (SELECT 1) TABLE more"', True),
        ('"WITH made AS (INSERT INTO card (id) VALUES ($1) RETURNING id) UPDATE person SET name = name"', True),
        ('"INSERT INTO card (id, epoch) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING"', False),
        ('"INSERT INTO card AS c (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET epoch = c.epoch + 1"', False),
    ],
)  # fmt: skip
def test_a_set_wise_insert_is_found_however_it_is_written(source: str, found: bool) -> None:
    ((text, _),) = texts(ast.parse(f"asked = {source}"), lambda _: None)
    assert bool(SET_WISE.search(text.replace(GAP, " ? "))) == found


def test_only_settings_reads_the_environment() -> None:
    wrong = []
    for name, (_, tree) in modules().items():
        if name == "timebank.core.settings":
            continue
        for node in ast.walk(tree):
            reads = isinstance(node, ast.Attribute) and node.attr in READERS
            if reads or (isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} & READERS):
                wrong.append(f"{name}:{getattr(node, 'lineno', 0)}")
    path, _ = modules()["timebank"]
    lines = enumerate(path.read_text().splitlines(), 1)
    allowed = [n for n, line in lines if line.startswith(SETTINGS_OF_LIBRARIES)]
    assert wrong == [f"timebank:{line}" for line in allowed]


READERS = {"environ", "environb", "getenv", "putenv"}
SETTINGS_OF_LIBRARIES = tuple(f'os.environ.setdefault("{name}", ' for name in ("PICCOLO_CONF", "PYPINYIN_NO_PHRASES"))


def test_only_the_clock_tells_the_time() -> None:
    """Time is read through `core.clock` alone, because tests and the demo set that clock. In SQL only the function
    `ledger_now` reads the database's clock, against which the program's clock is checked."""
    wrong = []
    for name, (_, tree) in modules().items():
        if name == "timebank.core.clock":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = ast.unparse(node.func)
                if re.search(r"(datetime|date)\.(now|utcnow|today)$", of) or of == "time.time":
                    wrong.append(f"{name}:{node.lineno} {of}")
        wrong += [f"{name}:{line} {text[:40]!r}" for text, line in strings(tree) if is_sql(text) and TELLS_TIME(text)]
    wrong += [
        path.name for path in (ROOT / "migrations").glob("*.sql") if TELLS_TIME(LEDGER_NOW.sub("", schema_text(path)))
    ]
    assert wrong == []


TELLS_TIME = re.compile(
    r"\b(now\(\)|current_timestamp\b|current_date\b|current_time\b|localtime|clock_timestamp\(|statement_timestamp\()",
    re.IGNORECASE,
).search


LEDGER_NOW = re.compile(r"\bledger_now\(\)(.* AS \$\$ SELECT clock_timestamp\(\) \$\$;)?")


def is_sql(text: str) -> bool:
    return bool(re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|VALUES)\b", text))


def test_no_path_of_somebodys_machine_is_written_down() -> None:
    somebodys = re.compile(r"(?<![\w.:/])(/(home|root|Users|work|mnt)/\w|[A-Z]:\\\\?Users)")
    wrong = []
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        if inside.parts[0].startswith(".venv") or {"output", "vendor", "__pycache__"} & set(inside.parts):
            continue
        if path.is_file() and path != Path(__file__) and path.suffix in TEXT and inside.parts[0] != ".git":
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            wrong += [f"{inside}:{number}" for number, line in enumerate(lines, 1) if somebodys.search(line)]
    assert wrong == []


LINES_MAX = 300
MODULES_MAX = 16


def test_modules_and_folders_are_small_enough_to_be_seen_at_once() -> None:
    files = [path for folder in ("timebank", "admin", "bench") for path in (ROOT / folder).rglob("*.py")]
    long = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {path: lines for path, lines in long.items() if lines > LINES_MAX} == {}
    folders = Counter(path.parent.relative_to(ROOT) for path in files if path.parent != ROOT / "admin")
    assert {str(folder): count for folder, count in folders.items() if count > MODULES_MAX} == {}
    assert len(list((ROOT / "timebank").glob("*.py"))) <= 6, "a module at the root composes the service"


POSITIONAL_MAX = 5


def test_what_goes_out_and_what_has_many_fields_is_built_by_keyword() -> None:
    """So that a new field moves no other: a Struct of schemas.py that is no input, and whatever has six fields."""
    wrong = []
    for name, (_, tree) in modules().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            head = [*node.keywords, *(k for d in node.decorator_list if isinstance(d, ast.Call) for k in d.keywords)]
            flags = {keyword.arg for keyword in head}
            fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
            is_struct = any(ast.unparse(base) == "msgspec.Struct" for base in node.bases)
            is_dataclass = any("dataclass" in ast.unparse(each) for each in node.decorator_list)
            goes_out = is_struct and name.endswith(".schemas") and "forbid_unknown_fields" not in flags
            many = (is_struct or is_dataclass) and len(fields) > POSITIONAL_MAX
            if ((goes_out and len(fields) > 1) or many) and "kw_only" not in flags:
                wrong.append(f"{name}.{node.name}")
    assert wrong == []

"""requirements.lock is complete, and pyproject.toml declares every import, so pip has nothing to resolve."""

import ast
import re
import sys
import tomllib
from collections import deque
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import msgspec
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
OURS = ("timebank", "admin", "migrations", "tests", "bench")
MACHINES = {
    ("linux", "Linux", "posix"): ("x86_64", "aarch64"),
    ("darwin", "Darwin", "posix"): ("arm64", "x86_64"),
    ("win32", "Windows", "nt"): ("AMD64",),
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
Environment = dict[str, str]


class Locked(msgspec.Struct):
    """One entry of requirements.lock."""

    requirement: Requirement
    hashes: list[str]
    via: set[str]

    @property
    def version(self) -> Version:
        (pin,) = self.requirement.specifier
        return Version(pin.version)


@cache
def lock_text() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


@cache
def lock() -> list[Locked]:
    found: list[Locked] = []
    for line in lock_text().replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith((" ", "#")):
            pinned, *hashes = line.split("--hash=")
            found.append(Locked(Requirement(pinned.strip()), [each.strip() for each in hashes], set()))
        elif (told := re.fullmatch(r"\s+#\s+(?:via )?(\S.*)", line)) and told[1] != "via":
            found[-1].via.add(told[1])
    return found


@cache
def project() -> dict[str, list[Requirement]]:
    """The requirements in pyproject.toml: those of the service under "", the others under their extra."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"": told["dependencies"], **told["optional-dependencies"]}
    return {extra: [Requirement(line) for line in lines] for extra, lines in groups.items()}


def environments() -> Iterator[Environment]:
    """The marker environments of every platform and Python version for which the lock is made."""
    for (sys_platform, system, os_name), machines in MACHINES.items():
        for machine in machines:
            for python in PYTHONS:
                yield {
                    **{name: str(value) for name, value in default_environment().items()},
                    "sys_platform": sys_platform, "platform_system": system, "os_name": os_name,
                    "platform_machine": machine, "python_version": python, "python_full_version": f"{python}.1",
                    "implementation_name": "cpython", "platform_python_implementation": "CPython",
                }  # fmt: skip


def applies(requirement: Requirement, environment: Environment, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in extras | {""})


@cache
def asked_by(name: str) -> tuple[Requirement, ...] | None:
    """The requirements of an installed package; None for one that is not installed on this machine."""
    try:
        return tuple(Requirement(line) for line in distribution(name).requires or ())
    except PackageNotFoundError:
        return None


class Walk(msgspec.Struct):
    """The project's transitive requirements in one environment, those missing in the lock, and those not installed."""

    reached: dict[str, set[str]] = {}
    missing: list[str] = []
    unread: set[str] = set()


def walk(environment: Environment) -> Walk:
    told = Walk()
    todo = deque((r, {""}, "timebank") for group in project().values() for r in group)
    while todo:
        requirement, extras, asker = todo.popleft()
        if not applies(requirement, environment, extras):
            continue
        name, wanted = canonicalize_name(requirement.name), {"", *requirement.extras}
        entry = entry_for(name, environment)
        if entry is None or not requirement.specifier.contains(entry.version, prereleases=True):
            told.missing.append(f"{asker} asks for {requirement} and the lock has {entry and entry.requirement}")
            continue
        if wanted <= told.reached.get(name, set()):
            continue
        told.reached.setdefault(name, set()).update(wanted)
        asked = asked_by(name)
        if asked is None:
            told.unread.add(name)
        todo.extend((each, told.reached[name], name) for each in asked or ())
    return told


def entry_for(name: str, environment: Environment) -> Locked | None:
    found = [
        e
        for e in lock()
        if canonicalize_name(e.requirement.name) == name and applies(e.requirement, environment, set())
    ]
    assert len(found) <= 1, f"{name} is locked twice for one machine"
    return found[0] if found else None


def test_every_requirement_of_every_locked_package_is_in_the_lock() -> None:
    """For every platform and Python version, extras included, so that an installation needs no resolver."""
    assert [line for environment in environments() for line in walk(environment).missing] == []
    here = {name: str(value) for name, value in default_environment().items()}
    told = walk(here)
    assert told.missing == []
    # Requirements are read from installed packages; a package for other platforms only cannot be read here.
    assert told.unread == set()
    installed = {name: Version(distribution(name).version) for name in told.reached}
    assert installed == {name: entry.version for name in told.reached if (entry := entry_for(name, here))}


def test_nothing_is_locked_that_nobody_asks_for() -> None:
    reached = set().union(*(set(walk(environment).reached) for environment in environments()))
    assert {canonicalize_name(entry.requirement.name) for entry in lock()} - reached == set()


def test_every_locked_file_is_named_by_its_hash_and_by_no_address() -> None:
    assert [
        e.requirement.name for e in lock() if not e.hashes or not all(h.startswith("sha256:") for h in e.hashes)
    ] == []
    assert [e.requirement.name for e in lock() if e.requirement.url or len(e.requirement.specifier) != 1] == []
    assert re.findall(r"(?i)https?:|index-url|find-links|file:", lock_text()) == []


def test_the_lock_names_the_project_beside_what_it_declares() -> None:
    """The lock was made from this pyproject.toml; after a change run `make lock`."""
    declared = {canonicalize_name(r.name) for group in project().values() for r in group}
    assert {canonicalize_name(e.requirement.name) for e in lock() if "timebank (pyproject.toml)" in e.via} == declared


# The imports.


def imported(folder: str) -> set[str]:
    """The third-party top-level modules that a folder imports, by statement or by name (`import_module` etc.)."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= {name.partition(".")[0] for name in named_by(node)}
    return found - set(sys.stdlib_module_names) - set(OURS)


def named_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(level=0, module=str(module)):
            return [module]
        case ast.Call(
            func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]
        ) if called in {"import_module", "find_spec", "importorskip"}:
            return [name]
    return []


@pytest.mark.parametrize("folder", OURS)
def test_what_is_imported_is_declared(folder: str) -> None:
    """An import may not rely on a transitive dependency; the service may not import developers' tools."""
    groups = project() if folder in {"tests", "bench"} else {k: v for k, v in project().items() if k != "dev"}
    declared = {canonicalize_name(requirement.name) for group in groups.values() for requirement in group}
    owners = packages_distributions()
    undeclared = {
        module
        for module in imported(folder)
        if not declared & {canonicalize_name(name) for name in owners.get(module, [module])}
    }
    assert undeclared == set()

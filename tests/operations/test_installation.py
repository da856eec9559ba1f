"""An installation contains exactly what requirements.lock names, whatever newer versions an index has."""

import base64
import hashlib
import re
import shlex
import subprocess
import zipfile
from pathlib import Path

import msgspec
import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = Path("/usr/bin/python3")
# Of the versions tried, pip 24.2 is the first that accepts a lock without the extra that a requirement asks for.
MENDED = Version("24.2")

# The resolver's fault, and the install command that avoids it.


def bundled_pip() -> Version | None:
    """The version of pip that the system's Python installs into a new environment."""
    try:
        asked = subprocess.run(
            [SYSTEM_PYTHON, "-m", "ensurepip", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return Version(asked.stdout.split()[1])


def why_no_old_pip() -> str | None:
    version = bundled_pip()
    if version is None:
        return f"{SYSTEM_PYTHON} brings no pip here"
    return None if version < MENDED else f"{SYSTEM_PYTHON} brings pip {version}, which no longer has this fault"


WHY_NOT = why_no_old_pip()


@pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")
def test_an_old_pip_installs_the_lock_although_the_index_has_something_newer(tmp_path: Path) -> None:
    """A package requires another with an extra, the lock has that without the extra, and the index has a newer one."""
    index = tmp_path / "index"
    index.mkdir()
    asking = wheel(index, "asking", "1.0", "Requires-Dist: asked[more]==2.*")
    asked = wheel(index, "asked", "2.0", "Provides-Extra: more")
    wheel(index, "asked", "2.1", "Provides-Extra: more")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"asked==2.0 --hash=sha256:{sha256(asked)}\nasking==1.0 --hash=sha256:{sha256(asking)}\n")
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", tmp_path / "venv"], check=True)

    def pip(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(tmp_path / "venv" / "bin" / "python"), *arguments]
        offline = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
        return subprocess.run(command, env=offline, cwd=tmp_path, capture_output=True, text=True, check=False)

    resolving = pip("-m", "pip", "install", "--require-hashes", "-r", str(lock))
    assert resolving.returncode == 1
    assert "Hashes are required" in resolving.stderr
    ours = pip(*make_variable("INSTALL"), str(lock))
    assert ours.returncode == 0, ours.stderr
    assert pip("-m", "pip", "check").returncode == 0
    found = pip("-m", "pip", "list", "--format=freeze").stdout.split()
    assert {"asking==1.0", "asked==2.0"} <= set(found)


def wheel(folder: Path, name: str, version: str, *more: str) -> Path:
    """Write a wheel of one empty module."""
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for inside, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
        record += f"{inside},sha256={digest},{len(content)}\n"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(inside, content)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_variable(name: str) -> list[str]:
    """A variable of the Makefile, split into the words of a command."""
    (value,) = re.findall(rf"^{name}\s*:?=(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return shlex.split(value)


def installations() -> list[tuple[str, str]]:
    """Each `pip install` that a file of the project runs or documents, as (file, line)."""
    files = [ROOT / "Makefile", ROOT / ".ci" / "run", ROOT / "README.md", *(ROOT / "docker").iterdir()]
    files += [path for folder in ("timebank", "admin", "bench", "docs") for path in (ROOT / folder).rglob("*")]
    found = []
    for path in files:
        if path.is_file() and path.suffix in {"", ".py", ".md", ".yaml", ".po", ".html", ".service"}:
            text = path.read_text(encoding="utf-8").replace("\\\n", " ")
            told = re.findall(r"[^\n&;`]*\bpip3? install\b[^\n&;`]*", text)
            found += [(str(path.relative_to(ROOT)), line.strip()) for line in told]
    return found


def test_whatever_installs_takes_the_locked_files_alone() -> None:
    """Packages from an index only by hash, without resolver or build; the project itself without dependencies."""
    hashed = {"--no-deps", "--require-hashes", "--only-binary", ":all:"}
    itself = {"--no-deps", "--no-build-isolation", "-e", "."}
    lines = installations()
    assert {name for name, _ in lines} >= {"Makefile", "docker/Dockerfile"}
    assert [line for line in lines if not (hashed <= set(line[1].split()) or itself <= set(line[1].split()))] == []


def test_every_installation_is_checked_afterwards() -> None:
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").replace(" $(INSTALL) ", " pip install ").split("\n\n")
    recipes.append((ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8"))
    installing = [recipe for recipe in recipes if "pip install " in recipe and not recipe.startswith("INSTALL")]
    installing = [recipe for recipe in installing if re.search(r"^\t|^RUN", recipe, re.MULTILINE)]
    assert len(installing) == 3
    assert [each for each in installing if each.rfind("pip check") < each.rfind("pip install ")] == []


def test_images_are_named_by_their_whole_version() -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    images = [
        *re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE),
        *(service.image for service in compose().values() if service.build is None),
    ]
    assert len(images) == 2
    assert [image for image in images if not re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-slim)?-[a-z]+", image)] == []


# The containers.


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """A service of compose.yaml, with the fields that are tested here."""

    restart: str
    command: list[str] = []
    image: str = ""
    build: dict[str, str] | None = None
    healthcheck: dict[str, object] | None = None
    ports: list[str] = []
    stop_grace_period: str = "10s"


def compose() -> dict[str, Container]:
    told = msgspec.yaml.decode((ROOT / "docker" / "compose.yaml").read_bytes())
    return msgspec.convert(told["services"], dict[str, Container])


def test_what_serves_in_containers_comes_back_by_itself_and_is_watched() -> None:
    services = compose()
    assert {name: service.restart for name, service in services.items()} == {
        "database": "unless-stopped", "migrate": "no", "serve": "unless-stopped", "worker": "unless-stopped",
    }  # fmt: skip
    assert {name for name, service in services.items() if service.healthcheck} == {"database", "serve"}
    assert "/readyz" in str(services["serve"].healthcheck)
    assert [service.command[0] for service in services.values() if service.build] == ["migrate", "serve", "worker"]


def test_the_image_is_made_of_what_it_copies_and_nothing_else_leaves_the_folder() -> None:
    """So the data folder, its key and the environment file never get into an image."""
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (.*) \S+$", dockerfile, re.MULTILINE) for word in line.split()}
    lines = (ROOT / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert "docker/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_containers_are_reached_from_this_machine_alone() -> None:
    """Ports are published on 127.0.0.1 only, so all requests pass the proxy, which blocks /metrics."""
    assert [port for service in compose().values() for port in service.ports] == ["127.0.0.1:8000:8000"]


def test_a_container_is_given_longer_to_end_than_its_requests() -> None:
    from timebank.commands.serving import STOP_SECONDS_MAX

    assert all(seconds(service) > STOP_SECONDS_MAX for service in compose().values() if service.restart != "no")


def seconds(service: Container) -> int:
    number, unit = re.fullmatch(r"(\d+)([sm])", service.stop_grace_period).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def repeated_keys(text: str) -> list[str]:
    """The keys that stand twice in one block mapping of a YAML file; Docker Compose refuses such a file."""
    repeated, seen = [], dict[int, set[str]]()
    for indent, key in re.findall(r"^( *)([\w-]+):", text, re.MULTILINE):
        seen = {depth: keys for depth, keys in seen.items() if depth <= len(indent)}
        keys = seen.setdefault(len(indent), set())
        repeated += [key] if key in keys else []
        keys.add(key)
    return repeated


def test_no_key_of_the_compose_file_stands_twice() -> None:
    assert repeated_keys("a:\n  b: 1\nc:\n  b: 2\na: 3\n") == ["a"]
    assert repeated_keys((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")) == []

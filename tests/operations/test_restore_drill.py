"""docs/operating.md's own lines make a backup and restore it on another machine, where the town then goes on."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support.documents import OPERATING
from tests.support.elsewhere import elsewhere
from tests.support.service import free_port, served
from tests.support.town import Town, build_town, set_password
from timebank.core import settings
from timebank.operations import embedded
from timebank.operations.embedded import Server
from timebank.shop.redemption import redeem
from timebank.shop.schemas import RedemptionIn

pytestmark = [
    pytest.mark.torture,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="each machine has a loopback address of its own"),
]

KEY = "the key that lies in another place than the backup"
DATABASE_PASSWORD = "e08fa2"
PASSWORD = "桂兰的密码-2026"
READY_SECONDS_MAX = 60
# Local connections are the superuser's, as Debian's are; over the network everybody needs their password.
HBA = "local all all trust\nhost all all 127.0.0.0/8 scram-sha-256\n"
SYSTEMCTL = '#!/bin/sh\necho "$@" >> systemctl.log\n'
# The database's container is this machine's server, and a container of ours is our command.
DOCKER = """#!/bin/sh
shift 3
case "$1" in
    exec) shift 3; exec "$@" ;;
    run) shift 3; exec timebank "$@" ;;
    *) echo "$@" >> docker.log ;;
esac
"""


@dataclass
class Machine:
    """A PostgreSQL of its own, and a shell beside it whose folder is the operator's."""

    server: Server
    address: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    complaints: str = ""

    def shell(self, script: str) -> str:
        """Run lines of the page with this machine's address and the town's password and key; what they said."""
        ran = self.run(["bash", "-e", "-c", self.told(script)])
        assert ran.returncode == 0, (script, ran.stdout, ran.stderr)
        self.complaints = ran.stderr
        return ran.stdout

    def sql(self, script: str) -> None:
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", self.told(script), "postgres"]
        ran = self.run(command)
        assert ran.returncode == 0, (script, ran.stderr)

    def told(self, script: str) -> str:
        script = script.replace("TIMEBANK_SECRET_KEY=…", f"TIMEBANK_SECRET_KEY='{KEY}'")
        return script.replace("…", DATABASE_PASSWORD).replace("@localhost/", f"@{self.address}/")

    def run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, env=self.known, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
        )

    @property
    def known(self) -> dict[str, str]:
        programs = [self.folder / "bin", Path(sys.executable).parent, self.server.bin_dir]
        path = os.pathsep.join([*map(str, programs), os.environ.get("PATH", os.defpath)])
        superuser = {"PGHOST": str(self.server.socket_dir), "PGPORT": "5432", "PGUSER": "timebank"}
        return {"PATH": path, "LANG": "C.UTF-8", **superuser, **self.environment}

    def url(self, login: str, name: str) -> str:
        return f"postgresql://{login}:{DATABASE_PASSWORD}@{self.address}/{name}"

    def only_says_that_roles_exist(self) -> bool:
        said = [line for line in self.complaints.splitlines() if "ERROR" in line]
        return bool(said) and all("role" in line and line.endswith("already exists") for line in said)


@contextmanager
def machine(folder: Path, number: int) -> Iterator[Machine]:
    (folder / "bin").mkdir(parents=True)
    for name, text in (("systemctl", SYSTEMCTL), ("docker", DOCKER)):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    address = f"127.{os.getpid() % 200 + 20}.0.{number}"
    server = embedded.start(folder / "pg", settings={"fsync": "off", "listen_addresses": address})
    try:
        (folder / "pg" / "pgdata" / "pg_hba.conf").write_text(HBA)
        made = Machine(server, address, folder)
        made.sql("SELECT pg_reload_conf()")
        yield made
    finally:
        server.stop()


@asynccontextmanager
async def working_on(url: str, operator_url: str) -> AsyncIterator[None]:
    """The service's verbs on another database than the tests' own, whose sessions are opened by its operator."""
    chosen = replace(settings.Settings(), database_url=url, secret_key=KEY.encode(), base_url="http://test")
    before, Town.operator_url = Town.operator_url, operator_url
    try:
        async with elsewhere(chosen, 4):
            yield
    finally:
        Town.operator_url = before


async def a_town_that_works(first: Machine) -> Town:
    """Set up by docs/operating.md's lines, with people, points and a reservation."""
    tables, roles = OPERATING.section("数据库").blocks("sql")
    first.sql(tables.splitlines()[0])
    first.sql(tables.splitlines()[1])
    first.shell(OPERATING.section("数据库").blocks("sh")[0])
    first.sql(roles)
    operator = first.server.url("timebank")
    async with working_on(operator, operator):
        superuser = await asyncpg.connect(first.server.url("timebank"))
        town = await build_town(superuser)
        await superuser.close()
    first.environment = {"TIMEBANK_DATABASE_URL": first.url("timebank_web", "timebank"), "TIMEBANK_SECRET_KEY": KEY}
    async with working_on(first.url("timebank_web", "timebank"), operator):
        await town.credit_deed("张桂兰", 100)
        wanted = RedemptionIn(
            person_id=town.people["张桂兰"], good_id=town.goods["香皂"], station_id=town.stations["暖蜂驿站"]
        )
        await redeem(await town.scope("张桂兰"), wanted)
        await set_password(town.logins["张桂兰"], town.phones["张桂兰"], PASSWORD)
    (create_admin,) = OPERATING.section("第一个管理员").blocks("sh")
    assert "赵丽" in first.shell(create_admin)
    assert "账目相符" in first.shell("timebank check all")
    return town


def points(base_url: str, town: Town) -> dict[str, object]:
    """What 张桂兰 sees of her points after she has signed in."""
    with httpx.Client(base_url=f"{base_url}/api/v1", timeout=30) as client:
        opened = client.post("/sessions", json={"phone": town.phones["张桂兰"], "password": PASSWORD})
        assert opened.status_code == 201, opened.text
        headers = {"Authorization": f"Bearer {opened.json()['token']}"}
        told = client.get("/me/balances", params={"person_id": str(town.people["张桂兰"])}, headers=headers)
        found: dict[str, object] = told.json()["points"]
        return found


async def test_the_drill_and_the_way_back_into_service(tmp_path: Path) -> None:
    with machine(tmp_path / "first", 2) as first, machine(tmp_path / "second", 3) as second:
        town = await a_town_that_works(first)
        with served(first.url("timebank_web", "timebank"), tmp_path, secret_key=KEY) as service:
            before = points(service.base_url, town)
        assert (before["available"], before["held"]) != (100, 0)
        first.shell(OPERATING.section("备份").blocks("sh")[0])
        for name in ("roles.sql", "timebank.dump"):
            shutil.copy(first.folder / name, second.folder / name)
        drill(second, town, before)
        back_into_service(second, town, before)


def drill(second: Machine, town: Town, before: dict[str, object]) -> None:
    restore, check, serve, clean, *_ = OPERATING.section("恢复演练").blocks("sh")
    (passwords,) = OPERATING.section("恢复演练").blocks("sql")
    second.shell(restore)
    assert second.only_says_that_roles_exist()
    assert second.run(["bash", "-c", second.told(check)]).returncode == 1, "nobody has a password yet"
    for statement in passwords.strip().splitlines():
        second.sql(statement)
    assert second.shell(check).splitlines()[-1] == "账目相符。"
    port = free_port()
    script = f"{check.replace('timebank check all', '')}\nexec {serve.replace('8001', str(port))}"
    process = subprocess.Popen(["bash", "-e", "-c", second.told(script)], env=second.known, cwd=second.folder)
    try:
        wait_until_ready(port)
        assert points(f"http://127.0.0.1:{port}", town) == before
    finally:
        process.terminate()
        process.wait(READY_SECONDS_MAX)
    refused = second.run(["bash", "-c", second.told(check).replace(KEY, "another key of at least thirty-two letters")])
    assert (refused.returncode, "TIMEBANK_SECRET_KEY" in refused.stderr) == (1, True)
    second.shell(clean)


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail("it did not become ready")


def back_into_service(second: Machine, town: Town, before: dict[str, object]) -> None:
    restore, begin = OPERATING.section("重新投入使用").blocks("sh")
    second.shell(restore)
    assert second.only_says_that_roles_exist()
    # The environment file of the backup, with the new password.
    second.environment = {"TIMEBANK_DATABASE_URL": second.url("timebank_web", "timebank"), "TIMEBANK_SECRET_KEY": KEY}
    assert second.shell(begin).splitlines()[-1] == "账目相符。"
    assert (second.folder / "systemctl.log").read_text() == "enable --now timebank-serve timebank-worker\n"
    with served(second.url("timebank_web", "timebank"), second.folder, secret_key=KEY) as service:
        second.shell("timebank worker --once")
        assert points(service.base_url, town) == before
    assert "账目相符" in second.shell("timebank check all")


async def test_what_containers_backed_up_is_restored_into_an_empty_volume(tmp_path: Path) -> None:
    with machine(tmp_path / "first", 4) as first, machine(tmp_path / "second", 5) as second:
        await a_town_that_works(first)
        first.shell(OPERATING.section("备份").blocks("sh")[1])
        for name in ("roles.sql", "timebank.dump"):
            shutil.copy(first.folder / name, second.folder / name)
        embedded.create_database(second.server, "timebank")  # as the image does with POSTGRES_DB
        url = second.server.url("timebank")
        second.environment = {"TIMEBANK_DATABASE_URL": url, "TIMEBANK_SECRET_KEY": KEY}
        said = second.shell(OPERATING.section("恢复演练").blocks("sh")[4])
        assert said.splitlines()[-1] == "账目相符。"
        assert second.only_says_that_roles_exist()
        assert (second.folder / "docker.log").read_text() == "up --detach --wait database\n"


def test_the_folder_of_the_bundled_server_is_packed_and_unpacked_elsewhere(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / ".timebank").mkdir(parents=True)
    there.mkdir()
    (here / ".timebank" / "secret.key").write_text(KEY)
    known = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}

    def shell(script: str, folder: Path) -> str:
        ran = subprocess.run(
            ["bash", "-e", "-c", script], env=known, cwd=folder, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, (script, ran.stdout, ran.stderr)
        return ran.stdout

    shell("timebank migrate", here)
    shell(OPERATING.section("第一个管理员").blocks("sh")[0], here)
    shell(OPERATING.section("备份").blocks("sh")[2], here)
    shutil.move(here / "timebank-folder.tar.gz", there)
    shutil.rmtree(here)
    told = shell(OPERATING.section("恢复演练").blocks("sh")[5], there).splitlines()
    assert ("凤凰社区" in told[0], told[-1]) == (True, "账目相符。")

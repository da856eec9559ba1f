"""The files and commands of docs/operating.md that install timebank on a server."""

import configparser
import http.client
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
import pytest

from tests.conftest import SECRET
from tests.support.documents import OPERATING, documents
from tests.support.service import free_port, served
from timebank.cli import COMMANDS
from timebank.cli import timebank as commands
from timebank.commands.serving import STOP_SECONDS_MAX

ROOT = Path(__file__).parents[2]
UNITS = {name: ROOT / "docs" / "server" / f"timebank-{name}.service" for name in ("serve", "worker")}
HOME = "/opt/timebank"
READY_SECONDS_MAX = 30

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="written for a Linux server")


# The services.


def unit(name: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names are case-sensitive
    parser.read(UNITS[name], encoding="utf-8")
    return {title: dict(parser[title]) for title in parser.sections()}


@pytest.mark.parametrize("name", UNITS)
def test_a_service_comes_back_for_ever_and_with_the_machine(name: str) -> None:
    told = unit(name)
    assert told["Unit"]["StartLimitIntervalSec"] == "0", "no number of starts is too many"
    assert "postgresql.service" in told["Unit"]["After"].split()
    assert (told["Service"]["Restart"], told["Service"]["RestartSec"]) == ("always", "2")
    assert told["Install"]["WantedBy"] == "multi-user.target"
    assert "Requires" not in told["Unit"], "a database that stops must not stop what waits for it"
    assert int(told["Service"]["TimeoutStopSec"]) > STOP_SECONDS_MAX, "requests are let end"


def test_both_services_are_the_same_but_for_their_command() -> None:
    serve, worker = unit("serve"), unit("worker")
    different = {
        (title, key)
        for title in serve
        for key in serve[title].keys() | worker[title].keys()
        if serve[title].get(key) != worker[title].get(key)
    }
    assert different == {("Unit", "Description"), ("Service", "ExecStart"), ("Service", "KillMode")}


@pytest.mark.parametrize("name", UNITS)
def test_a_service_runs_a_command_that_exists_as_a_user_with_little(name: str) -> None:
    told = unit(name)["Service"]
    program, called, *options = told["ExecStart"].split()
    assert (program, called) == (f"{HOME}/.venv/bin/timebank", name)
    command = commands.get_command(click.Context(commands), called)
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known
    assert (told["User"], told["NoNewPrivileges"], told["ProtectSystem"]) == ("timebank", "yes", "strict")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_every_line_of_a_service(name: str, tmp_path: Path) -> None:
    copy = tmp_path / UNITS[name].name
    copy.write_text(UNITS[name].read_text(encoding="utf-8").replace(HOME, str(ROOT)), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_the_services_are_installed_from_where_they_are() -> None:
    (install,) = OPERATING.section("服务").blocks("sh")
    assert set(re.findall(r"docs/server/\S+", install)) == {str(path.relative_to(ROOT)) for path in UNITS.values()}
    assert "systemctl enable --now timebank-serve timebank-worker" in install


# The environment file.


@pytest.fixture
def on_this_machine(tmp_path: Path) -> dict[str, str]:
    """Paths and commands in docs/operating.md, with their replacements on this machine."""
    group = subprocess.check_output(["id", "-gn"], text=True).strip()
    return {
        "/etc/timebank.env": str(tmp_path / "timebank.env"), "/usr/local/bin/timebank": str(tmp_path / "timebank"),
        "chgrp timebank": f"chgrp {group}",
    }  # fmt: skip


def shell(
    script: str, changed: dict[str, str], of: str = "bash", **environment: str
) -> "subprocess.CompletedProcess[str]":
    for there, here in changed.items():
        assert there in script, there
        script = script.replace(there, here)
    known = {"PATH": os.environ.get("PATH", os.defpath), **environment}
    command = [of, "-ec", script]
    return subprocess.run(command, env=known, cwd=ROOT, capture_output=True, text=True, check=False)


@on_linux
def test_the_environment_file_is_made_for_few_eyes_and_never_made_again(
    on_this_machine: dict[str, str], tmp_path: Path
) -> None:
    (block,) = OPERATING.section("密钥和环境文件").blocks("sh")
    assert shell(block, on_this_machine).returncode == 0
    made = tmp_path / "timebank.env"
    assert made.stat().st_mode & 0o777 == 0o640
    values = dict(line.split("=", 1) for line in made.read_text().splitlines())
    assert set(values) == {"TIMEBANK_DATABASE_URL", "TIMEBANK_SECRET_KEY", "TIMEBANK_BASE_URL"}
    assert re.fullmatch("[0-9a-f]{64}", values["TIMEBANK_SECRET_KEY"])
    again = shell(block, on_this_machine)
    assert (again.returncode != 0, dict(line.split("=", 1) for line in made.read_text().splitlines())) == (True, values)


@on_linux
def test_the_containers_settings_are_made_for_few_eyes_and_never_made_again(tmp_path: Path) -> None:
    (block,) = OPERATING.section("用容器").blocks("sh")
    making, _, starting = block.rpartition("docker compose")
    assert starting == " -f docker/compose.yaml up --build --detach\n"
    made = tmp_path / ".env"
    assert shell(making, {"docker/.env": str(made)}).returncode == 0
    assert made.stat().st_mode & 0o777 == 0o600
    before = made.read_text()
    needed = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")))
    assert {line.partition("=")[0] for line in before.splitlines()} == needed
    assert shell(making, {"docker/.env": str(made)}).returncode != 0
    assert made.read_text() == before


@on_linux
def test_the_command_of_a_server_has_its_settings_and_what_is_given_goes_first(
    on_this_machine: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "timebank.env").write_text(
        "# the key of 凤凰社区\nTIMEBANK_DATABASE_URL=postgresql://timebank_web:a1@localhost/timebank?host=%2Frun\n"
        "PATH=/nowhere\nTIMEBANK_SECRET_KEY=$(touch stolen)",
        encoding="utf-8",
    )
    wrapper = (ROOT / "docs" / "server" / "timebank").read_text(encoding="utf-8")
    script = wrapper.replace("/etc/timebank.env", str(tmp_path / "timebank.env"))
    script = script.replace(f"{HOME}/.venv/bin/timebank", "/usr/bin/env")
    given = {"TIMEBANK_DATABASE_URL": "postgresql:///other"}
    for environment, url in (
        (given, given["TIMEBANK_DATABASE_URL"]),
        ({}, "postgresql://timebank_web:a1@localhost/timebank?host=%2Frun"),
    ):
        ran = shell(script, {}, "sh", **environment)
        seen = dict(line.split("=", 1) for line in ran.stdout.splitlines())
        assert (seen["TIMEBANK_DATABASE_URL"], seen["TIMEBANK_SECRET_KEY"]) == (url, "$(touch stolen)")
        assert seen["PATH"] != "/nowhere"


def test_the_command_of_a_server_may_be_run() -> None:
    assert os.access(ROOT / "docs" / "server" / "timebank", os.X_OK)
    assert "serve" in COMMANDS


# The proxy.


def caddyfile() -> str:
    (block,) = OPERATING.section("TLS 和代理").blocks("")
    return block


def test_no_proxy_is_shown_that_publishes_the_metrics() -> None:
    blocks = [
        code for page in documents() for each in page.sections for code in each.blocks() if "reverse_proxy" in code
    ]
    assert blocks == [caddyfile()] * 2
    assert "respond /metrics* 404" in caddyfile()
    texts = "".join(page.text for page in documents())
    assert not re.search(r"reverse_proxy", re.sub(r"```.*?```", "", texts, flags=re.DOTALL))


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no caddy here (Debian: apt install caddy)")
def test_the_proxy_serves_the_town_and_keeps_the_metrics_inside(pool: str, tmp_path: Path) -> None:
    with served(pool, tmp_path, secret_key=SECRET.decode()) as service, proxied(service.base_url, tmp_path) as address:
        for path in ("/metrics", "/metrics/", "//metrics", "/%6Detrics", "/x/../metrics", "/METRICS"):
            assert raw_status(address, path) == 404, path
        assert httpx.get(f"{service.base_url}/metrics").status_code == 200, "inside they are there"
        assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{address}/sign-in").status_code == 200


def raw_status(address: str, path: str) -> int:
    """The status of a GET request whose path is sent unnormalised."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=READY_SECONDS_MAX)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


@contextmanager
def proxied(upstream: str, folder: Path) -> Iterator[str]:
    """Run Caddy with the Caddyfile of docs/operating.md in front of a service, on a local address without TLS."""
    address = f"http://127.0.0.1:{free_port()}"
    text = caddyfile().replace("shijian.example", address).replace("127.0.0.1:8000", upstream.removeprefix("http://"))
    (folder / "Caddyfile").write_text("{\n    admin off\n}\n" + text)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)}
    command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "caddy.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + READY_SECONDS_MAX
            while not answers(address):
                assert time.monotonic() < deadline, (folder / "caddy.log").read_text()
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait(READY_SECONDS_MAX)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


# The upgrade.


def test_an_upgrade_stops_backs_up_migrates_and_starts_in_this_order() -> None:
    on_a_server, in_containers = OPERATING.section("升级").blocks("sh")
    steps = ["systemctl stop", "pg_dump", "git -C", "venv", "timebank migrate", "systemctl start"]
    places = [on_a_server.index(step) for step in steps]
    assert places == sorted(places)
    steps = [" stop serve worker", "pg_dump", "git pull", " up --build"]
    places = [in_containers.index(step) for step in steps]
    assert places == sorted(places)
    for service in UNITS:
        assert on_a_server.count(f"timebank-{service}") == 2, "what is stopped is started again"

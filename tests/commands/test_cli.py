"""The command line: its commands, and that every refusal is one sentence with exit code 1 and no traceback."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import click
import httpx
import pytest

from tests.conftest import SECRET
from tests.support.town import Town
from timebank.access.sign_in import sessions
from timebank.cli import timebank as commands
from timebank.core import clock
from timebank.core.errors import reason_of
from timebank.migrate import known
from timebank.operations import embedded
from timebank.policies.values import change_policy, policies

Ran = subprocess.CompletedProcess[str]
Timebank = Callable[..., Ran]

OFFLINE = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}
PHONE = "19900008001"


@pytest.fixture
def timebank(pool: str, tmp_path: Path) -> Timebank:
    """A function that runs `timebank` against the test's database in a temporary folder; None unsets a variable."""
    known = {**OFFLINE, "TIMEBANK_DATABASE_URL": pool, "TIMEBANK_SECRET_KEY": SECRET.decode()}

    def run(*arguments: str, given: str = "", **changed: str | None) -> Ran:
        environment = {name: value for name, value in {**known, **changed}.items() if value is not None}
        command = [sys.executable, "-m", "timebank", *arguments]
        return subprocess.run(
            command,
            input=given,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def sentence(ran: Ran) -> str:
    """The sentence of a refusal, asserted to be one line on standard error with exit code 1 and no other output."""
    assert ran.returncode == 1, ran
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    (line,) = ran.stderr.splitlines()
    return line


def test_help_names_every_command(timebank: Timebank) -> None:
    told = timebank("--help").stdout
    for name in (
        "demo",
        "serve",
        "worker",
        "migrate",
        "import",
        "check",
        "distribute",
        "create-admin",
        "confirm",
        "station-poster",
        "cards",
    ):
        command = commands.get_command(click.Context(commands), name)
        assert command is not None
        assert f"\n  {name} " in told
        assert command.help
        assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def test_what_is_written_wrong_is_answered_with_one_sentence(timebank: Timebank) -> None:
    assert "timebank --help" in sentence(timebank("nonsense"))
    assert "timebank cards --help" in sentence(timebank("cards"))
    assert "timebank serve --help" in sentence(timebank("serve", "--port", "many"))


def test_a_program_gets_the_refusal_as_json(timebank: Timebank) -> None:
    ran = timebank("cards", "--community", "没有的社区", "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["error"]["code"] == "no_such_community"


def test_a_bad_setting_is_named(timebank: Timebank) -> None:
    assert "TIMEBANK_POOL_SIZE" in sentence(timebank("migrate", TIMEBANK_POOL_SIZE="many"))
    assert "TIMEBANK_SECRET_KEY" in sentence(timebank("serve", "--port", "0", TIMEBANK_SECRET_KEY=None))
    assert "TIMEBANK_SECRET_KEY" in sentence(timebank("check", TIMEBANK_SECRET_KEY="short"))


def test_a_server_that_is_not_there_is_named(timebank: Timebank) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    for command in (("migrate",), ("check",), ("worker", "--once"), ("import", "goods", __file__, "--community", "x")):
        assert "TIMEBANK_DATABASE_URL" in sentence(timebank(*command, TIMEBANK_DATABASE_URL=nowhere))


def test_migrate_may_be_repeated(timebank: Timebank) -> None:
    assert json.loads(timebank("migrate", "--json").stdout) == {"applied": []}


async def test_of_two_who_migrate_at_once_one_waits_for_the_other(
    pool: str, timebank: Timebank, owner: asyncpg.Connection
) -> None:
    name = f"{pool.rsplit('/', 1)[-1].split('?', maxsplit=1)[0]}_twice"
    await owner.execute(f'CREATE DATABASE "{name}"')
    url = pool.replace(name.removesuffix("_twice"), name)

    def migrate() -> Ran:
        return timebank("migrate", "--json", TIMEBANK_DATABASE_URL=url)

    ran = await asyncio.gather(*[asyncio.to_thread(migrate) for _ in range(3)])
    assert [each.returncode for each in ran] == [0, 0, 0]
    assert sorted(json.loads(each.stdout)["applied"] for each in ran) == [[], [], known()]
    await owner.execute(f'DROP DATABASE "{name}"')


def test_the_bundled_server_serves_where_no_other_is_named(timebank: Timebank, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "数据"))
    assert "timebank migrate" in sentence(timebank("check", *data, TIMEBANK_DATABASE_URL=None))
    first = timebank("migrate", "--json", *data, TIMEBANK_DATABASE_URL=None)
    assert json.loads(first.stdout)["applied"] == known()
    assert timebank("check", *data, TIMEBANK_DATABASE_URL=None).stdout == "账目相符。\n"
    assert not (tmp_path / "数据" / "pgdata" / "postmaster.pid").exists(), "it was stopped"


async def test_a_town_is_run_by_two_logins_that_are_no_superusers(timebank: Timebank, tmp_path: Path) -> None:
    """One login owns the database, may create roles and migrates. The other serves and cannot become the first."""
    server = embedded.start(tmp_path / "pg", settings={"fsync": "off"})
    try:
        superuser = await asyncpg.connect(server.url("postgres"))
        await superuser.execute("CREATE ROLE migrates LOGIN CREATEROLE")
        await superuser.execute("CREATE DATABASE shijian OWNER migrates")
        url = server.url("shijian")
        migrating = {"TIMEBANK_DATABASE_URL": url.replace("//timebank@", "//migrates@")}
        serving = {"TIMEBANK_DATABASE_URL": url.replace("//timebank@", "//serves@")}
        assert timebank("migrate", **migrating).returncode == 0
        await superuser.execute("CREATE ROLE serves LOGIN IN ROLE timebank_app")
        await superuser.close()
        founding = ("--community", "梅林社区", "--county", "清江县", "--street", "梅林街道")
        asked = ("create-admin", "--name", "何晓梅", "--phone", PHONE, *founding)
        assert "TIMEBANK_OPERATOR_DATABASE_URL" in sentence(timebank(*asked, **serving))
        operating = {"TIMEBANK_OPERATOR_DATABASE_URL": migrating["TIMEBANK_DATABASE_URL"]}
        made = timebank(*asked, **serving, **operating)
        assert made.returncode == 0, made.stderr
        assert timebank("check", **serving).stdout.endswith("账目相符。\n")
        serves = await asyncpg.connect(serving["TIMEBANK_DATABASE_URL"])
        for forbidden in ("SET ROLE timebank_owner", "DELETE FROM audit", "UPDATE account SET balance = 1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await serves.execute(forbidden)
        await serves.close()
    finally:
        server.stop()


async def test_the_first_administrator_founds_the_community_and_signs_in(town: Town, timebank: Timebank) -> None:
    asked = ("create-admin", "--name", "何晓梅", "--phone", PHONE, "--community", "梅林社区")
    assert "--county" in sentence(timebank(*asked, "--password-stdin", given="梅林的密码-2026\n"))
    founding = (*asked, "--county", "清江县", "--street", "梅林街道", "--password-stdin")
    made = timebank(*founding, given="梅林的密码-2026\n")
    assert (made.returncode, made.stdout) == (0, f"已设立：清江县梅林街道梅林社区 何晓梅，用 {PHONE} 登录。\n")
    signed_in = await sessions.sign_in(PHONE, password="梅林的密码-2026")
    caller = await sessions.find_session(signed_in.token)
    assert caller is not None
    assert [(p.name, p.community_name) for p in caller.persons] == [("何晓梅", "梅林社区")]
    assert [g.role for g in caller.grants] == ["community_admin"]


async def test_the_first_administrator_may_be_made_again_with_another_password(town: Town, timebank: Timebank) -> None:
    asked = ("create-admin", "--name", "赵丽", "--phone", town.phones["赵丽"], "--community", "凤凰社区", "--json")
    first, again = json.loads(timebank(*asked).stdout), json.loads(timebank(*asked).stdout)
    assert first["person_id"] == again["person_id"] == str(town.people["赵丽"])
    assert first["password"] != again["password"]
    await sessions.sign_in(town.phones["赵丽"], password=again["password"])
    with pytest.raises(sessions.WrongSignIn):
        await sessions.sign_in(town.phones["赵丽"], password=first["password"])


@pytest.mark.parametrize("password", ["short", "sunny1day"])
async def test_a_weak_password_founds_nothing(
    town: Town, timebank: Timebank, owner: asyncpg.Connection, password: str
) -> None:
    """An administrator's password must be stronger: the second one would be accepted for a resident."""
    before = await owner.fetchval("SELECT count(*) FROM region")
    ran = timebank(
        "create-admin", "--name", "何晓梅", "--phone", PHONE, "--community", "梅林社区", "--county", "清江县",
        "--street", "梅林街道", "--password-stdin", given=f"{password}\n",
    )  # fmt: skip
    assert "密码" in sentence(ran)
    assert await owner.fetchval("SELECT count(*) FROM region") == before


async def test_check_tells_of_books_that_do_not_balance(
    town: Town, timebank: Timebank, owner: asyncpg.Connection
) -> None:
    assert timebank("check").returncode == 0
    await owner.execute(
        "INSERT INTO account (community_id, id, owner_kind, owner_id, currency, bucket, balance) "
        "VALUES ($1, gen_random_uuid(), 'person', $2, 'point', 'available', 7)",
        town.community, town.people["张桂兰"],
    )  # fmt: skip
    ran = timebank("check", "ledger")
    assert ran.returncode == 1
    assert "[balance_differs]" in ran.stdout
    told = json.loads(timebank("check", "--json").stdout)
    assert told["ok"] is False
    assert {c["community"]: c["books"]["ok"] for c in told["communities"]} == {
        "清江县城关街道凤凰社区": False,
        "清江县城关街道龙泉社区": True,
    }


async def test_check_tells_of_what_keeps_the_database_from_being_distributed(
    pool: str, timebank: Timebank, owner: asyncpg.Connection
) -> None:
    ran = timebank("check", "distribution")
    assert ran.returncode == 0, ran
    assert "可以按社区分到几台服务器上" in ran.stdout
    await owner.execute("ALTER TABLE visit FORCE ROW LEVEL SECURITY")
    try:
        ran = timebank("check", "distribution")
        assert (ran.returncode, ran.stderr) == (1, "")
        assert "✗ visit：" in ran.stdout
        assert "不能分布：1 处要先改。" in ran.stdout
        told = json.loads(timebank("check", "distribution", "--json").stdout)
        assert told["ok"] is False
        assert [(f["code"], f["name"]) for f in told["faults"] if f["blocks"]] == [("forced", "visit")]
        assert told["not_laid_out"] == []
    finally:
        await owner.execute("ALTER TABLE visit NO FORCE ROW LEVEL SECURITY")


def test_distribute_refuses_a_server_without_the_extension(timebank: Timebank) -> None:
    assert "Citus" in sentence(timebank("distribute"))
    assert json.loads(timebank("distribute", "--json").stdout)["error"]["code"] == "no_citus"


async def test_check_refuses_another_secret_key(town: Town, timebank: Timebank) -> None:
    other = {"TIMEBANK_SECRET_KEY": "another key of at least thirty-two characters"}
    assert "请换回原来的密钥" in sentence(timebank("check", "ledger", **other))
    assert "请换回原来的密钥" in sentence(timebank("check", "all", **other))


async def test_a_workbook_is_tried_and_taken_in(
    town: Town, timebank: Timebank, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    sheet = tmp_path / "物品.csv"
    sheet.write_text(
        "物品,单位,所需积分,库存,兑换站点\n牙膏,支,12,20,暖蜂驿站\n毛巾,条,很多,5,暖蜂驿站\n", encoding="utf-8"
    )
    asked = ("import", "goods", str(sheet), "--community", "凤凰社区")
    tried = timebank(*asked, "--dry-run")
    assert (tried.returncode, "第 3 行" in tried.stdout) == (0, True)
    assert timebank(*asked, "--all-or-nothing").returncode == 1
    assert await owner.fetchval("SELECT count(*) FROM good WHERE name = '牙膏'") == 0
    taken = json.loads(timebank(*asked, "--json").stdout)
    assert (taken["outcome"], taken["accepted"], taken["created"]) == ("imported", 1, 1)
    assert await owner.fetchval("SELECT points FROM good WHERE name = '牙膏'") == 12
    assert "读不了" in sentence(timebank("import", "goods", "没有.csv", "--community", "凤凰社区"))


async def test_a_poster_and_cards_are_printed(town: Town, timebank: Timebank, tmp_path: Path) -> None:
    poster = timebank("station-poster", "暖蜂驿站", "--phone", "0591-0000", "--json")
    assert (tmp_path / "暖蜂驿站海报.pdf").read_bytes().startswith(b"%PDF-")
    assert json.loads(poster.stdout)["file"].endswith("暖蜂驿站海报.pdf")
    assert "没有编号或名称是「没有」的驿站" in sentence(timebank("station-poster", "没有"))
    assert "--issue" in sentence(timebank("cards", "--community", "凤凰社区"))
    cards = timebank("cards", "--community", "凤凰社区", "--issue", "--json", "--out", "卡.pdf")
    assert json.loads(cards.stdout)["cards"] == 1, "刘小雨 alone has no phone"
    assert (tmp_path / "卡.pdf").read_bytes().startswith(b"%PDF-")
    assert "写不了" in sentence(timebank("cards", "--community", "凤凰社区", "--out", "没有/卡.pdf"))


def test_a_font_that_is_none_is_refused_in_words(timebank: Timebank, town: Town, tmp_path: Path) -> None:
    (tmp_path / "字体.ttf").write_bytes(b"not a font")
    assert "字体.ttf" in sentence(timebank("station-poster", "暖蜂驿站", "--font", "字体.ttf"))


async def test_worker_once_does_every_job_and_ends(town: Town, timebank: Timebank) -> None:
    ran = timebank("worker", "--once")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "job failed" not in ran.stderr


@pytest.fixture
def served(pool: str) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """A function that starts `timebank serve`; processes that are still running after the test are killed."""
    started: list[subprocess.Popen[str]] = []

    def serve(*arguments: str) -> "subprocess.Popen[str]":
        environment = {**OFFLINE, "TIMEBANK_DATABASE_URL": pool, "TIMEBANK_SECRET_KEY": SECRET.decode()}
        # SIGINT is ignored, as in a process that a shell starts in the background.
        command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "timebank", "serve", *arguments]
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield serve
    for process in started:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def address_of(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    return process.stderr.readline().strip()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_until_it_is_told_to_stop(workers: str, served: Callable[..., "subprocess.Popen[str]"]) -> None:
    process = served("--port", "0", "--workers", workers)
    address = address_of(process)
    deadline = time.monotonic() + 60
    while True:
        try:
            told = httpx.get(f"{address}/readyz").json()
            assert (told["status"], told["missing"]) == ("ok", [])
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline, "two processes take a moment to start"
            time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_taken_port_is_told_in_a_sentence(timebank: Timebank) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert port in sentence(timebank("serve", "--port", port))
        assert port in sentence(timebank("demo", "--port", port))


@pytest.mark.parametrize("error", [TimeoutError(), OSError(), ConnectionError(), asyncpg.InterfaceError("")])
def test_a_reason_is_never_empty(error: Exception) -> None:
    assert reason_of(error).strip()
    assert reason_of(TimeoutError()) == "等了太久没有答复"
    assert reason_of(FileNotFoundError(2, "No such file")) == "No such file"


async def test_the_operator_is_the_second_person_where_a_community_has_nobody_from_above(
    timebank: Timebank, town: Town, owner: asyncpg.Connection
) -> None:
    await town.credit_deed("张桂兰", 10)
    waits = await change_policy(await town.scope("赵丽"), "notice_days", 3)
    assert waits is not None
    assert "街道管理员钱进" in sentence(timebank("confirm", str(waits.waiting)))
    await owner.execute(
        "UPDATE role_grant SET ended_at = now() WHERE role IN ('street_admin', 'county_admin', 'auditor')"
    )
    [line] = timebank("confirm", "--community", "凤凰社区").stdout.splitlines()
    assert line.startswith(f"{waits.waiting}  清江县城关街道凤凰社区：放宽规则")
    assert json.loads(timebank("confirm", "--json").stdout)[0]["who"] == [
        "系统管理员（在服务器上运行 timebank confirm）"
    ]
    assert "已同意" in timebank("confirm", str(waits.waiting)).stdout
    assert (await policies(town.system())).notice_days == 3
    assert "没有找到" in sentence(timebank("confirm", str(clock.new_id())))

"""`timebank migrate` and `timebank check`: migrate the database, and check ledger, secret key and distribution."""

import json
from pathlib import Path

import click
import msgspec

from timebank import migrate as migrations
from timebank.areas.workdays import unannounced_years
from timebank.commands.distributing import check_distribution
from timebank.commands.ground import ground, pool, progress, run_command, with_data, with_json
from timebank.commands.places import Place, communities, find_community, system_scope
from timebank.core import database, vault
from timebank.core.database import connections, transaction
from timebank.core.settings import Settings
from timebank.ledger.checking.check import Books, books_out
from timebank.ledger.checking.stored_result import check_and_keep
from timebank.ledger.schemas import BooksOut
from timebank.operations import installation, serving_login
from timebank.outbox.undelivered import backlog


@click.command("migrate", help="把数据库升级到这个版本；可以重复运行，同时运行时后来的会等。")
@with_data
@with_json
def migrate(data: Path | None, as_json: bool) -> None:
    with ground(data) as chosen:
        chosen.require_no_pooler("升级")
        assert chosen.operator_url is not None
        applied = run_command(_migrate(chosen, chosen.operator_url))
    if as_json:
        click.echo(json.dumps({"applied": applied}))
    elif applied:
        click.echo(f"已升级：{'、'.join(applied)}")
    else:
        click.echo("已经是最新，没有要做的。")


async def _migrate(chosen: Settings, url: str) -> list[str]:
    """Migrate. If a secret key is set, which is optional, also compare or record it.

    Tables without statistics are analysed, because a backup is usually migrated right after it was restored.
    """
    if chosen.secret_key:
        await _compare_key(url)
    applied = await migrations.migrate(url)
    await serving_login.prepare(url, chosen.database_url or url)
    if chosen.secret_key:
        await _compare_key(url)
    async with pool(chosen, waits=True):
        await installation.try_to_analyze()
    return applied


async def _compare_key(url: str) -> None:
    """Refuse a key other than the recorded one; record ours if none is. Does nothing before the first migration."""
    async with connections.connect_once(url) as connection:
        if await connection.fetchval("SELECT to_regclass('installation')") is not None:
            await installation.require_key(connection)


class Checked(msgspec.Struct, frozen=True):
    """The result of the ledger check of one community."""

    community_id: str
    community: str
    books: BooksOut
    undelivered: int | None = None
    """How many rows of the outbox are dead and not given up; only with `all`."""


@click.command(
    "check",
    help="核对账目：ledger 核对账本；all 还核对密钥能打开加密内容（恢复备份之后请用它），"
    "提醒还没有登记放假通知的年份，并说有几条没有送达。有问题时列出并以 1 退出。"
    "distribution 看数据库能不能按社区分到几台服务器上。",
)
@click.argument("what", type=click.Choice(["ledger", "all", "distribution"]), default="all")
@click.option("--community", help="只核对这个社区；默认全部。")
@with_data
@with_json
def check(what: str, community: str | None, data: Path | None, as_json: bool) -> None:
    if what == "distribution":
        with ground(data) as chosen:
            if not check_distribution(chosen, as_json=as_json):
                raise SystemExit(1)
        return

    async def work() -> tuple[list[Checked], list[int]]:
        async with pool(chosen):
            places = [await find_community(community)] if community else await communities()
            years = await unannounced_years() if what == "all" else []
            return [await _check(place, len(places)) for place in places], years

    async def _check(place: Place, total: int) -> Checked:
        if what == "all":
            await open_a_seal(place)
        books: Books = await check_and_keep(system_scope(place))
        dead = (await backlog([place.id])).dead if what == "all" else None
        told(total)
        return Checked(str(place.id), place.path, books_out(books), dead)

    with ground(data) as chosen, progress("正在核对") as told:
        checked, estimated = run_command(work())
    ok = all(one.books.ok for one in checked)
    if as_json:
        click.echo(msgspec.json.encode({"ok": ok, "communities": checked, "estimated_years": estimated}))
    else:
        for one in checked:
            _print(one)
        for year in estimated:
            click.echo(f"{year} 年的放假通知还没有登记，工作日是推算的：请升级，或用 timebank calendar 登记。")
        click.echo("账目相符。" if ok else "账目不符：请不要再入账，把上面的内容告诉维护人员。")
    if not ok:
        raise SystemExit(1)


async def open_a_seal(place: Place) -> None:
    """Decrypt the newest encrypted phone of a community. Raises WrongSecretKey if another key encrypted it."""
    scope = system_scope(place)
    async with transaction(scope):
        sealed: bytes | None = await database.fetch_value(
            "SELECT phone_sealed FROM person WHERE community_id = $1 AND phone_sealed IS NOT NULL "
            "ORDER BY id DESC LIMIT 1",
            scope.community_id,
        )
    if sealed is not None:
        vault.unseal(sealed, "phone")


def _print(one: Checked) -> None:
    points = one.books.currencies["point"]
    click.echo(
        f"{one.community}：发出 {points.issued} 分，可用 {points.outstanding}，预留 {points.held}，"
        f"已兑换 {points.redeemed}，已到期 {points.expired}。"
    )
    if one.undelivered:
        click.echo(f"  ! {one.undelivered} 条没有送达：请管理员看后台的“未送达”。")
    for problem in one.books.problems:
        click.echo(f"  ✗ {problem.text} [{problem.code}] {' '.join(map(str, problem.ids))}")

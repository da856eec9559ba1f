"""`timebank station-poster` and `timebank cards`: print the poster of a station and the cards of residents."""

import json
from functools import partial
from pathlib import Path

import click

from timebank.cards.cards import PrintedCard, cards_of, issue_missing_cards
from timebank.commands.ground import CannotWrite, Command, ground, pool, progress, run_command, with_data, with_json
from timebank.commands.places import Place, communities, find_community, system_scope
from timebank.core import settings
from timebank.core.errors import TimebankError, reason_of
from timebank.core.paging import all_pages
from timebank.printing.cards import CardSheet, cards_pdf
from timebank.printing.poster import Poster, poster_pdf
from timebank.stations.schemas import StationOut
from timebank.stations.stations import open_hours, stations


class NoSuchStation(TimebankError):
    code = "no_such_station"
    status = 404
    sentence = "没有编号或名称是「{name}」的驿站，现有：{known}。"


class AmbiguousStation(TimebankError):
    code = "ambiguous_station"
    status = 422
    sentence = "有 {count} 个驿站叫「{name}」。请改用编号：{known}"


class NoCards(TimebankError):
    code = "no_cards"
    status = 404
    sentence = "{community}还没有要印的卡。加上 --issue，会给没有手机、也没有卡的居民办卡。"


def with_print(command: Command) -> Command:
    """Add the options that all printing commands share."""
    for option in (
        click.option("--font", type=click.Path(path_type=Path), help="中文字体文件；默认用系统里装的。"),
        click.option("--phone", default="", help="印上的联系电话。"),
        click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="存成哪个 PDF 文件。"),
    ):
        command = option(command)
    return command


@click.command("station-poster", help="驿站的海报（A4）：名称、三步签到、放屏幕的位置。STATION 是驿站的编号或名称。")
@click.argument("station")
@with_print
@with_data
@with_json
def station_poster(
    station: str, font: Path | None, phone: str, out: Path | None, data: Path | None, as_json: bool
) -> None:
    async def look_up() -> tuple[Place, StationOut]:
        async with pool(chosen):
            return await find_station(station)

    with ground(data) as chosen:
        community, found = run_command(look_up())
    poster = Poster(
        community=community.name, station=found.name, address=found.address, hours=open_hours(found),
        sign_in_url=f"{settings.current().base_url}/sign-in", phone=phone,
    )  # fmt: skip
    _save(poster_pdf(poster, font), out or Path(f"{found.name}海报.pdf"), as_json)


async def find_station(named: str) -> tuple[Place, StationOut]:
    """The active station of this id or name in any community, with its community."""
    every = [
        (community, station)
        for community in await communities()
        for station in await all_pages(partial(stations, system_scope(community)))
    ]
    found = [(c, s) for c, s in every if named in (str(s.id), s.name, f"{c.name}{s.name}")]
    if not found:
        raise NoSuchStation(name=named, known="、".join(s.name for _, s in every[:20]) or "一个也没有")
    if len(found) > 1:
        raise AmbiguousStation(count=len(found), name=named, known="；".join(f"{c.name} {s.id}" for c, s in found))
    return found[0]


@click.command("cards", help="给没有手机的居民印卡，一页 A4 十张，后面附发卡清单。")
@click.option("--community", required=True, help="社区的名称（或编号）。")
@click.option("--issue", is_flag=True, help="先给没有手机、也没有卡的居民办卡。")
@click.option("--full-names", is_flag=True, help="卡上印全名；默认只印 张*。")
@with_print
@with_data
@with_json
def cards(
    community: str, issue: bool, full_names: bool, font: Path | None, phone: str, out: Path | None,
    data: Path | None, as_json: bool,
) -> None:  # fmt: skip
    async def look_up() -> tuple[Place, list[PrintedCard]]:
        async with pool(chosen):
            place = await find_community(community)
            if issue:
                await issue_missing_cards(system_scope(place))
            return place, await cards_of(system_scope(place))

    with ground(data) as chosen:
        place, found = run_command(look_up())
    if not found:
        raise NoCards(community=place.name)
    sheet = CardSheet(place.name, phone, full_names)
    with progress("正在印卡") as told:
        content = cards_pdf(found, sheet, font, drawn=lambda: told(len(found)))
    _save(content, out or Path(f"{place.name}服务卡.pdf"), as_json, cards=len(found))


def _save(content: bytes, path: Path, as_json: bool, **told: int) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CannotWrite(path=path, why=reason_of(error)) from error
    click.echo(json.dumps({"file": str(path.resolve()), **told}, ensure_ascii=False) if as_json else f"已存为 {path}")

"""`timebank create-admin`, and the look-up of a community that a command names."""

import json
import secrets
import sys
from pathlib import Path
from uuid import UUID

import click
import msgspec

from timebank.access.admins import create_admin as make_admin
from timebank.access.admins import facts_of_staff
from timebank.access.sign_in.passwords import check_strength
from timebank.areas.places import add_region
from timebank.areas.schemas import PlaceKind
from timebank.commands.ground import ground, pool, run_command, with_data, with_json
from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Role, Scope
from timebank.people.identity.phones import normal_phone
from timebank.rules.catalogue import set_rule
from timebank.rules.schemas import RuleIn

MINUTES_PER_POINT = 6


class NoSuchCommunity(TimebankError):
    code = "no_such_community"
    status = 404
    sentence = "没有叫「{name}」的社区，现有：{known}。第一次建立，请用 create-admin 并写明 --county 和 --street。"


class AmbiguousCommunity(TimebankError):
    code = "ambiguous_community"
    status = 422
    sentence = "有 {count} 个社区叫「{name}」。请改用编号：{known}"


class Place(msgspec.Struct, frozen=True):
    """A region. `path`: the names of the region and of those above it, for output."""

    id: UUID
    name: str
    path: str


async def _regions(kind: str, parent_id: UUID | None = None) -> list[Place]:
    async with transaction(None):
        return await database.rows(
            Place,
            "SELECT r.id, r.name, (SELECT string_agg(up.name, '' ORDER BY cardinality(up.path)) FROM region up "
            "WHERE up.id = ANY (r.path)) AS path FROM region r "
            "WHERE r.kind = $1 AND ($2::uuid IS NULL OR r.parent_id = $2) ORDER BY r.pinyin, r.id",
            kind, parent_id,
        )  # fmt: skip


async def communities() -> list[Place]:
    """All communities, by name."""
    return await _regions("community")


async def find_community(named: str) -> Place:
    """The community of this name or id. Raises NoSuchCommunity, AmbiguousCommunity."""
    every = await communities()
    found = [place for place in every if named in (place.name, place.path, str(place.id))]
    if not found:
        raise NoSuchCommunity(name=named, known="、".join(place.name for place in every[:20]) or "一个也没有")
    if len(found) > 1:
        known = "；".join(f"{place.path} {place.id}" for place in found)
        raise AmbiguousCommunity(count=len(found), name=named, known=known)
    return found[0]


def system_scope(community: Place) -> Scope:
    """The system scope of a command in this community, without a person."""
    return Scope.of_system(community.id, via="command")


async def find_or_found_community(county: str | None, street: str | None, community: str) -> Place:
    """The community of this name. With `county` and `street`, those of the three that are missing are founded."""
    if county is None or street is None:
        return await find_community(community)
    scope, above = Scope.of_system(clock.new_id(), via="command"), None
    kinds: tuple[tuple[PlaceKind, str], ...] = (("county", county), ("street", street), ("community", community))
    for kind, name in kinds:
        known = {place.name: place.id for place in await _regions(kind, above)}
        above = known.get(name) or (await add_region(scope, kind, name, above)).id
    assert above is not None
    place = next(place for place in await communities() if place.id == above)
    await _put_first_rule_in_force(system_scope(place))
    return place


@retried
async def _put_first_rule_in_force(scope: Scope) -> None:
    """Add the first rule for service, if the community has no rule yet; the community can change it in the panel."""
    async with transaction(scope):
        ruled = await database.fetch_value(
            "SELECT EXISTS (SELECT FROM rule WHERE community_id = $1)", scope.community_id
        )
        if not ruled:
            wanted = RuleIn(kind="service", name="志愿服务", code="service", minutes_per_point=MINUTES_PER_POINT)
            await set_rule(scope, wanted)


@click.command("create-admin", help="设立管理员；社区、街道、县还没有时一并建立。可以重复运行，用来重设密码。")
@click.option("--name", required=True, help="姓名。")
@click.option("--phone", required=True, help="手机号，用来登录。")
@click.option("--community", required=True, help="所在社区的名称（或编号）。")
@click.option("--street", help="街道名称；与 --county 一起写时，没有的会建立。")
@click.option("--county", help="县（区）名称。")
@click.option(
    "--role",
    type=click.Choice(
        [Role.community_admin.value, Role.street_admin.value, Role.county_admin.value, Role.auditor.value]
    ),
    default=Role.community_admin.value,
    show_default=True,
    help="管理社区、街道还是县；或审计员，只看本社区的账。",
)
@click.option("--password-stdin", is_flag=True, help="从标准输入读密码；否则询问，没有终端时生成一个。")
@with_data
@with_json
def create_admin(
    name: str, phone: str, community: str, street: str | None, county: str | None, role: str, password_stdin: bool,
    data: Path | None, as_json: bool,
) -> None:  # fmt: skip
    password, made = _password(password_stdin)
    places = filter(None, (community, street, county))
    check_strength(password, normal_phone(phone), facts_of_staff(name, *places))

    async def work() -> tuple[Place, UUID]:
        async with pool(chosen, operates=True):
            place = await find_or_found_community(county, street, community)
            person_id = await make_admin(
                system_scope(place), name, phone, password, role=Role(role), region_id=await _reach(place, Role(role))
            )
        return place, person_id

    with ground(data) as chosen:
        place, person_id = run_command(work())
    if as_json:
        told = {"person_id": str(person_id), "community_id": str(place.id), "role": role}
        click.echo(json.dumps(told | ({"password": password} if made else {})))
        return
    click.echo(f"已设立：{place.path} {name}，用 {phone} 登录。")
    if made:
        click.echo(f"密码（只显示这一次）：{password}")


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password from standard input or a prompt, else a generated one; and whether it was generated."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if sys.stdin.isatty():
        return click.prompt("密码（至少 8 个字符）", hide_input=True, confirmation_prompt="再输一次"), False
    return secrets.token_urlsafe(12), True


async def _reach(place: Place, role: Role) -> UUID:
    """The id of the region over which the role is granted: the community, its street or its county."""
    async with transaction(None):
        path = await database.fetch_value("SELECT path FROM region WHERE id = $1", place.id)
    depth = {Role.county_admin: 0, Role.street_admin: 1, Role.community_admin: 2, Role.auditor: 2}[role]
    return UUID(bytes=path[depth].bytes)

"""Which part of a body does not fit, and why: told by its path, whatever the decoder's sentence says of places."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import msgspec
import pytest
from msgspec import Meta

from tests.support.town import Town
from timebank.core.errors import Invalid
from timebank.http.misfits import BYTES_MAX, PARTS_MAX, Misfit, misfit
from timebank.web.forms import parse_form


class Row(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(pattern="^a")]
    count: int = 0


class Cash(msgspec.Struct, tag="cash"):
    amount: int


class Card(msgspec.Struct, tag="card"):
    number: Annotated[str, Meta(min_length=4)]


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    points: int
    name: Annotated[str, Meta(max_length=3)] = ""
    rows: Annotated[list[Row], Meta(max_length=3)] = []
    by_id: dict[UUID, Annotated[int, Meta(ge=0)]] = {}
    row: Row | None = None
    either: int | list[Row] | None = None
    kind: Literal["good", "deed"] = "good"
    at: Annotated[datetime, Meta(tz=True)] | None = None
    paid: Cash | Card | None = None
    pair: tuple[int, str] = (0, "")
    some: Sequence[int] = ()
    other_name: int = msgspec.field(default=0, name="otherName")
    unset: int | msgspec.UnsetType = msgspec.UNSET


@pytest.mark.parametrize(
    ("body", "path", "why"),
    [
        ('{"name": "x"}', "", "Object missing required field `points`"),
        ('{"points": 1, "colour": 2}', "", "Object contains unknown field `colour`"),
        ('{"colour": 2, "points": "1"}', "", "Object contains unknown field `colour`"),
        ('{"points": "1", "colour": 2}', "points", "Expected `int`, got `str`"),
        ('{"points": true}', "points", "Expected `int`, got `bool`"),
        ("[]", "", "Expected `object`, got `array`"),
        ('{"points": 1, "name": "long"}', "name", "Expected `str` of length <= 3"),
        ('{"points": 1, "rows": {}}', "rows", "Expected `array`, got `object`"),
        ('{"points": 1, "rows": [{"code": "a"}, {"code": "b"}]}', "rows[1].code", "Expected `str` matching regex '^a'"),
        ('{"points": 1, "rows": [{"count": 2}]}', "rows[0]", "Object missing required field `code`"),
        ('{"points": 1, "rows": [{"code": "a", "x": 2}]}', "rows[0]", "Object contains unknown field `x`"),
        ('{"points": 1, "row": {"code": "a", "count": "x"}}', "row.count", "Expected `int`, got `str`"),
        ('{"points": 1, "row": 3}', "row", "Expected `object | null`, got `int`"),
        ('{"points": 1, "either": [{"code": 1}]}', "either[0].code", "Expected `str`, got `int`"),
        ('{"points": 1, "either": "x"}', "either", "Expected `int | array | null`, got `str`"),
        ('{"points": 1, "kind": "x"}', "kind", "Invalid enum value 'x'"),
        ('{"points": 1, "at": "soon"}', "at", "Invalid RFC3339 encoded datetime"),
        ('{"points": 1, "paid": {"type": "cash", "amount": "x"}}', "paid.amount", "Expected `int`, got `str`"),
        ('{"points": 1, "paid": {"type": "card", "number": "1"}}', "paid.number", "Expected `str` of length >= 4"),
        ('{"points": 1, "pair": [1, 2]}', "pair[1]", "Expected `str`, got `int`"),
        ('{"points": 1, "some": [1, 2, "3"]}', "some[2]", "Expected `int`, got `str`"),
        ('{"points": 1, "otherName": "x"}', "otherName", "Expected `int`, got `str`"),
        ('{"points": 1, "unset": "x"}', "unset", "Expected `int`, got `str`"),
        (f'{{"points": 1, "by_id": {{"{UUID(int=0)}": -1}}}}', "by_id[...]", "Expected `int` >= 0"),
    ],
)
def test_the_part_that_does_not_fit_is_named_with_the_reason(body: str, path: str, why: str) -> None:
    found = misfit(body.encode(), Body)
    assert found is not None
    assert (found.path.removeprefix("."), found.why) == (path, why)
    assert _as_the_decoder_says(body) in (f"{why} - at `$.{path}`", why)


def test_a_key_of_a_map_is_named_by_its_map() -> None:
    found = misfit(b'{"points": 1, "by_id": {"me": 1}}', Body)
    assert found is not None
    assert found.path == ".by_id"
    assert found.why.startswith("Invalid UUID")


def test_too_long_a_list_is_at_fault_as_a_whole() -> None:
    found = misfit(b'{"points": 1, "rows": [' + b",".join([b'{"code": "a"}'] * 4) + b"]}", Body)
    assert found == Misfit(".rows", "Expected `array` of length <= 3")


def test_what_fits_is_no_misfit() -> None:
    assert misfit(b'{"points": 1, "either": null, "paid": {"type": "cash", "amount": 1}}', Body) is None


@pytest.mark.parametrize("count", [PARTS_MAX * 2, BYTES_MAX])
def test_a_huge_body_is_refused_without_looking_at_every_part(count: int) -> None:
    body = b'{"points": 1, "some": [' + b"1," * count + b'"x"]}'
    found = misfit(body, Body)
    assert found is not None
    assert found.path in ("", ".some")


def _as_the_decoder_says(body: str) -> str:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(body, type=Body)
    return str(refused.value)


LABELS = {"points": "积分", "name": "名称", "kind": "种类", "at": "时间"}


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"points": "x"}, "积分"),
        ({"points": "1", "name": "太长的名称"}, "名称"),
        ({"name": "太长的名称"}, "名称"),
        ({"name": "短"}, "积分"),
        ({"points": " "}, "积分"),
        ({"points": "1", "kind": "没有"}, "种类"),
        ({"points": "1", "at": "明天"}, "时间"),
    ],
)
def test_a_form_is_told_the_label_of_its_first_field_that_does_not_fit(fields: dict[str, str], label: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_form(Body, fields, LABELS)
    assert refused.value.values == {"why": label}


def test_a_field_may_be_emptied_only_where_it_may_be_nothing() -> None:
    assert parse_form(Body, {"points": "1", "at": ""}, LABELS, empties=True).at is None
    with pytest.raises(Invalid) as refused:
        parse_form(Body, {"points": "", "at": ""}, LABELS, empties=True)
    assert refused.value.values == {"why": "积分"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"name": "站", "opens_at": "25:00"}, "opens_at: "),
        ({"name": 3}, "name: Expected `str`, got `int`"),
        ({"colour": "red", "name": "站"}, "body: Object contains unknown field `colour`"),
        ({"address": "路"}, "body: Object missing required field `name`"),
    ],
)
async def test_the_api_names_the_field_in_its_answer(
    town: Town, client: httpx.AsyncClient, body: dict[str, Any], detail: str
) -> None:
    answer = await client.post("/api/v1/stations", json=body, headers=await town.sign_in("赵丽"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["detail"].startswith(f"请求的格式不对：{detail}")
    assert " at `" not in answer.json()["detail"]


BROKEN = [
    b"[[[", b'{"name": 3,}', b'{"name": 3, "rows": [', b'{"name": 3}{}', b'{"name": 3, "x": NaN}',
    b'{"name": 3, "\xff": 1}', b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b"[" * 3000 + b"]" * 3000, b'{"name": 3, "x": 1e999}',
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: body[:20].decode("latin-1"))
async def test_a_body_that_does_not_fit_and_is_no_json_further_on_is_refused_as_a_whole(
    town: Town, client: httpx.AsyncClient, body: bytes
) -> None:
    found = misfit(body, Body)
    assert found is not None
    assert found.path in ("", ".name")
    headers = await town.sign_in("赵丽") | {"Content-Type": "application/json"}
    answer = await client.post("/api/v1/stations", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")

"""The conditions of a list, as text and in a real statement."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from timebank.core import database
from timebank.core.database import Filters, most, plan_anew, transaction
from timebank.core.scope import Scope

AT = datetime(2026, 6, 1, tzinfo=UTC)
LAST = UUID(int=7)


def test_without_anything_asked_nothing_is_added() -> None:
    asked = Filters("here")
    asked.add_given("person_id = {}", None)
    asked.add_word("status = {}", None)
    asked.add_after("at, id", "<", None)
    assert (asked.sql, asked.values) == ("", ["here"])


def test_each_value_gets_the_next_parameter() -> None:
    asked = Filters("here", "me")
    asked.add("active")
    asked.add("(person_id = {0} OR witness_id = {0}) AND day < {1}", LAST, AT)
    asked.add_given("EXISTS (SELECT FROM shift WHERE id = {} AND starts_at <= {})", LAST, None)
    assert asked.sql == (
        " AND active AND (person_id = $3 OR witness_id = $3) AND day < $4"
        " AND EXISTS (SELECT FROM shift WHERE id = $5 AND starts_at <= $6)"
    )
    assert asked.values == ["here", "me", LAST, AT, LAST, None]


def test_what_is_false_or_nought_is_asked_for() -> None:
    asked = Filters()
    asked.add_given("active = {}", False)
    asked.add_given("points = {}", 0)
    assert (asked.sql, asked.values) == (" AND active = $1 AND points = $2", [False, 0])


def test_a_page_goes_on_from_its_cursor() -> None:
    asked = Filters("here")
    asked.add_after("at, id", "<", (AT, LAST))
    asked.add_after("code", ">", ("patrol",))
    assert asked.sql == " AND (at, id) < ($2, $3) AND (code) > ($4)"
    assert asked.values == ["here", AT, LAST, "patrol"]


def test_one_of_several_holds_and_an_empty_list_cannot() -> None:
    asked = Filters("here")
    asked.add_any(("person_id = ANY ({})", [LAST]), ("station_id = ANY ({})", []), ("path && {}", [LAST]))
    assert (asked.sql, asked.values) == (" AND (person_id = ANY ($2) OR path && $3)", ["here", [LAST], [LAST]])


def test_who_may_see_nothing_finds_nothing() -> None:
    asked = Filters("here")
    asked.add_any(("person_id = ANY ({})", []))
    assert (asked.sql, asked.values) == (" AND (false)", ["here"])


def test_only_a_word_of_the_program_stands_in_the_text() -> None:
    asked = Filters("here")
    asked.add_word("status = {}", "no_show")
    assert (asked.sql, asked.values) == (" AND status = 'no_show'", ["here"])
    for word in ("", "filed' OR true --", "filed\n", "Filed", "状态", "a" * 41):
        with pytest.raises(ValueError, match="not a word"):
            asked.add_word("status = {}", word)


def test_a_limit_is_a_number() -> None:
    assert most(51) == "51"
    wrong: Any = "1; DELETE"
    with pytest.raises(ValueError, match="invalid literal"):
        most(wrong)


async def test_every_row_is_on_one_page(owner: asyncpg.Connection) -> None:
    """Pages of two over five rows of which three have the same time: none twice, none left out."""
    rows = "(VALUES (1, 'x'), (1, 'y'), (1, 'z'), (2, 'a'), (3, 'b')) AS t (at, id) WHERE at >= $1"
    seen: list[tuple[int, str]] = []
    cursor: tuple[int, str] | None = None
    while True:
        asked = Filters(1)
        asked.add_given("id = ANY ({})", ["x", "y", "z", "a", "b"])
        asked.add_after("at, id", "<", cursor)
        found = await owner.fetch(
            f"SELECT at, id FROM {rows}{asked.sql} ORDER BY at DESC, id DESC LIMIT {most(2)}",  # no input
            *asked.values,
        )
        if not found:
            break
        seen += [(row["at"], row["id"]) for row in found]
        cursor = seen[-1]
    assert seen == [(3, "b"), (2, "a"), (1, "z"), (1, "y"), (1, "x")]


async def test_a_request_keeps_one_plan_until_it_asks_for_new_ones(pool: str) -> None:
    """And the next transaction of the connection begins as the first did. A job gets plans for its values."""
    request = Scope(community_id=uuid4(), session_id=uuid4())
    for _ in range(2):
        async with transaction(request):
            assert await database.fetch_value("SHOW plan_cache_mode") == "force_generic_plan"
            await plan_anew()
            assert await database.fetch_value("SHOW plan_cache_mode") == "auto"
    async with transaction(Scope.of_system(request.community_id)):
        assert await database.fetch_value("SHOW plan_cache_mode") == "auto"

"""What the words of an old book of matters mean: when it came and ended, whether it is done, and of what it is."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from timebank.core import clock
from timebank.imports.cells.problems import Problem
from timebank.imports.kinds.matters.judging import Categories
from timebank.imports.kinds.matters.moments_said import SaidMoment, in_order, said_done, said_moment
from timebank.imports.kinds.matters.states import ended, resident_answer
from timebank.imports.sheets.context import TitleDates
from timebank.matters.categories.categories import CategoryOut
from timebank.matters.categories.defaults import DEFAULTS

NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)  # 10:00
DAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("cell", "minute"),
    [
        (DAY, None), (datetime(2026, 3, 4), None), (datetime(2026, 3, 4, 9, 5), 545), ("2026-03-04", None),  # noqa: DTZ001  # as a spreadsheet has it
        ("2026.3.4", None), ("2026年3月4日", None), ("20260304", None), ("46085", None), ("3月4日", None),
        ("3.4", None),
        ("2026/3/4 15:20", 920), ("2026年3月4日下午3点20分", 920), ("2026-03-04 00:00:00", None),
        ("２０２６－０３－０４", None), ("二〇二六年三月四日", None),
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_spelling_and_an_hour_only_where_one_is_written(cell: Any, minute: int | None) -> None:
    assert said_moment(cell, TitleDates(year=2026)) == SaidMoment(DAY, minute)


def test_done_on_the_same_day_may_be_said_in_a_word() -> None:
    came = SaidMoment(DAY, 600)
    assert said_done("当日办结", TitleDates(), came) == SaidMoment(DAY)
    assert isinstance(said_done("当日", TitleDates(), None), Problem)


@pytest.mark.parametrize(
    ("came", "done", "hours"),
    [
        (SaidMoment(DAY), SaidMoment(DAY), (time(8, 30), time(17, 30))),
        (SaidMoment(DAY, 18 * 60), SaidMoment(DAY), (time(18), time(18))),
        (SaidMoment(DAY), SaidMoment(DAY, 7 * 60), (time(7), time(7))),
        (SaidMoment(date(2026, 11, 18)), SaidMoment(date(2026, 11, 18)), (time(8, 30), time(10))),
        (SaidMoment(DAY), None, (time(8, 30), None)),
    ],
)
def test_a_day_alone_has_a_usual_hour_that_never_turns_the_order_round(
    came: SaidMoment, done: SaidMoment | None, hours: tuple[time, time | None]
) -> None:
    first, last = in_order(came, done, NOW)
    assert isinstance(first, datetime)
    assert clock.local(first).time() == hours[0]
    assert (clock.local(last).time() if isinstance(last, datetime) else last) == hours[1]


@pytest.mark.parametrize(
    ("came", "done", "code"),
    [
        (SaidMoment(DAY, 600), SaidMoment(DAY, 599), "done_before_received"),
        (SaidMoment(DAY), SaidMoment(date(2026, 3, 3)), "done_before_received"),
        (SaidMoment(date(2026, 11, 18), 601), None, "date_future"),
        (SaidMoment(DAY), SaidMoment(date(2026, 11, 19)), "date_future"),
    ],
)
def test_what_cannot_have_been_is_refused(came: SaidMoment, done: SaidMoment | None, code: str) -> None:
    wrong = in_order(came, done, NOW)[1]
    assert isinstance(wrong, Problem)
    assert wrong.code == code


@pytest.mark.parametrize(
    ("words", "has_done", "has_result", "told"),
    [
        (("", "已办结", "办结", "是", "√", "已完成", "处理完毕", "已解决。", "已销号", "闭环"), True, True, "closed"),
        (("", "否", "处理中", "未办结", "尚未解决", "在办", "待派单", "×", "正在协调", "办理中"), False, False, "open"),
        (("未办结", "处理中"), True, False, "matter_done_differs"),
        (("已办结", "是"), False, True, "matter_done_missing"),
        (("",), False, True, "matter_state_missing"),
        (("市局",), False, False, "matter_state_unclear"),
    ],
)
def test_whether_it_is_done(words: tuple[str, ...], has_done: bool, has_result: bool, told: str) -> None:
    for word in words:
        found = ended(word, has_done=has_done, has_result=has_result)
        assert (found if isinstance(found, str) else found[1].code) == told, word


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("非常满意", "很满意", "5星"), (True, 5)), (("满意", "√", "好评"), (True, 4)), (("基本满意",), (True, 3)),
        (("不满意", "否", "差"), (False, 1)), (("", "未回访", "无人接听", "/", "未评价"), None),
    ],
)  # fmt: skip
def test_silence_is_no_answer(words: tuple[str, ...], told: tuple[bool, int] | None) -> None:
    assert {resident_answer(word) for word in words} == {told}
    assert isinstance(resident_answer("98%"), Problem)


def categories(*, other: bool = True) -> Categories:
    return Categories([
        CategoryOut(
            code=one.code, name=one.name, kinds=list(one.kinds), due_days=one.days, due_counts="day", level=one.level,
            unit_id=None, unit=None, team_id=None, team=None, activity_id=None, public=True, staff_only=False,
            needs_photo=False, minutes_max=None, urgent=False, advice="", standard_code=None, active=True,
        )
        for one in DEFAULTS
        if other or one.code != "other"
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("路灯", "street_light"), ("street_light", "street_light"), ("路灯照明", "street_light"), ("窨井盖", "manhole"),
        ("消防", "fire_lane"), ("物业", "property"), ("环境", "category_as_other"), (None, "category_blank"),
        ("停车噪音", "category_ambiguous"), ("代办", "category_as_other"),
    ],
)  # fmt: skip
def test_a_category_is_found_by_its_name_and_never_guessed_of_several(word: str | None, code: str) -> None:
    found = categories().of(word)
    if isinstance(found, Problem):
        assert found.code == code
    else:
        assert (found[1].code if found[1] else found[0].code) == code
    assert isinstance(categories(other=False).of("环境"), Problem)

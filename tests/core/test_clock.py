"""`core.clock` is the only source of time, and ids sort by time."""

from datetime import UTC, date, datetime, timedelta

from timebank.core import clock

NEW_YEAR = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)  # 1 January, midnight, in Shanghai


def test_a_day_is_the_communitys_day() -> None:
    assert clock.local_day(NEW_YEAR) == date(2027, 1, 1)
    begin, end = clock.day_bounds(date(2027, 1, 1))
    assert (begin, (end - begin).total_seconds()) == (NEW_YEAR, 86400)


def test_ids_made_at_one_held_moment_keep_their_order() -> None:
    with clock.at(NEW_YEAR):
        ids = [clock.new_id() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 10_000
    assert {id_.version for id_ in ids} == {7}
    assert {id_.variant for id_ in ids} == {"specified in RFC 4122"}


def test_an_id_tells_when_it_was_made() -> None:
    later = NEW_YEAR + timedelta(days=1)
    with clock.at(later):
        assert clock.new_id().int >> 80 == int(later.timestamp() * 1000)

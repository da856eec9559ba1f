"""The loop from receipt to rating, through the verbs, on a real database."""

from datetime import timedelta

from tests.support.matters import FIRM, MORNING, Ground
from timebank.core import clock
from timebank.matters.reading.one import find_matter


async def test_a_report_goes_from_receipt_to_rating(ground: Ground) -> None:
    receipt = await ground.open()
    assert len(receipt.number) == 8
    assert receipt.due_at == clock.at_local(
        clock.local_day(MORNING) + timedelta(days=2), clock.local(MORNING).time().replace(hour=18, minute=0)
    )
    assert receipt.number in receipt.texts[0]
    await ground.dispatch(receipt.id)
    taken = await ground.take(receipt.id)
    assert (taken.status, taken.unit) == ("accepted", FIRM)
    assert (await ground.finish(receipt.id)).status == "done"
    rated = await ground.rate(receipt.id)
    assert (rated.status, rated.done_days) == ("closed", 0)
    mine = await find_matter(await ground.town.scope("张桂兰"), receipt.id)
    assert [step.verb for step in mine.steps] == ["open", "dispatch", "take", "finish", "rate"]
    confirmed = await ground.confirm(receipt.id)
    assert (confirmed.matter.verified, confirmed.award, confirmed.why) == ("true", None, "no_rule")

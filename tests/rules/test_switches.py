"""A rule of the community that is on or off is shown in words and chosen, not typed."""

import httpx

from tests.support.shop import browser
from tests.support.town import Town


async def test_a_switch_is_on_or_off_in_words(town: Town, client: httpx.AsyncClient) -> None:
    admin = await browser(client, town, "赵丽")
    shown = await admin.see("/admin/policies/pushes_messages")
    assert "现在 关着，默认 关着" in shown
    assert '<input type="radio" name="value" value="1"' in shown
    assert "关着" in await admin.see("/admin/policies")

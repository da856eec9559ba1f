"""What cards offer at a counter: a first card, or a new one for a lost one."""

from timebank.cards.cards import card_to_read
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import said
from timebank.web.offers import CounterButton, Offered, Stand


async def counter_offers(caller: Scope, stand: Stand) -> Offered:
    has = await card_to_read(caller, stand.person_id) is not None
    text = said(_("补办服务卡，原来的作废")) if has else said(_("办服务卡"))
    fields = {"person_id": stand.person_id, "station_id": stand.station_id}
    return Offered(buttons=[CounterButton(path="/desk/cards", text=text, fields=fields, is_quiet=True)])

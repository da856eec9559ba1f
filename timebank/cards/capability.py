"""Cards: printed codes for people without a phone."""

from timebank.core.capability import Capability
from timebank.core.locale import _

CAPABILITY = Capability(
    name="cards",
    tables="timebank.cards.tables",
    api=("timebank.cards.api.Cards",),
    pages=("timebank.cards.pages.counter.CounterCardPages",),
    audit={
        "confirm_card": _("核对了服务卡"),
        "issue_card": _("发了卡"),
        "issue_missing_cards": _("批量发了卡"),
        "revoke_card": _("挂失了卡"),
    },
)

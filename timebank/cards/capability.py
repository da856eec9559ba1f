"""Cards: printed codes for people without a phone."""

from timebank.core.capability import Capability, CounterDone, CounterOffer, InboxKind, MessageKind, PersonColumn
from timebank.core.locale import _

CAPABILITY = Capability(
    name="cards",
    tables="timebank.cards.tables",
    api=("timebank.cards.api.Cards",),
    pages=("timebank.cards.pages.counter.CounterCardPages",),
    done=(
        CounterDone(
            name="card",
            word=_("办卡"),
            select="SELECT id, issued_at, person_id, NULL, issued_by_login, NULL::timestamptz FROM card "
            "WHERE community_id = $1 AND station_id = $2 AND issued_at >= $3",
        ),
    ),
    offers=(CounterOffer(90, "timebank.cards.pages.offers.counter_offers"),),
    inbox=(
        InboxKind(
            noun="card",
            place=30,
            word=_("等另一位核对的卡"),
            icon="person",
            listing="timebank.cards.waiting.listing",
            decidable="timebank.cards.waiting.decidable",
            page="/admin/presence",
        ),
    ),
    people=(PersonColumn("card", "person_id", "settled"),),
    sentences={
        "card.given": _("给您办了一张服务卡。不是您要办的，请马上告诉社区。"),
        "card.given_anew": _("给您办了一张服务卡，原来的卡作废。不是您要办的，请马上告诉社区。"),
        "card.revoked": _("您的服务卡已挂失作废。需要时请到驿站补办。"),
    },
    messages={
        "card": MessageKind(leads="/me/code"),
    },
    audit={
        "confirm_card": _("核对了服务卡"),
        "issue_card": _("发了卡"),
        "issue_missing_cards": _("批量发了卡"),
        "revoke_card": _("挂失了卡"),
    },
    nouns={"card": _("服务卡")},
)

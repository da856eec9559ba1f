"""The manifest of the shop: goods, stock and redemptions."""

from timebank.core.capability import Agreed, Capability, Job, MenuEntry, PersonColumn, Source
from timebank.core.locale import _

CAPABILITY = Capability(
    name="shop",
    tables="timebank.shop.tables",
    api=(
        "timebank.shop.api.Goods",
        "timebank.shop.api.Redemptions",
        "timebank.shop.api.Confirmations",
    ),
    pages=(
        "timebank.shop.pages.goods.GoodsPages",
        "timebank.shop.pages.redemptions.RedemptionPages",
        "timebank.shop.pages.counter.CounterGoodsPages",
        "timebank.shop.pages.shelf.CounterShelfPages",
        "timebank.shop.pages.confirmations.CounterConfirmationPages",
        "admin.goods.PanelGoodsPages",
        "admin.redemptions.PanelRedemptionPages",
        "admin.confirmations.PanelConfirmationPages",
    ),
    menu=(
        MenuEntry(place=70, href="/admin/goods", icon="gift", word=_("物品")),
        MenuEntry(place=80, href="/admin/confirmations", icon="people", word=_("柜台请您同意")),
    ),
    jobs=(Job("expire_redemptions", 60, "timebank.shop.cancelling.expire_redemptions"),),
    invariants="timebank.shop.invariants.SHOP",
    sources=(
        Source(
            noun="redemption",
            entries=("hold", "settle", "void", "reversal", "repayment"),
            holds="SELECT id, entry_id, status = 'reserved' AS is_open FROM redemption WHERE community_id = $1",
        ),
    ),
    statement={
        "redemption:hold": _("预留物品"),
        "redemption:void": _("取消预留"),
        "redemption:reversal": _("退货"),
    },
    memos={
        "good_reserved": _("{good} {quantity} {unit:word} · {station}"),
        "good_collected": _("{good} {quantity} {unit:word} · {station}"),
        "good_returned": _("退货：{good} {quantity} {unit:word}"),
        "reservation_cancelled": _("取消预留：{good} {quantity} {unit:word}"),
        "reservation_expired": _("预留过期：{good} {quantity} {unit:word}"),
    },
    agreed=(
        Agreed("timebank.shop.returns.RETURN", "timebank.shop.returns.return_agreed"),
        Agreed("timebank.shop.stock.COUNT", "timebank.shop.stock.count_agreed"),
        Agreed("timebank.shop.goods.GOOD_TERMS"),
    ),
    stories=("timebank.demo.supplies.deliveries",),
    people=(
        PersonColumn("redemption", "person_id", "moves"),
        PersonColumn("counter_confirmation", "person_id", "stays"),
    ),
    vouched="SELECT person_id, decided_at FROM counter_confirmation WHERE community_id = $1 AND status = 'agreed'",
    audit={
        "add_good": _("新增了物品"),
        "agree_confirmation": _("同意了柜台的请求"),
        "ask_confirmation": _("在柜台请人同意"),
        "cancel": _("取消了"),
        "change_good": _("修改了物品"),
        "collect": _("领取了兑换"),
        "count_stock": _("盘点了库存"),
        "expire": _("让预留到期"),
        "receive": _("收了货"),
        "refuse_confirmation": _("没有同意柜台的请求"),
        "reserve": _("预留了物品"),
        "return_goods": _("收回了退货"),
        "set_photo": _("换了物品照片"),
    },
    nouns={
        "counter_confirmation": _("柜台的请求"),
        "good": _("物品"),
        "redemption": _("兑换"),
    },
    panel={"good": "/admin/goods/", "redemption": "/admin/goods/redemptions/"},
)

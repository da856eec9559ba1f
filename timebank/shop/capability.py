"""The manifest of the shop: goods, stock and redemptions."""

from timebank.core.capability import (
    Agreed,
    Capability,
    CounterDone,
    CounterLine,
    CounterOffer,
    Exported,
    Finder,
    InboxKind,
    Job,
    MenuEntry,
    MessageKind,
    PersonColumn,
    ResidentAct,
    ResidentPart,
    Source,
)
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
        "admin.acting_for.PanelReservationPages",
        "admin.confirmations.PanelConfirmationPages",
    ),
    menu=(
        MenuEntry(place=70, href="/admin/goods", icon="gift", word=_("物品")),
        MenuEntry(place=80, href="/admin/confirmations", icon="people", word=_("柜台请您同意")),
    ),
    inbox=(
        InboxKind(
            noun="counter_confirmation",
            place=60,
            word=_("柜台请您同意"),
            icon="people",
            listing="timebank.shop.confirmations.waiting.listing",
            decidable="timebank.shop.confirmations.waiting.decidable",
            page="/admin/confirmations",
            hint=_("有人在柜台等着"),
        ),
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
    agreed=(
        Agreed("timebank.shop.returns.RETURN", "timebank.shop.returns.return_agreed"),
        Agreed("timebank.shop.shelves.stock.COUNT", "timebank.shop.shelves.stock.count_agreed"),
        Agreed("timebank.shop.goods.GOOD_TERMS"),
    ),
    stories=("timebank.demo.supplies.deliveries",),
    people=(
        PersonColumn("redemption", "person_id", "moves"),
        PersonColumn("counter_confirmation", "person_id", "stays"),
    ),
    vouched="SELECT person_id, decided_at FROM counter_confirmation WHERE community_id = $1 AND status = 'agreed'",
    sentences={
        "good_withdrawn": _("{good}以后不再兑换了。您已经预留的还在{station}，请在{until:moment}前领取。"),
        "redemption_collected": _("您在{station}领取了{what}，用去 {points} 分。如果不是您本人领取，请马上告诉社区。"),
        "redemption_cancelled": _("您取消了预留的{what}，{back}。"),
        "redemption_cancelled.by_station": _("{station}取消了您预留的{what}，{back}。"),
        "redemption_expired": _("您预留的{what}过了保留期没有领取，{back}。"),
        "redemption_expired.again": _("您预留的{what}过了保留期没有领取，{back}。需要时可以再兑换。"),
        "redemption_returned": _("您领取的{what}已退货，{back}。原因：{reason}。有疑问请找{station}。"),
        "hand_over_undone": _("{station}撤销了刚才的领取：{what}，{back}。不是您交回了物品的，请马上告诉社区。"),
        "confirmation_waits": _(
            "{station}的柜台请您今天决定：{person}领取{good} {quantity} {unit}。"
            "请在管理页面「柜台请您同意」或柜台「请另一位同意的」里看。"
        ),
        "reserved_for": _(
            "社区工作人员替{person}在{station}预留了{what}，{points} 分，原因：{reason}。"
            "请本人带手机或卡在{until:moment}前领取；不需要的，可以自己取消。"
        ),
        "spent_by_agreement": _(
            "工作人员没有扫码，经另一位工作人员同意，用您家的积分当场交付了物品。不是您家人领取的，请马上告诉社区。"
        ),
        "entry.good_reserved": _("{good} {quantity} {unit:word} · {station}"),
        "entry.good_collected": _("{good} {quantity} {unit:word} · {station}"),
        "entry.good_returned": _("退货：{good} {quantity} {unit:word}"),
        "entry.reservation_cancelled": _("取消预留：{good} {quantity} {unit:word}"),
        "entry.reservation_expired": _("预留过期：{good} {quantity} {unit:word}"),
    },
    messages={
        "good_withdrawn": MessageKind(leads="/redemptions/{id}", otherwise="/redemptions", waits=True, until="until"),
        "redemption_collected": MessageKind(leads="/redemptions/{id}", otherwise="/redemptions"),
        "redemption_cancelled": MessageKind(leads="/redemptions/{id}", otherwise="/redemptions"),
        "redemption_expired": MessageKind(leads="/redemptions/{id}", otherwise="/redemptions"),
        "redemption_returned": MessageKind(leads="/redemptions/{id}", otherwise="/redemptions"),
        "hand_over_undone": MessageKind(leads="/redemptions/{id}", otherwise="/redemptions"),
        "confirmation_waits": MessageKind(leads="/admin/confirmations", otherwise="/desk/confirmations", waits=True),
        "reserved_for": MessageKind(leads="/redemptions/{id}", otherwise="/redemptions", waits=True, until="until"),
        "spent_by_agreement": MessageKind(leads="/redemptions"),
    },
    found_by=(Finder(place=20, word=_("物品"), verb="timebank.shop.exported.found.goods_found"),),
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
        "reserve_for": _("替居民预留了物品"),
        "return_goods": _("收回了退货"),
        "set_good_cost": _("登记了物品的成本"),
        "set_photo": _("换了物品照片"),
        "undo_hand_over": _("撤销了刚才的交付"),
    },
    nouns={
        "counter_confirmation": _("柜台的请求"),
        "good": _("物品"),
        "redemption": _("兑换"),
    },
    exported=(
        Exported(
            name="goods",
            word=_("物品名单"),
            rows="timebank.shop.exported.rows.good_rows",
            headings=("物品名称", "单位", "所需积分", "每户每月限兑", "兑换站点", "库存"),
        ),
        Exported(
            name="redemptions",
            word=_("兑换名单"),
            rows="timebank.shop.exported.rows.redemption_rows",
            of_people=True,
            headings=("预留时间", "姓名", "物品", "数量", "单位", "积分", "驿站", "状态", "结束时间"),
            filters=("status", "station", "person_id"),
        ),
    ),
    done=(
        CounterDone(
            name="hand_over",
            word=_("领取"),
            undo="/desk/redemptions/{id}",
            panel="/admin/goods/redemptions/{id}",
            select="SELECT r.id, r.ended_at, r.person_id, concat_ws(' ', g.name, r.quantity, g.unit), "
            "r.ended_by_login, "
            "CASE WHEN r.status = 'collected' THEN r.ended_at END FROM redemption r "
            "JOIN good g ON g.community_id = r.community_id AND g.id = r.good_id WHERE r.community_id = $1 "
            "AND r.station_id = $2 AND r.ended_at >= $3 AND r.status IN ('collected', 'returned')",
        ),
        CounterDone(
            name="confirmation",
            word=_("核对了本人"),
            select="SELECT c.id, c.decided_at, c.person_id, concat_ws(' ', g.name, c.quantity, g.unit), "
            "c.decided_by_login, NULL::timestamptz FROM counter_confirmation c "
            "JOIN good g ON g.community_id = c.community_id AND g.id = c.good_id WHERE c.community_id = $1 "
            "AND c.station_id = $2 AND c.decided_at >= $3 AND c.status = 'agreed'",
        ),
    ),
    lines=(CounterLine(20, "timebank.shop.pages.lines.low_stock"),),
    offers=(CounterOffer(20, "timebank.shop.pages.counter.counter_offers"),),
    counter={"redemption": "/desk/redemptions"},
    panel={"good": "/admin/goods/", "redemption": "/admin/goods/redemptions/"},
    resident_acts=(ResidentAct(place=10, word=_("代为预留物品"), href="/admin/people/{id}/reservation", icon="gift"),),
    resident_parts=(
        ResidentPart(
            name="redemptions",
            place=30,
            word=_("兑换"),
            template="people/parts/redemptions.html",
            on_paper=True,
            read="timebank.shop.reading.redemptions_of_resident",
        ),
    ),
)

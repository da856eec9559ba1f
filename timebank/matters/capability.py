"""The manifest of matters."""

from timebank.core.capability import (
    Agreed,
    Capability,
    CounterLine,
    CounterOffer,
    Delivery,
    InboxKind,
    Job,
    MenuEntry,
    MessageKind,
    PersonColumn,
    Pictured,
    ResidentPart,
    Workplace,
)
from timebank.core.locale import _
from timebank.matters.wishes.done import WISHES_DONE

_OWN = MessageKind(leads="/matters/{id}", otherwise="/matters")
_TO_DO = MessageKind(leads="/matters/{id}", otherwise="/matters", waits=True)

CAPABILITY = Capability(
    name="matters",
    switch=True,
    switched_on="timebank.matters.categories.categories.switched_on",
    tables="timebank.matters.tables",
    api=(
        "timebank.matters.api.matters.MatterCategories",
        "timebank.matters.api.matters.Matters",
        "timebank.matters.api.matters.MatterFigures",
        "timebank.matters.api.board.read_board_matters",
        "timebank.matters.api.board.read_board_figures",
        "timebank.matters.api.verbs.MatterVerbs",
        "timebank.matters.api.wishes.WishVerbs",
    ),
    pages=(
        "timebank.matters.pages.reporting.ReportPages",
        "timebank.matters.pages.ordering.OrderPages",
        "timebank.matters.pages.ordering.WishPages",
        "timebank.matters.pages.mine.MatterPages",
        "timebank.matters.pages.desk.CounterMatterPages",
        "timebank.matters.pages.gifts.CounterWishPages",
        "timebank.matters.pages.board.BoardMatterPages",
        "admin.matter_figures.PanelMatterFigurePages",
        "admin.matter_categories.PanelMatterCategoryPages",
        "admin.matters.PanelMatterPages",
        "timebank.matters.pages.worker.GridPages",
        "timebank.matters.pages.unit.UnitPages",
    ),
    agreed=(
        Agreed(
            "timebank.matters.categories.loosening.LOOSER_CATEGORY",
            "timebank.matters.categories.categories.set_agreed_category",
            "timebank.matters.categories.categories.category_in_force",
        ),
        Agreed("timebank.matters.categories.loosening.CATEGORY_BEFORE"),
    ),
    menu=(
        MenuEntry(place=35, href="/admin/matters", icon="note", word=_("事项"), context="many"),
        MenuEntry(place=36, href="/admin/figures/matters", icon="chart", word=_("办结情况")),
    ),
    workplaces=(
        Workplace(place=25, href="/worker", icon="list", word=_("今日"), who="grids"),
        Workplace(place=27, href="/unit", icon="station", word=_("单位工作台"), who="contacts"),
    ),
    inbox=(
        InboxKind(
            noun="matter",
            place=25,
            word=_("事项"),
            context="many",
            icon="note",
            listing="timebank.matters.reading.waiting.listing",
            decidable="timebank.matters.reading.waiting.decidable",
            hint=_("派单、核实"),
        ),
    ),
    panel={"matter": "/admin/matters/"},
    resident_parts=(
        ResidentPart(
            name="matters",
            place=45,
            word=_("事项"),
            context="many",
            template="people/parts/matters.html",
            read="timebank.matters.reading.residents.matters_of_resident",
        ),
    ),
    origins={"matter": "/matters/", "matter_helper": "/matters/helped/"},
    deliveries=(
        Delivery(kind="matter_moves", verb="timebank.matters.moving.arriving.open_moved", word=_("转到别的社区的事项")),
        Delivery(
            kind="matter_arrived",
            verb="timebank.matters.moving.returning.note_new_number",
            word=_("转走的事项的新编号"),
        ),
        Delivery(
            kind="matter_moved_news", verb="timebank.matters.moving.returning.pass_on_news", word=_("转走的事项的结果")
        ),
    ),
    jobs=(
        Job("count_matters", 60, "timebank.matters.figures.counting.count_matters"),
        Job("draw_spot_checks", 3600, "timebank.matters.checks.drawing.draw_spot_checks"),
        Job("urge_matters", 300, "timebank.matters.jobs.urging.urge_matters"),
        Job("close_silent_matters", 3600, "timebank.matters.jobs.silence.close_silent_matters"),
        Job("forget_matter_text", 86_400, "timebank.matters.jobs.purging.purge_matter_texts"),
    ),
    invariants="timebank.matters.invariants.MATTERS",
    offers=(CounterOffer(40, "timebank.matters.pages.offers.counter_offers"),),
    lines=(CounterLine(30, "timebank.matters.pages.gifts.gifts_line"),),
    counter={"matter": "/desk/wishes/pickup"},
    done=WISHES_DONE,
    pictured=(
        Pictured(
            noun="matter",
            stages=("before", "after"),
            page="/matters/",
            see="timebank.matters.photos.see",
            lock="timebank.matters.photos.lock",
            add="timebank.matters.photos.photo_adding_refusal",
            clear="timebank.matters.photos.photo_publishing_refusal",
            closed="timebank.matters.photos.CLOSED",
        ),
    ),
    people=(
        PersonColumn("matter", "reporter_id", "moves"),
        PersonColumn("matter", "for_person_id", "moves"),
        PersonColumn("matter", "assignee_id", "moves"),
        PersonColumn("matter_helper", "person_id", "moves"),
        PersonColumn("matter_follow", "person_id", "moves"),
        PersonColumn("matter_step", "person_id", "stays"),
    ),
    refers_to={"area": "SELECT area_id FROM matter WHERE community_id = $1"},
    hooks={"orders_in_month": "timebank.matters.helped.orders_in_month"},
    sentences={
        "matter_received": _("您的事项 {number}（{category:word}）收到了，最晚 {due:moment} 前办好。"),
        "matter_to_dispatch": _("有一件事等您派单：{category:word}，{grid}，编号 {number}，{due:moment} 前要办好。"),
        "matter_to_dispatch.handed": _("转来一件事等您派单：{category:word}，{grid}，编号 {number}。说明：{reason}"),
        "matter_to_dispatch.waits": _("{category:word}（{grid}，编号 {number}）收到两个小时了，还没有派单，请尽快派。"),
        "matter_to_dispatch.untaken": _("微心愿（编号 {number}）一直没有人接，退回给您，请另想办法。"),
        "matter_yours": _("有一件事派给您：{category:word}，{grid}，编号 {number}，{due:moment} 前要办好。请接单。"),
        "matter_offered": _("有一件事等人来帮忙：{category:word}，{grid}。愿意的话请接单。"),
        "matter_taken": _("您的事项 {number}（{category:word}）有志愿者接了。"),
        "matter_taken.unit": _("您的事项 {number}（{category:word}）由{unit}接了。"),
        "matter_given_up": _("{category:word}（编号 {number}）的承办人放弃了，在等人重新接。原因：{reason}"),
        "matter_returned": _("{category:word}（编号 {number}）被退回，请重新派单。原因：{reason}"),
        "matter_returned.final": _(
            "{category:word}（编号 {number}）退回次数到了，请您定由谁办，这次不能再退。原因：{reason}"
        ),
        "matter_question": _("承办您事项 {number}（{category:word}）的人问：{text}"),
        "matter_answer": _("{category:word}（编号 {number}）的反映人回答：{text}"),
        "matter_postponed": _("您的事项 {number}（{category:word}）延到 {until:moment}。原因：{reason}"),
        "matter_done": _("您的事项 {number}（{category:word}）办好了吗？请点开说一声：好了，还是没有。"),
        "wish_waits": _(
            "您的心愿（编号 {number}）有人送来了，在{station}。凭取货码 {code} 领取，{until:moment} 以前有效。"
        ),
        "wish_waits.undone": _(
            "{station}刚才记错了：您的心愿（编号 {number}）的物品还没有送到，取货码作废，送到了再告诉您。"
        ),
        "wish_collected": _("您的心愿（编号 {number}）的物品在{station}领走了。不是您家人领的，请马上告诉社区。"),
        "wish_collected.giver": _("您送来的心愿物品（编号 {number}）已经被领走了，谢谢您的心意。"),
        "wish_received": _("您送来的心愿物品（编号 {number}），{station}收下了，谢谢您。领走以后再告诉您。"),
        "wish_received.back": _(
            "{station}刚才记错了：您送来的心愿物品（编号 {number}）还没有被领走，领走以后再告诉您。"
        ),
        "wish_waits.given_back": _(
            "您的心愿（编号 {number}）的物品在{station}过了期限没有人来领，已经还给送来的人，取货码作废。"
            "还想要的话，请告诉社区。"
        ),
        "wish_received.given_back": _(
            "您送来的心愿物品（编号 {number}）一直没有人来领，{station}说已经还给您了。您没有拿到的话，请马上告诉社区。"
        ),
        "matter_to_dispatch.uncollected": _(
            "微心愿（编号 {number}）的物品没有人来领，{station}还给了送来的人。请问清还要不要，再派单或不办理。"
        ),
        "wish_received.undone": _("{station}刚才记错了：编号 {number} 的心愿物品没有收下，请送到驿站交给站长。"),
        "matter_closed": _("您的事项 {number}（{category:word}）已结束。还没有解决的话，{days} 天内可以要求重办。"),
        "matter_rated": _("{category:word}（编号 {number}）评价了：{stars} 星。"),
        "matter_reopened": _("{category:word}（编号 {number}）没有解决，重新办理。说明：{reason}"),
        "matter_refused": _("您的事项 {number}（{category:word}）不办理：{because:word}。说明：{reason}"),
        "matter_moved": _("您反映的事（编号 {number}）在{community}，已转过去，那边的编号是 {there}。"),
        "matter_moved.soon": _(
            "您反映的事 {number}（{category:word}）在{community}，正转过去，那边的编号随后告诉您。说明：{reason}"
        ),
        "matter_moved.done": _("您反映的事转到{community}（编号 {there}），那边说办好了。"),
        "matter_moved.refused": _(
            "您反映的事转到{community}（编号 {there}），那边不办理。想知道原因，请打电话说编号。"
        ),
        "matter_to_dispatch.corrected": _(
            "一件事改到了您这边：{category:word}，{grid}，编号 {number}，期限不变。说明：{reason}"
        ),
        "matter_to_dispatch.back": _(
            "转走的事又回来了：{category:word}，{grid}，编号 {number}，{community}说不在那里。"
            "期限还是 {due:moment}，请定由谁办。"
        ),
        "matter_moved.back": _(
            "您反映的事（编号 {number}）{community}说不在那里，转回来接着办，最晚还是 {due:moment} 前办好。"
        ),
        "matter_corrected": _("您的事项 {number}（{category:word}）的地点改成了{grid}，期限不变。说明：{reason}"),
        "matter_corrected.handler": _("您承办的 {number}（{category:word}）的地点改成了{grid}。"),
        "matter_corrected.away": _("{category:word}（编号 {number}）不在您的网格，改到了{grid}。说明：{reason}"),
        "matter_merged": _(
            "您的事项 {number}（{category:word}）和更早的 {other} 是同一件，并到那里一起办，{due:moment} 前办好。"
        ),
        "matter_untrue": _(
            "您的事项 {number}（{category:word}）核实后不属实，不同意的话请找社区管理员。说明：{reason}"
        ),
        "matter_soon": _("{category:word}（编号 {number}）快到期了：{due:moment}。"),
        "matter_urged": _("催办：{category:word}（{grid}，编号 {number}）过了期限 {due:moment}，请马上办。"),
        "matter_urged.again": _(
            "督办：{category:word}（{grid}，编号 {number}）过了期限 {due:moment} 还没有办好，请过问。"
        ),
        "matter_urged.third": _(
            "督办：{category:word}（{grid}，编号 {number}）超期第三个工作日，已列入街道和县里的名单。"
        ),
    },
    messages={
        "matter_received": _OWN,
        "matter_to_dispatch": _TO_DO,
        "matter_yours": _TO_DO,
        "matter_offered": _OWN,
        "matter_taken": _OWN,
        "matter_given_up": _TO_DO,
        "matter_returned": _TO_DO,
        "matter_question": _TO_DO,
        "matter_answer": _OWN,
        "matter_postponed": _OWN,
        "matter_done": _TO_DO,
        "matter_closed": _OWN,
        "wish_waits": MessageKind(leads="/matters/{id}", otherwise="/matters", waits=True, until="until"),
        "wish_waits.undone": _OWN,
        "wish_waits.given_back": _OWN,
        "wish_collected": _OWN,
        "wish_received": _OWN,
        "matter_rated": _OWN,
        "matter_reopened": _TO_DO,
        "matter_refused": _OWN,
        "matter_corrected": _OWN,
        "matter_merged": _OWN,
        "matter_moved": _OWN,
        "matter_untrue": _OWN,
        "matter_soon": _TO_DO,
        "matter_urged": _TO_DO,
    },
    audit={
        "answer_matter": _("回答了承办人"),
        "ask_matter": _("向反映人提问"),
        "check_matter": _("抽查了事项"),
        "collect_wish": _("交付了心愿物品"),
        "receive_wish": _("收下了心愿物品"),
        "give_back_gift": _("把没有人领的心愿物品还给了送来的人"),
        "renew_wish": _("给心愿物品续了期"),
        "undo_wish_collection": _("撤销了心愿物品的交付"),
        "undo_wish_receipt": _("撤销了收下心愿物品"),
        "close_matter": _("无人回应，事项自动结束"),
        "confirm_matter": _("核实了事项"),
        "matter_came_back": _("事项从别的社区转回来了"),
        "correct_area": _("改正了事项的地点"),
        "dispatch_matter": _("派了单"),
        "finish_matter": _("办结了事项"),
        "forget_matters": _("清空了旧事项的文字"),
        "give_up_matter": _("放弃了接的事项"),
        "hand_down_matter": _("把事项交下一级"),
        "hand_up_matter": _("把事项上报上一级"),
        "import_matter": _("从旧台账录入了事项"),
        "end_booked": _("按后来的台账了结了事项"),
        "reopen_booked": _("撤回了后来的台账，事项接着等派单"),
        "merge_matter": _("合并了事项"),
        "open_matter": _("提交了事项"),
        "postpone_matter": _("给事项延期"),
        "publish_matter": _("公开了事项"),
        "put_category": _("改了事项类别"),
        "rate_matter": _("评价了事项"),
        "read_matter": _("查看了事项的反映人"),
        "refuse_matter": _("不办理事项"),
        "reopen_matter": _("要求重办事项"),
        "return_matter": _("退回了事项"),
        "take_matter": _("接了单"),
        "urge_matter": _("催办了事项"),
        "untaken_matter": _("心愿无人接，退回"),
        "withdraw_matter": _("撤回了事项"),
        "withdraw_matters": _("撤回了录入的旧台账事项"),
    },
    nouns={"matter": _("邻里事项"), "matter_helper": _("帮忙"), "matter_category": _("事项类别")},
    stories=("timebank.demo.neighbourhood.matters.matters_of_year",),
)

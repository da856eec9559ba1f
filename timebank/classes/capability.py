"""The manifest of the classes capability: courses, lessons, bookings and children's class minutes."""

from timebank.core.capability import (
    Agreed,
    Capability,
    CounterDone,
    CounterOffer,
    Finder,
    Job,
    MenuEntry,
    MessageKind,
    PersonColumn,
    ResidentAct,
    ResidentPart,
    Reversal,
    Source,
)
from timebank.core.locale import _

CAPABILITY = Capability(
    name="classes",
    tables="timebank.classes.tables",
    api=(
        "timebank.classes.api.Courses",
        "timebank.classes.api.Lessons",
        "timebank.classes.api.ClassHours",
        "timebank.classes.api.Bookings",
    ),
    pages=(
        "timebank.classes.pages.classes.ClassPages",
        "timebank.classes.pages.counter.CounterClassPages",
        "admin.classes.PanelClassPages",
        "admin.classes.PanelLessonPages",
        "admin.acting_for.PanelBookingPages",
    ),
    menu=(MenuEntry(place=90, href="/admin/classes", icon="book", word=_("课程")),),
    jobs=(
        Job("finish_stopped", 60, "timebank.classes.stopping.cancel_lessons_of_stopped"),
        Job("close_lessons", 60, "timebank.classes.attendance.close_lessons"),
        Job("refund_ended", 60, "timebank.classes.stopping.refund_ended"),
        Job("tell_of_stops", 60, "timebank.classes.stopping.notify_stopped"),
        Job("fill_seats", 60, "timebank.classes.seats.fill_seats"),
        Job("remind_of_class_ends", 3600, "timebank.classes.class_time.endings.remind_of_class_ends"),
        Job("tell_of_last_days", 3600, "timebank.classes.class_time.endings.notify_last_days"),
        Job("expire_class_minutes", 3600, "timebank.classes.class_time.endings.expire_class_minutes"),
    ),
    invariants="timebank.classes.invariants.CLASSES",
    sources=(
        Source(
            noun="booking",
            entries=("hold", "settle", "void", "reversal", "repayment"),
            holds="SELECT id, entry_id, status = 'held' AS is_open FROM booking WHERE community_id = $1",
            # An attendance that is undone holds the same minutes again.
            held_anew="SELECT h.entry_id FROM undone_act u JOIN transfer h ON h.community_id = u.community_id "
            "AND h.source_id = u.noun_id AND h.source_kind = 'booking' AND h.kind = 'hold' "
            "WHERE u.community_id = $1 AND u.kind = 'attend'",
        ),
        Source(
            noun="class_purchase",
            entries=("purchase", "refund", "move", "expiry", "reversal", "repayment"),
            reversal=Reversal(
                ("expiry",), "timebank.classes.class_time.expiry_reversal.reverse_class_expiry", of="entry"
            ),
        ),
    ),
    statement={
        "purchase": _("兑换课时"),
        "refund": _("课时退回积分"),
        "move": _("课时转到别的课"),
        "booking:hold": _("预约课程"),
        "booking:settle": _("上课"),
        "booking:void": _("取消预约"),
    },
    agreed=(
        Agreed("timebank.classes.courses.COURSE_TERMS"),
        Agreed("timebank.classes.courses.LESSON_TERMS"),
    ),
    people=(
        PersonColumn("class_purchase", "guardian_id", "moves"),
        PersonColumn("class_purchase", "child_id", "moves"),
        PersonColumn("booking", "guardian_id", "moves"),
        PersonColumn("booking", "child_id", "moves"),
    ),
    sentences={
        "attendance_undone": _(
            "{station}撤销了刚才记的到课：{child}，{course}，{at:at}。{minutes:minutes}课时还留着，到课码换了新的。"
            "不对的话请马上告诉社区。"
        ),
        "booking_attended": _(
            "{child}来上了《{course}》{at:moment}那一节，用去 {minutes} 分钟课时。没有去的话，请找{station}更正。"
        ),
        "booking_cancelled": _(
            "{child}约的《{course}》{at:moment}那一节取消了，没有用去课时。不是您要取消的，请找{station}。"
        ),
        "booking_cancelled.returned": _(
            "{child}约的《{course}》{at:moment}那一节取消了，课时{back}。不是您要取消的，请找{station}。"
        ),
        "booking_closed.waited": _("《{course}》这一节没有等到空位，候补已结束。没有用去课时。"),
        "booking_closed.missed": _(
            "{child}没有来上《{course}》，已用去 {minutes} 分钟课时。如果来过，请找{station}更正。"
        ),
        "booked_for": _(
            "社区工作人员替{child}约了《{course}》{at:moment}那一节，在{station}，用 {minutes} 分钟课时，"
            "原因：{reason}。不需要的，开课前都可以取消。"
        ),
        "booking_seated": _("《{course}》{at:moment}那节有位了，{child}已候补上，请准时来上课。"),
        "class_ending": _(
            "《{course}》{day:day}结课，{child}还有 {minutes} 分钟课时没有用，也没有约。{then:sentences}"
        ),
        "class_ending_lost": _("付的积分到那时已经过期，退不回来：请在结课前用完，或转到别的课。"),
        "class_ending_refund": _("到时没用完的会自动退回 {points} 积分。"),
        "class_ending_refund.until": _("到时没用完的会自动退回 {points} 积分，请在{until:day}结束前使用。"),
        "class_expired": _("《{course}》已结课，{child}没用的 {minutes} 分钟课时到期了：付的积分也已过期，退不回来。"),
        "class_expiry_reversed": _(
            "《{course}》{child}到期的 {minutes} 分钟课时已撤回到期，现在又可以用了。原因：{reason}。"
        ),
        "class_moved": _(
            "{child}的 {minutes} 分钟课时从《{left}》转到了《{entered}》，"
            "按原来付的 {points} 积分折成 {arrived} 分钟。{why:sentences}"
        ),
        "class_moved.until": _(
            "{child}的 {minutes} 分钟课时从《{left}》转到了《{entered}》，"
            "按原来付的 {points} 积分折成 {arrived} 分钟，最晚用到{until:day}。{why:sentences}"
        ),
        "class_refunded": _(
            "《{course}》{child}没用的 {minutes} 分钟课时已退回 {points} 积分，回到付分的家长的账户。{why:sentences}"
        ),
        "class_refunded.yours": _(
            "《{course}》{child}没用的 {minutes} 分钟课时已退回 {points} 积分，{yours:clauses}。{why:sentences}"
        ),
        "refunded.all": _("已回到您的账户"),
        "refunded.part": _("其中 {points} 分已回到您的账户"),
        "refunded.until": _("请在{until:day}结束前使用"),
        "refunded.repaid": _("{points:points}补还了欠账"),
        "course_changed": _("《{course}》{news:clauses}。{why:sentences}没用的课时可以退回积分，也可以转到别的课。"),
        "course_changed_teacher": _("老师从{old}改成{new}"),
        "course_changed_station": _("上课地点从{old}改成{new}"),
        "course_changed_end": _("结课日从{old:day}改成{new:day}"),
        "course_over": _("课程已结课"),
        "course_stops": _("课程停开"),
        "course_stops.because": _("课程停开，{reason}"),
        "course_stopped": _(
            "《{course}》停开了。{why:sentences}{child}还有 {minutes} 分钟课时现在退不回积分，可以转到别的课。"
            "有疑问请到社区问。"
        ),
        "course_stopped.until": _(
            "《{course}》停开了。{why:sentences}{child}还有 {minutes} 分钟课时现在退不回积分，可以转到别的课，"
            "请在{until:day}结束前办。有疑问请到社区问。"
        ),
        "lesson_cancelled": _("{child}约的《{course}》{at:moment}那一节停课了。{why:sentences}"),
        "lesson_cancelled.returned": _("{child}约的《{course}》{at:moment}那一节停课了，课时{back}。{why:sentences}"),
        "lesson_moved": _(
            "《{course}》从 {old:span} 改到 {new:span}。{more:sentences}位子留着；来不了，开课前都可以取消，课时退回。"
        ),
        "lesson_clashes": _("这和{child}约的《{other}》时间重了，请取消一节。"),
        "entry.class_bought": _("《{course}》课时 {minutes} 分钟，每 60 分钟 {per_hour} 分，共 {points} 分"),
        "entry.class_refunded": _("《{course}》没用的课时退回积分"),
        "entry.class_refunded_because": _("《{course}》没用的课时退回积分：{reason}"),
        "entry.class_refunded_at_end": _("《{course}》没用的课时退回积分：课程已结课"),
        "entry.class_refunded_at_stop": _("《{course}》没用的课时退回积分：课程停开"),
        "entry.class_refunded_at_stop_because": _("《{course}》没用的课时退回积分：课程停开，{reason}"),
        "entry.class_moved": _("课时从《{left}》转到《{entered}》"),
        "entry.class_expired": _("《{course}》课时到期"),
        "entry.class_expiry_reversed": _("撤回到期 · 《{course}》课时：{reason}"),
        "entry.lesson_booked": _("《{course}》{starts:moment} · {station}"),
        "entry.attendance_undone": _("到课撤销 · {course}"),
        "entry.lesson_attended": _("《{course}》{minutes} 分钟 · {station}"),
        "entry.booking_cancelled": _("取消约课：《{course}》"),
        "entry.lesson_cancelled": _("《{course}》停课"),
    },
    messages={
        "attendance_undone": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes"),
        "booking_attended": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes"),
        "booking_cancelled": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes"),
        "booking_closed": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes"),
        "booked_for": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes", waits=True, until="at"),
        "booking_seated": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes", waits=True, until="at"),
        "class_ending": MessageKind(leads="/classes/{id}", otherwise="/classes", waits=True, until="day"),
        "class_expired": MessageKind(leads="/classes/{id}", otherwise="/classes"),
        "class_expiry_reversed": MessageKind(leads="/classes/{id}", otherwise="/classes"),
        "class_moved": MessageKind(leads="/classes"),
        "class_refunded": MessageKind(leads="/statement"),
        "course_changed": MessageKind(leads="/classes/{id}", otherwise="/classes"),
        "course_stopped": MessageKind(leads="/classes/{id}", otherwise="/classes", waits=True),
        "lesson_cancelled": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes"),
        "lesson_moved": MessageKind(leads="/classes/bookings/{id}", otherwise="/classes"),
    },
    found_by=(Finder(place=30, word=_("课程"), verb="timebank.classes.courses.courses_found"),),
    audit={
        "add_course": _("新增了课程"),
        "add_lesson": _("新增了一节课"),
        "attend": _("登记了上课"),
        "undo_attend": _("撤销了刚才的到课"),
        "book": _("约了课"),
        "book_for": _("替居民约了课"),
        "buy_class_hours": _("购买了课时"),
        "cancel": _("取消了"),
        "change_course": _("修改了课程"),
        "change_lesson": _("修改了一节课"),
        "close": _("结束了约课"),
        "expire_class_hours": _("让课时到期"),
        "move_class_hours": _("换了课"),
        "refund_class_hours": _("退了课时"),
        "reverse_class_expiry": _("撤回了课时到期"),
        "seat": _("排到了座位"),
        "stop_course": _("停开了课程"),
    },
    child_lists={"bookings": _("约课名单"), "counter": _("柜台")},
    nouns={
        "booking": _("约课"),
        "class_purchase": _("课时"),
        "course": _("课程"),
        "lesson": _("课"),
    },
    done=(
        CounterDone(
            name="attend",
            word=_("到课"),
            undo="/desk/bookings/{id}/undo",
            select="SELECT b.id, b.ended_at, b.child_id, c.title, b.ended_by_login, b.ended_at "
            "FROM booking b "
            "JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id "
            "JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id WHERE b.community_id = $1 "
            "AND c.station_id = $2 AND b.ended_at >= $3 AND b.status = 'attended'",
        ),
    ),
    offers=(CounterOffer(30, "timebank.classes.pages.counter.counter_offers"),),
    counter={"booking": "/desk/bookings"},
    panel={"course": "/admin/classes/"},
    resident_acts=(ResidentAct(place=20, word=_("代为约课"), href="/admin/people/{id}/booking", icon="calendar"),),
    resident_parts=(
        ResidentPart(
            name="classes",
            place=40,
            word=_("课程"),
            template="people/parts/classes.html",
            on_paper=True,
            read="timebank.classes.reading.bookings_of_resident",
        ),
    ),
)

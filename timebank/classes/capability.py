"""The manifest of the classes capability: courses, lessons, bookings and children's class minutes."""

from timebank.core.capability import Agreed, Capability, Job, MenuEntry, PersonColumn, Reversal, Source
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
    memos={
        "class_bought": _("《{course}》课时 {minutes} 分钟，每 60 分钟 {per_hour} 分，共 {points} 分"),
        "class_refunded": _("《{course}》没用的课时退回积分"),
        "class_refunded_because": _("《{course}》没用的课时退回积分：{reason}"),
        "class_refunded_at_end": _("《{course}》没用的课时退回积分：课程已结课"),
        "class_refunded_at_stop": _("《{course}》没用的课时退回积分：课程停开"),
        "class_refunded_at_stop_because": _("《{course}》没用的课时退回积分：课程停开，{reason}"),
        "class_moved": _("课时从《{left}》转到《{entered}》"),
        "class_expired": _("《{course}》课时到期"),
        "class_expiry_reversed": _("撤回到期 · 《{course}》课时：{reason}"),
        "lesson_booked": _("《{course}》{starts:moment} · {station}"),
        "lesson_attended": _("《{course}》{minutes} 分钟 · {station}"),
        "booking_cancelled": _("取消约课：《{course}》"),
        "lesson_cancelled": _("《{course}》停课"),
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
    audit={
        "add_course": _("新增了课程"),
        "add_lesson": _("新增了一节课"),
        "attend": _("登记了上课"),
        "book": _("约了课"),
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
    panel={"course": "/admin/classes/"},
)

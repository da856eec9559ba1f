"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, Boolean, Date, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Course(Table, tablename="course"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    title = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    age_min = Integer(default=None, null=False)
    age_max = Integer(default=None, null=False)
    starts_on = Date(default=None, null=False)
    ends_on = Date(default=None, null=False)
    points_per_hour = Integer(default=None, null=False)
    teacher = Varchar(length=60, default=None, null=False)
    station_id = UUID(default=None, null=False)
    active = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    stopped_at = Timestamptz(default=None, null=True)
    stop_reason = Varchar(length=300, default=None, null=True)


class Lesson(Table, tablename="lesson"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    course_id = UUID(default=None, null=False)
    starts_at = Timestamptz(default=None, null=False)
    ends_at = Timestamptz(default=None, null=False)
    minutes = Integer(default=None, null=False)
    seats = Integer(default=None, null=False)
    seats_taken = Integer(default=None, null=False)
    cancelled_at = Timestamptz(default=None, null=True)
    moved_at = Timestamptz(default=None, null=True)


class ClassPurchase(Table, tablename="class_purchase"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    guardian_id = UUID(default=None, null=False)
    child_id = UUID(default=None, null=False)
    course_id = UUID(default=None, null=False)
    minutes = Integer(default=None, null=False)
    points = Integer(default=None, null=False)
    entry_id = UUID(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    refunded_minutes = Integer(default=0, null=False)
    refunded_points = Integer(default=0, null=False)
    moved_minutes = Integer(default=0, null=False)
    moved_points = Integer(default=0, null=False)
    expired_minutes = Integer(default=0, null=False)
    moved_from = UUID(default=None, null=True)
    last_day_shown = Boolean(default=False, null=False)
    outlived = Boolean(default=False, null=False)
    last_day = Date(default=None, null=True)


class ClassPayment(Table, tablename="class_payment"):
    community_id = UUID(default=None, null=False)
    purchase_id = UUID(primary_key=True, default=None, null=False)
    account_id = UUID(default=None, null=False)
    points = Integer(default=None, null=False)
    returned = Integer(default=None, null=False)


class Booking(Table, tablename="booking"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    lesson_id = UUID(default=None, null=False)
    child_id = UUID(default=None, null=False)
    guardian_id = UUID(default=None, null=False)
    status = Varchar(length=16, default=None, null=False)
    entry_id = UUID(default=None, null=True)
    created_at = Timestamptz(default=None, null=False)
    ended_at = Timestamptz(default=None, null=True)
    ended_by = UUID(default=None, null=True)
    booked_by = UUID(default=None, null=True)
    booked_by_login = UUID(default=None, null=True)
    booked_because = Varchar(length=500, default=None, null=True)
    ended_by_login = UUID(default=None, null=True)

"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import JSONB, UUID, Boolean, Bytea, Date, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Household(Table, tablename="household"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    area_id = UUID(default=None, null=False)
    room = Varchar(length=20, default=None, null=False)
    head_name = Varchar(length=60, default=None, null=False)
    created_at = Timestamptz(default=None, null=False)


class HouseholdMove(Table, tablename="household_move"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    from_household = UUID(default=None, null=False)
    moved_at = Timestamptz(default=None, null=False)
    moved_by = UUID(default=None, null=True)


class Person(Table, tablename="person"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    household_id = UUID(default=None, null=True)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    sex = Varchar(length=1, default=None, null=True)
    born_on = Date(default=None, null=True)
    relation = Varchar(length=20, default=None, null=True)
    identity_sealed = Bytea(default=None, null=True)
    identity_index = Bytea(default=None, null=True)
    phone_sealed = Bytea(default=None, null=True)
    phone_index = Bytea(default=None, null=True)
    phone_last4 = Varchar(length=4, default=None, null=True)
    publishes_name = Boolean(default=None, null=False)
    status = Varchar(length=16, default=None, null=False)
    code_epoch = Integer(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    corrected_at = Timestamptz(default=None, null=True)
    name_key = Varchar(length=120, default=None, null=False)
    merged_into = UUID(default=None, null=True)
    spelled = Varchar(length=240, default="", null=False)
    initials = Varchar(length=60, default="", null=False)
    initials_other = Varchar(length=60, default="", null=False)


class Guardianship(Table, tablename="guardianship"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    guardian_id = UUID(default=None, null=False)
    child_id = UUID(default=None, null=False)
    relation = Varchar(length=20, default=None, null=False)
    consented_at = Timestamptz(default=None, null=True)
    recorded_by = UUID(default=None, null=True)
    ended_at = Timestamptz(default=None, null=True)


class Message(Table, tablename="message"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    kind = Varchar(length=40, default=None, null=False)
    text = Varchar(length=500, default=None, null=True)
    about_id = UUID(default=None, null=True)
    key = Varchar(length=120, default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    read_at = Timestamptz(default=None, null=True)
    import_id = UUID(default=None, null=True)
    sentence = Varchar(length=60, default=None, null=True)
    said = JSONB(default=None, null=True)
    urgent = Boolean(default=None, null=False)
    due_at = Timestamptz(default=None, null=False)

"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import UUID, Boolean, Date, SmallInt, Timestamptz, Varchar
from piccolo.table import Table


class Team(Table, tablename="team"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    name = Varchar(length=60, default=None, null=False)
    pinyin = Varchar(length=240, default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    area_id = UUID(default=None, null=True)
    unit_id = UUID(default=None, null=True)
    about = Varchar(length=200, default=None, null=False)
    active = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    wrote_on = Date(default=None, null=True)
    wrote = SmallInt(default=0, null=False)


class TeamMember(Table, tablename="team_member"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    team_id = UUID(default=None, null=False)
    person_id = UUID(default=None, null=False)
    leads = Boolean(default=None, null=False)
    asked_at = Timestamptz(default=None, null=False)
    joined_on = Date(default=None, null=True)
    left_on = Date(default=None, null=True)
    confirmed_by = UUID(default=None, null=True)


class Skill(Table, tablename="skill"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    name = Varchar(length=40, default=None, null=False)
    pinyin = Varchar(length=160, default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    needs_proof = Boolean(default=None, null=False)
    active = Boolean(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)


class PersonSkill(Table, tablename="person_skill"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    person_id = UUID(default=None, null=False)
    skill_id = UUID(default=None, null=False)
    note = Varchar(length=120, default=None, null=False)
    findable = Boolean(default=None, null=False)
    offered_at = Timestamptz(default=None, null=False)
    withdrawn_at = Timestamptz(default=None, null=True)
    proof_seen_by = UUID(default=None, null=True)
    proof_seen_at = Timestamptz(default=None, null=True)
    proof_until = Date(default=None, null=True)


class FreeTime(Table, tablename="free_time"):
    community_id = UUID(default=None, null=False)
    person_id = UUID(default=None, null=False)
    weekday = SmallInt(default=None, null=False)
    part = Varchar(length=9, primary_key=True, default=None, null=False)

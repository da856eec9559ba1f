"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import JSONB, UUID, Array, Bytea, Integer, Timestamptz, Varchar
from piccolo.table import Table


class MassDecision(Table, tablename="mass_decision"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    noun = Varchar(length=40, default=None, null=False)
    decision = Varchar(length=8, default=None, null=False)
    note = Varchar(length=500, default=None, null=False)
    asked = JSONB(default=None, null=False)
    status = Varchar(length=8, default=None, null=False)
    stopped = Varchar(length=40, default=None, null=True)
    chosen = Integer(default=None, null=False)
    done = Integer(default=None, null=False)
    refused = Integer(default=None, null=False)
    login_id = UUID(default=None, null=False)
    persons = Array(base_column=UUID(), default=None, null=False)
    decided_by = UUID(default=None, null=True)
    proof_hash = Bytea(default=None, null=False)
    proof_sealed = Bytea(default=None, null=False)
    proof_until = Timestamptz(default=None, null=False)
    decided_at = Timestamptz(default=None, null=False)
    due_at = Timestamptz(default=None, null=False)
    ended_at = Timestamptz(default=None, null=True)


class MassDecisionItem(Table, tablename="mass_decision_item"):
    community_id = UUID(default=None, null=False)
    decision_id = UUID(default=None, null=False)
    noun_id = UUID(primary_key=True, default=None, null=False)
    place = Integer(default=None, null=False)
    outcome = Varchar(length=8, default=None, null=True)
    refusal = Varchar(length=40, default=None, null=True)

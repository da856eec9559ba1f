"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import JSONB, UUID, Array, Boolean, Bytea, Integer, Timestamptz, Varchar
from piccolo.table import Table


class ImportRun(Table, tablename="import_run"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    file_name = Varchar(length=200, default=None, null=False)
    file_hash = Bytea(default=None, null=False)
    skip_bad = Boolean(default=None, null=False)
    rows = Integer(default=None, null=False)
    accepted = Integer(default=None, null=False)
    created = Integer(default=None, null=False)
    report = JSONB(default=None, null=False)
    started_by = UUID(default=None, null=True)
    started_at = Timestamptz(default=None, null=False)
    undone_at = Timestamptz(default=None, null=True)
    undone_by = UUID(default=None, null=True)
    ended_at = Timestamptz(default=None, null=True)
    stopped = Varchar(length=40, default=None, null=True)


class ImportWork(Table, tablename="import_work"):
    community_id = UUID(primary_key=True, default=None, null=False)
    run_id = UUID(default=None, null=False)
    verb = Varchar(length=8, default=None, null=False)
    plan = Bytea(default=None, null=False)
    done = Integer(default=None, null=False)
    total = Integer(default=None, null=False)
    created = Integer(default=None, null=False)
    late = JSONB(default=None, null=False)
    login_id = UUID(default=None, null=True)
    persons = Array(base_column=UUID(), default=None, null=False)
    proof_hash = Bytea(default=None, null=True)
    proof_sealed = Bytea(default=None, null=True)
    proof_until = Timestamptz(default=None, null=False)
    began_at = Timestamptz(default=None, null=False)
    held_until = Timestamptz(default=None, null=False)


class ImportRow(Table, tablename="import_row"):
    community_id = UUID(default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    row_key = Bytea(primary_key=True, default=None, null=False)
    run_id = UUID(default=None, null=False)
    noun = Varchar(length=20, default=None, null=False)
    noun_id = UUID(default=None, null=False)


class ImportDraft(Table, tablename="import_draft"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    session_id = UUID(default=None, null=False)
    kind = Varchar(length=16, default=None, null=False)
    file_name = Varchar(length=200, default=None, null=False)
    content = Bytea(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    findings = Bytea(default=None, null=False)
    run_id = UUID(default=None, null=True)


class ImportWord(Table, tablename="import_word"):
    community_id = UUID(default=None, null=False)
    word_kind = Varchar(length=16, default=None, null=False)
    word_key = Varchar(length=100, primary_key=True, default=None, null=False)
    word = Varchar(length=100, default=None, null=False)
    target = Varchar(length=60, default=None, null=True)
    added = Boolean(default=None, null=False)
    decided_by = UUID(default=None, null=True)
    decided_at = Timestamptz(default=None, null=False)

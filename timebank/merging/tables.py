"""The table classes of this capability; those without a use are here for the comparison with the migrated database."""

from piccolo.columns import UUID, Array, BigInt, Text, Timestamptz, Varchar
from piccolo.table import Table


class PersonMerge(Table, tablename="person_merge"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    kept_id = UUID(default=None, null=False)
    merged_id = UUID(default=None, null=False)
    status_before = Varchar(length=16, default=None, null=False)
    filled = Array(base_column=Text(), default=None, null=False)
    reason = Varchar(length=500, default=None, null=False)
    merged_at = Timestamptz(default=None, null=False)
    merged_by = UUID(default=None, null=True)
    undone_at = Timestamptz(default=None, null=True)
    undone_by = UUID(default=None, null=True)


class PersonMergeRow(Table, tablename="person_merge_row"):
    community_id = UUID(default=None, null=False)
    merge_id = UUID(default=None, null=False)
    noun = Varchar(length=40, default=None, null=False)
    field = Varchar(length=40, default=None, null=False)
    row_id = UUID(primary_key=True, default=None, null=False)
    amount = BigInt(default=None, null=True)

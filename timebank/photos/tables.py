"""The table classes of this capability; the migrations define the tables."""

from piccolo.columns import UUID, Bytea, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Photo(Table, tablename="photo"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    media_type = Varchar(length=20, default=None, null=False)
    content = Bytea(default=None, null=False)
    created_at = Timestamptz(default=None, null=False)
    side = Integer(default=None, null=False)
    kept_by = UUID(default=None, null=True)
    unattached_until = Timestamptz(default=None, null=True)
    painted_at = Timestamptz(default=None, null=True)


class Attachment(Table, tablename="attachment"):
    community_id = UUID(default=None, null=False)
    id = UUID(primary_key=True, default=None, null=False)
    noun = Varchar(length=16, default=None, null=False)
    noun_id = UUID(default=None, null=False)
    photo_id = UUID(default=None, null=False)
    stage = Varchar(length=16, default=None, null=False)
    added_by = UUID(default=None, null=True)
    added_at = Timestamptz(default=None, null=False)
    painted_at = Timestamptz(default=None, null=True)
    published_at = Timestamptz(default=None, null=True)
    published_by = UUID(default=None, null=True)

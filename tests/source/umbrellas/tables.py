"""The table of umbrella loans, and the SQL that a migration would create it with."""

from piccolo.columns import UUID, Integer, Timestamptz
from piccolo.table import Table


class UmbrellaLoan(Table, tablename="umbrella_loan"):
    community_id = UUID(primary_key=True)
    id = UUID()
    person_id = UUID()
    points = Integer()
    entry_id = UUID()
    due_at = Timestamptz()
    returned_at = Timestamptz(null=True)


MADE_BY = """
CREATE TABLE umbrella_loan (
    community_id uuid NOT NULL, id uuid NOT NULL, person_id uuid NOT NULL, points integer NOT NULL CHECK (points > 0),
    entry_id uuid NOT NULL, due_at timestamptz NOT NULL, returned_at timestamptz,
    PRIMARY KEY (community_id, id), FOREIGN KEY (community_id, person_id) REFERENCES person (community_id, id)
);
CALL protect_tenant_table('umbrella_loan', 'SELECT, INSERT, UPDATE');
"""

"""The row that a deed or a service record follows from."""

from uuid import UUID

import msgspec


class SourceRow(msgspec.Struct, frozen=True):
    """A row of some capability that a person has confirmed; `kind` is its noun in the audit."""

    kind: str
    id: UUID

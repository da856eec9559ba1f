"""Waiting changes as administrators and auditors read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.agreements.deciders import Bench, Party, who_in_words
from timebank.agreements.kinds import Kind, Needs
from timebank.agreements.schemas import AgreementOut, Status
from timebank.core import database
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import NotFound
from timebank.core.locale import _, put_together, translate
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.overview.change_kinds import kinds

FIELD_TO = _("{field}改成“{value}”")
LOOKED_AT = 200


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str
    person_id: UUID | None
    person: str | None
    involved: list[UUID]
    change: str
    before: str
    needs: Needs
    depth: int
    proposed_by: UUID | None
    proposed_by_name: str | None
    proposed_by_login: UUID | None
    proposed_at: datetime
    status: Status
    decided_by: UUID | None
    decided_by_name: str | None
    decided_by_login: UUID | None
    decided_at: datetime | None
    note: str | None

    @property
    def about(self) -> Party:
        people = [*self.involved, self.person_id] if self.person_id else self.involved
        return Party(
            needs=self.needs,
            depth=self.depth,
            proposed_by=self.proposed_by,
            proposed_by_login=self.proposed_by_login,
            people=people,
            proposed_at=self.proposed_at,
        )

    @property
    def said(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.change)
        return decoded

    def phrase(self) -> Phrase:
        """The change as a part of a message. What is sealed at rest stays sealed."""
        return phrase("change", name=self.kind, person=self.person or "—", change=self.said)

    def text(self, language: str = "zh") -> str:
        return self.phrase().text(language)


def waiting_change_in_words(values: Mapping[str, Any], language: str) -> str:
    """The part `change` of a message: a change in the reader's language."""
    kind = kinds()[values["name"]]
    says = {name: _joined(value, language) for name, value in kind.said(values["change"]).items()}
    return put_together(kind.sentence_of(says), {"person": values["person"]} | says, language)


ROWS = """
SELECT w.id, w.kind, w.person_id, p.name AS person, w.involved, w.change::text AS change,
       w.before::text AS before, w.needs, w.depth, w.proposed_by, q.name AS proposed_by_name, w.proposed_by_login,
       w.proposed_at, w.status, w.decided_by, d.name AS decided_by_name, w.decided_by_login, w.decided_at, w.note
FROM waiting_change w
LEFT JOIN person p ON p.community_id = w.community_id AND p.id = w.person_id
LEFT JOIN person q ON q.community_id = w.community_id AND q.id = w.proposed_by
LEFT JOIN person d ON d.community_id = w.community_id AND d.id = w.decided_by
WHERE w.community_id = $1
"""


ACKNOWLEDGED_AT_ONCE = 500


async def agreements(
    scope: Scope, *, status: Status = "waiting", limit: int = 50, cursor: str | None = None, language: str = "zh"
) -> Page[AgreementOut]:
    """The changes of one status, newest first, with the deciders; for administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add("w.status = {}", status)
    asked.add_after("w.proposed_at, w.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    newest = f"{ROWS}{asked.sql} ORDER BY w.proposed_at DESC, w.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(ChangeRow, newest, *asked.values)
        kept = make_page(found, limit, lambda row: (row.proposed_at, row.id))
        return Page(await changes_out(scope, kept.items, language), kept.next)


async def agreement(scope: Scope, agreement_id: UUID, *, language: str = "zh") -> AgreementOut:
    """One change, for administrators and auditors. Raises NotFound."""
    scope.require_reader()
    async with transaction(scope):
        return (await changes_out(scope, [await find_change(scope, agreement_id)], language))[0]


async def waiting_change_about(scope: Scope, kind: Kind, subject_id: UUID, language: str) -> AgreementOut | None:
    """The waiting change of a kind about one subject, in the reader's language; None if there is none."""
    scope.require_reader()
    async with transaction(scope):
        row = await database.row(
            ChangeRow, ROWS + "AND w.kind = $2 AND w.subject = $3 AND w.status = 'waiting'",
            scope.community_id, kind.name, str(subject_id),
        )  # fmt: skip
        return (await changes_out(scope, [row], language))[0] if row else None


async def count_yours(scope: Scope) -> int:
    """How many of the waiting changes the caller may decide, counting at most the 200 oldest."""
    async with transaction(scope):
        rows = await database.rows(
            ChangeRow,
            ROWS + "AND w.status = 'waiting' ORDER BY w.proposed_at, w.id LIMIT $2",
            scope.community_id,
            LOOKED_AT,
        )
        if not rows:
            return 0
        bench = await Bench.of(scope, [row.about for row in rows])
    return sum(bench.may_decide(row.about) for row in rows)


async def waiting_rows(scope: Scope) -> list[tuple[UUID, datetime, Party, bool]]:
    """The 500 oldest waiting changes: id, time, parties, and whether it is in force already and only to be seen."""
    async with transaction(scope):
        rows = await database.rows(
            ChangeRow,
            ROWS + "AND w.status = 'waiting' ORDER BY w.proposed_at, w.id LIMIT $2",
            scope.community_id,
            ACKNOWLEDGED_AT_ONCE,
        )
    return [(row.id, row.proposed_at, row.about, kinds()[row.kind].in_force) for row in rows]


def _joined(value: object, language: str) -> object:
    """Join a list of words or (field, new value) pairs into one text; anything else is returned unchanged."""
    if not isinstance(value, list):
        return value
    told = [
        put_together(FIELD_TO, {"field": part[0], "value": part[1]}, language)
        if isinstance(part, tuple)
        else translate(str(part), language)
        for part in value
    ]
    return translate("、", language).join(told)


async def find_change(scope: Scope, agreement_id: UUID) -> ChangeRow:
    row = await database.row(ChangeRow, ROWS + "AND w.id = $2", scope.community_id, agreement_id)
    if row is None:
        raise NotFound
    return row


async def changes_out(scope: Scope, rows: Sequence[ChangeRow], language: str) -> list[AgreementOut]:
    bench = await Bench.of(scope, [row.about for row in rows if row.status == "waiting"])
    return [change_out(scope, row, bench, language) for row in rows]


def change_out(scope: Scope, row: ChangeRow, bench: Bench, language: str) -> AgreementOut:
    waits = row.status == "waiting"
    return AgreementOut(
        id=row.id, kind=row.kind, text=row.text(language), person_id=row.person_id, status=row.status,
        in_force=kinds()[row.kind].in_force, proposed_by=row.proposed_by,
        proposed_by_name=row.proposed_by_name, proposed_at=row.proposed_at,
        who=who_in_words(bench.deciders(row.about), language) if waits else [],
        may_decide=waits and bench.may_decide(row.about), may_withdraw=waits and is_proposer(scope, row),
        decided_by=row.decided_by,
        decided_by_name=row.decided_by_name, decided_at=row.decided_at, note=row.note,
    )  # fmt: skip


def is_proposer(scope: Scope, row: ChangeRow) -> bool:
    by_login = row.proposed_by_login is not None and row.proposed_by_login == scope.login_id
    return not kinds()[row.kind].in_force and (scope.system or by_login)

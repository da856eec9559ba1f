"""A second person's consent to the export of many people: for one list, for one login, for a month."""

from datetime import timedelta

from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.core import clock, database
from timebank.core.capability import Exported, capabilities
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope

PEOPLE_ALONE = 100
"""Rows of people that an administrator exports in a day without a second person, however they are filtered."""
LASTS = timedelta(days=30)

EXPORT = Kind(
    name="export",
    sentence=_("一个月内可以导出「{list}」，不限人数（一天超过 100 人要另一个人同意）"),
    needs="another",
)


def exported() -> dict[str, Exported]:
    """The lists that can be exported, by name."""
    return {one.name: one for capability in capabilities() for one in capability.exported}


def exported_list(name: str) -> Exported:
    """The list of this name. Raises NotFound."""
    if (found := exported().get(name)) is None:
        raise NotFound
    return found


def _subject(scope: Scope, name: str) -> str:
    return f"{name}:{scope.login_id}"


async def may_export_many(scope: Scope, name: str) -> bool:
    """Whether a second person has agreed in the last month that this login exports this list."""
    async with transaction(scope):
        found: bool = await database.fetch_value(
            "SELECT EXISTS (SELECT FROM waiting_change WHERE community_id = $1 AND kind = 'export' AND subject = $2 "
            "AND status = 'agreed' AND proposed_by_login = $3 AND decided_at > $4)",
            scope.community_id, _subject(scope, name), scope.login_id, clock.now() - LASTS,
        )  # fmt: skip
    return found


async def exported_today(scope: Scope, name: str) -> int:
    """How many rows of this list the login has exported on this local day."""
    async with transaction(scope):
        rows: int = await database.fetch_value(
            "SELECT coalesce(max(rows), 0) FROM export_day WHERE community_id = $1 AND login_id = $2 AND list = $3 "
            "AND day = $4",
            scope.community_id, scope.login_id, name, clock.local_day(),
        )  # fmt: skip
    return rows


async def ask_consent(scope: Scope, of: Exported) -> Waiting:
    """Ask a second person, who is none of the asker's household or accounts."""
    return await propose(
        scope, EXPORT, _subject(scope, of.name), {"list": of.name}, {"list": of.word}, involved=[scope.person_id]
    )


async def consent_given(scope: Scope, change: Change) -> None:  # noqa: ARG001  # what every carrier is called with
    """What was agreed to is the decision itself, read by `may_export_many`. Raises NotFound for a list that is gone."""
    exported_list(change.do["list"])

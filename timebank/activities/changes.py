"""Changing an activity; ending one cancels its coming shifts."""

from uuid import UUID

import msgspec

from timebank.activities.calling_off import call_off_coming
from timebank.activities.offers import activity, named
from timebank.activities.patterns.patterns import end_patterns
from timebank.activities.schemas import ActivityChange, ActivityOut
from timebank.activities.tables import Activity
from timebank.core import audit, names
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.rules.catalogue import usable_rule


@retried
async def change_activity(scope: Scope, activity_id: UUID, wanted: ActivityChange) -> ActivityOut:
    """Change the given fields of an activity; a deactivated one keeps its records.

    Deactivating an activity ends its patterns, cancels its coming shifts and notifies those who signed up.
    """
    scope.require_admin()
    change = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET}
    values = dict(change)
    if isinstance(wanted.name, str):
        values["name"] = named(wanted.name)
        values["pinyin"] = names.pinyin(values["name"])
    async with transaction(scope):
        before = await activity(scope, activity_id)
        if isinstance(wanted.rule_code, str):
            await usable_rule(scope, wanted.rule_code, "service")
        if values:
            await Activity.update({getattr(Activity, name): value for name, value in values.items()}).where(
                (Activity.community_id == scope.community_id) & (Activity.id == activity_id)
            )
            await audit.record(scope, "change_activity", "activity", activity_id, **change)
        if before.active and wanted.active is False:
            await end_patterns(scope, activity_id=activity_id)
            await call_off_coming(scope, phrase("activity_ended", activity=before.name), activity_id=activity_id)
        return await activity(scope, activity_id)

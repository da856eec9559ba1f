"""A further display or counter of a station. A second person must agree, since it could show the code elsewhere."""

from uuid import UUID

from timebank.access.devices.devices import (
    PAIRING_PREFIX,
    PREFIX,
    PairingCode,
    insert_device,
    new_token,
    require_may_register,
)
from timebank.agreements.kinds import Change, Kind
from timebank.agreements.proposing import propose
from timebank.agreements.schemas import Waiting
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.locale import _
from timebank.core.scope import Scope

KIND_WORDS = {"display": _("显示签到码的屏幕"), "counter": _("柜台平板")}
FURTHER_DEVICE = Kind(
    name="further_device", sentence=_("{station}再加一台{kind}：{name}"), needs="another",
    words={"kind": dict(KIND_WORDS)}
)  # fmt: skip


async def ask_for_further(scope: Scope, station_id: UUID, *, name: str, kind: str, station: str) -> Waiting:
    """Propose one more device of a kind that the station has already."""
    require_may_register(scope, station_id)
    return await propose(
        scope, FURTHER_DEVICE, f"{station_id}:{kind}", {"station_id": station_id, "name": name, "kind": kind},
        {"name": name, "kind": kind, "station": station},
    )  # fmt: skip


async def kinds_waiting(scope: Scope, station_id: UUID) -> set[str]:
    """The kinds of which a further device at this station waits for a second person."""
    require_may_register(scope, station_id)
    async with transaction(scope):
        found = await database.fetch(
            "SELECT subject FROM waiting_change WHERE community_id = $1 AND kind = $2 AND subject = ANY ($3) "
            "AND status = 'waiting'",
            scope.community_id, FURTHER_DEVICE.name, [f"{station_id}:{kind}" for kind in KIND_WORDS],
        )  # fmt: skip
    return {row["subject"].rpartition(":")[2] for row in found}


async def register_agreed(scope: Scope, change: Change) -> None:
    """Register the further device once agreed. Nobody gets its token; the proposer then renews the pairing link."""
    lost = PairingCode(new_token(PAIRING_PREFIX, scope.community_id), clock.now())
    await insert_device(
        scope, clock.new_id(), UUID(change.do["station_id"]), change.do["name"], change.do["kind"],
        new_token(PREFIX, scope.community_id), lost, change.by,
    )  # fmt: skip

"""Every kind of change that waits for a second person, with what carries it out, as the capabilities declare them."""

from collections.abc import Mapping
from functools import cache

from timebank.agreements.kinds import Carrier, Kind
from timebank.core.capability import Agreed, capabilities, resolve


def kinds() -> Mapping[str, Kind]:
    """Each kind by its name."""
    return {kind.name: kind for kind, _ in _declared(_manifests())}


def carriers() -> Mapping[str, Carrier]:
    """What carries a kind out, for each that is not in force already."""
    return {kind.name: carrier for kind, carrier in _declared(_manifests()) if carrier}


def _manifests() -> tuple[Agreed, ...]:
    return tuple(agreed for one in capabilities() for agreed in one.agreed)


@cache
def _declared(manifests: tuple[Agreed, ...]) -> tuple[tuple[Kind, Carrier | None], ...]:
    return tuple((resolve(one.kind), _carrier(one)) for one in manifests)


def _carrier(one: Agreed) -> Carrier | None:
    if one.carry_out is None:
        return None
    return (
        Carrier(resolve(one.carry_out), resolve(one.stands_now)) if one.stands_now else Carrier(resolve(one.carry_out))
    )

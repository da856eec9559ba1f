"""The kinds of waiting change that the capabilities declare, and the verbs that carry them out."""

from collections.abc import Mapping
from functools import cache

from timebank.agreements.kinds import Carrier, Kind
from timebank.core.capability import Agreed, capabilities, resolve


def kinds() -> Mapping[str, Kind]:
    """The kinds by name."""
    return {kind.name: kind for kind, _ in _declared(_manifests())}


def carriers() -> Mapping[str, Carrier]:
    """The carriers by kind, without the kinds that are in force already."""
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

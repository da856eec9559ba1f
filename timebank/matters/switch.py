"""Whether the community has switched matters on: until then there are none to be found."""

from timebank.core.errors import NotFound
from timebank.core.scope import Scope


def require_matters(scope: Scope) -> None:
    """Raise NotFound where the community has not switched matters on."""
    if not scope.uses("matters"):
        raise NotFound

"""What every capability finds for the words typed into the panel's search field."""

from timebank.core.capability import Finder, Hit, capabilities_of, resolve
from timebank.core.database import transaction
from timebank.core.scope import Scope


async def find_everywhere(scope: Scope, words: str, most: int) -> list[tuple[Finder, list[Hit]]]:
    """The kinds of which something is found, for those who read the whole community: `most` of each and one more."""
    scope.require_reader()
    finders = sorted((one for each in capabilities_of(scope) for one in each.found_by), key=lambda one: one.place)
    async with transaction(scope):
        found = [(one, await resolve(one.verb)(scope, words, most)) for one in finders] if words else []
    return [(one, hits) for one, hits in found if hits]

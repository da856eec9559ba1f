"""Finding records that may belong to one person, and comparing two of them before a merge."""

from uuid import UUID

import msgspec

from timebank.access.roles.in_force import is_not_over
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.merging.facts import facts_of


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What one record holds and a merge would move: balances, and how many rows of each kind refer to it.

    `deeds_twice` counts deeds of the same item and day as one of the other record, `records_twice` service records at
    the same time as one of the other record. If the two are one person, those were credited twice.
    """

    id: UUID
    name: str
    points: int
    held: int
    minutes: int
    class_minutes: int
    visits: int
    records: int
    deeds: int
    redemptions: int
    bookings: int
    roles: int
    guardianships: int
    cards: int
    logins: int
    messages: int
    deeds_twice: int
    records_twice: int


async def side_by_side(scope: Scope, kept_id: UUID, merged_id: UUID) -> list[Holding]:
    """What each of the two records holds, the kept one first. Raises CannotMerge where they cannot be merged."""
    scope.require_admin()
    async with transaction(scope):
        await facts_of(scope, kept_id, merged_id)
        found = await database.rows(Holding, _HOLDINGS, scope.community_id, [kept_id, merged_id], clock.local_day())
    return sorted(found, key=lambda one: one.id != kept_id)


_BALANCE = (
    "(SELECT coalesce(sum(a.balance), 0)::bigint FROM account a WHERE a.community_id = p.community_id "
    "AND a.owner_kind = 'person' AND a.owner_id = p.id AND a.currency = '{}' AND a.bucket = '{}') AS {}"
)
# Counted up to 1000 only: the page needs no larger figure.
_COUNT = (
    "(SELECT count(*) FROM (SELECT FROM {} r WHERE r.community_id = p.community_id AND {} LIMIT 1000) AS few) AS {}"
)
_COUNTS = "status NOT IN ('rejected', 'reversed', 'withdrawn')"
_OF_THE_OTHER = f"o.community_id = $1 AND o.person_id = ANY ($2) AND o.person_id <> p.id AND o.{_COUNTS}"
_DEED_TWICE = (
    f"r.person_id = p.id AND r.{_COUNTS} AND EXISTS (SELECT FROM deed o WHERE {_OF_THE_OTHER} "  # see above
    "AND o.rule_code = r.rule_code AND o.occurred_on = r.occurred_on)"
)
_RECORD_TWICE = (
    f"r.person_id = p.id AND r.{_COUNTS} AND EXISTS (SELECT FROM service_record o WHERE {_OF_THE_OTHER} "  # see above
    "AND o.started_at < r.ended_at AND o.ended_at > r.started_at)"
)
_HOLDINGS = "SELECT p.id, p.name, {} FROM person p WHERE p.community_id = $1 AND p.id = ANY ($2)".format(  # noqa: S608  # names from this module
    ", ".join(
        (
            _BALANCE.format("point", "available", "points"),
            _BALANCE.format("point", "held", "held"),
            _BALANCE.format("minute", "available", "minutes"),
            _BALANCE.format("class_minute", "available", "class_minutes"),
            _COUNT.format("visit", "r.person_id = p.id", "visits"),
            _COUNT.format("service_record", "r.person_id = p.id", "records"),
            _COUNT.format("deed", "r.person_id = p.id", "deeds"),
            _COUNT.format("redemption", "r.person_id = p.id", "redemptions"),
            _COUNT.format("booking", "p.id IN (r.child_id, r.guardian_id)", "bookings"),
            _COUNT.format("role_grant", f"r.person_id = p.id AND {is_not_over('$3', 'r')}", "roles"),
            _COUNT.format(
                "guardianship", "p.id IN (r.child_id, r.guardian_id) AND r.ended_at IS NULL", "guardianships"
            ),
            _COUNT.format("card", "r.person_id = p.id AND r.revoked_at IS NULL", "cards"),
            _COUNT.format("membership", "r.person_id = p.id", "logins"),
            _COUNT.format("message", "r.person_id = p.id", "messages"),
            _COUNT.format("deed", _DEED_TWICE, "deeds_twice"),
            _COUNT.format("service_record", _RECORD_TWICE, "records_twice"),
        )
    )
)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two records that may belong to one person, and what they have in common."""

    one_id: UUID
    one_name: str
    other_id: UUID
    other_name: str
    same_spelling: bool
    same_phone: bool
    same_birth: bool
    same_home: bool


async def possible_duplicates(scope: Scope, *, limit: int = 200) -> list[Pair]:
    """Pairs with equal name keys, where also the spelling differs or the phone, birth date or household is equal.

    Pairs with different identity numbers or birth dates are left out. Nothing is merged automatically.
    """
    scope.require_admin()
    async with transaction(scope):
        return await database.rows(
            Pair,
            "SELECT a.id AS one_id, a.name AS one_name, b.id AS other_id, b.name AS other_name, "
            "a.name = b.name AS same_spelling, coalesce(a.phone_index = b.phone_index, false) AS same_phone, "
            "coalesce(a.born_on = b.born_on, false) AS same_birth, "
            "coalesce(a.household_id = b.household_id, false) AS same_home FROM person a JOIN person b "
            "ON b.community_id = a.community_id AND b.name_key = a.name_key AND b.id > a.id AND b.merged_into IS NULL "
            "WHERE a.community_id = $1 AND a.merged_into IS NULL AND 'left' NOT IN (a.status, b.status) "
            "AND coalesce(a.identity_index = b.identity_index, true) AND coalesce(a.born_on = b.born_on, true) "
            "AND (a.name <> b.name OR a.phone_index = b.phone_index OR a.born_on = b.born_on "
            "     OR a.household_id = b.household_id) ORDER BY a.pinyin, a.id, b.id LIMIT $2",
            scope.community_id, limit,
        )  # fmt: skip

"""Opening a matter: number, due date, first step and receipt in one transaction. The clock starts here."""

import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.areas.places import area
from timebank.areas.workdays import workdays_of
from timebank.core import audit, clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import Busy, Conflict, Invalid, NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.matters.categories.categories import CategoryOut, find_category
from timebank.matters.checks.signs import signs_of_report
from timebank.matters.loop.acting import add_step
from timebank.matters.loop.notices import notify_dispatchers, notify_reporter
from timebank.matters.opening.due import due_moment
from timebank.matters.opening.limits import require_room_today
from timebank.matters.opening.openers import Beneficiary, CategoryNotForThis, Opener, WishTooDear, opener_of
from timebank.matters.opening.young import require_old_enough
from timebank.matters.reading.rows import MatterRow, matter_row
from timebank.matters.schemas import Channel, MatterStatus, OpenIn
from timebank.matters.tables import Matter
from timebank.people.guardianship.guardians import is_guardian
from timebank.people.identity.ages import ADULT_FROM, age_on, is_guarded
from timebank.people.locks import lock_people
from timebank.photos.attaching import attach
from timebank.policies.values import policies

WAITED_MAX = timedelta(hours=24)
"""How long a report may have waited on a phone: what is older starts its clock a day before it arrives."""
_DRAWN = 5


class ExternalNumberKnown(Conflict):
    code = "external_number_known"
    sentence = "这个外部编号已经登记过了。请按编号找到那一件。"
    constraint = "matter_external_unique"


class OpenedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt: the number to be said on the phone, until when it is to be done, and what the opener reads."""

    id: UUID
    number: str
    status: MatterStatus
    due_at: datetime
    texts: list[str]


@retried
async def open_matter(
    scope: Scope, wanted: OpenIn, *, channel: Channel | None = None, browser: str = "", language: str = "zh"
) -> OpenedOut:
    """Receive a report, event, order, wish or pledge; the same nonce again gets the same receipt.

    `channel` names another way than the usual one, such as a round. `browser` marks the phone, to see whether one phone
    reports for several logins. Raises NotFound, Forbidden, CategoryNotForThis, WishTooDear, TooManyMatters,
    NotGuardian, and what refuses a photo.
    """
    scope.require_use("matters")
    async with transaction(scope):
        category = await _category(scope, wanted)
        place = await area(scope, wanted.area_id)
        named, minor = await _beneficiary(scope, wanted)
        if not scope.grants:
            await require_old_enough(scope)
        opener = opener_of(scope, wanted, place.path, named, channel)
        _require_fits(scope, wanted, category, opener, on_duty=scope.works_in(place.path) or scope.leads(place.path))
        await lock_people(scope, {one for one in (opener.reporter_id, opener.for_person_id) if one})
        if wanted.nonce and (before := await _of_nonce(scope, wanted.nonce, opener)):
            return _receipt(await matter_row(scope, before), category, language)
        if opener.entered_by is None and opener.reporter_id is not None:
            await require_room_today(scope, scope.stood_for)
        await _require_worth(scope, wanted)
        matter_id = await _insert(scope, wanted, category, opener, browser)
        row = await matter_row(scope, matter_id)
        await _begin(scope, row, wanted, minor=minor)
        return _receipt(row, category, language)


def _receipt(row: MatterRow, category: CategoryOut, language: str) -> OpenedOut:
    received = phrase("matter_received", number=row.number, category=row.category, due=row.due_at)
    texts = [received.text(language), *([category.advice] if category.advice else [])]
    return OpenedOut(id=row.id, number=row.number, status=row.status, due_at=row.due_at, texts=texts)


async def _category(scope: Scope, wanted: OpenIn) -> CategoryOut:
    try:
        category = await find_category(scope, wanted.category)
    except NotFound as unknown:
        raise CategoryNotForThis from unknown
    if not category.active or wanted.kind not in category.kinds:
        raise CategoryNotForThis
    return category


def _require_fits(scope: Scope, wanted: OpenIn, category: CategoryOut, opener: Opener, *, on_duty: bool) -> None:
    """Raise CategoryNotForThis where only staff open it, and Invalid for what does not go together."""
    if category.staff_only and not (on_duty or (scope.kept_stations and opener.entered_by)):
        raise CategoryNotForThis
    if (wanted.value_max is None) == (wanted.kind == "wish"):
        raise Invalid(why=_("心愿要写大约多少元，其他事项不写"))
    if wanted.people_wanted > 1 and wanted.kind != "order":
        raise Invalid(why=_("只有点单可以要几个人"))
    if not (wanted.said.strip() or wanted.photo_ids):
        raise Invalid(why=_("请写一句话，或附一张照片"))


async def _require_worth(scope: Scope, wanted: OpenIn) -> None:
    most = (await policies(scope)).wish_value_max
    if wanted.value_max is not None and wanted.value_max > most:
        raise WishTooDear(most=most)


async def _beneficiary(scope: Scope, wanted: OpenIn) -> tuple[Beneficiary | None, bool]:
    """Whom it is for, and whether that is a child. Raises NotFound."""
    person_id = wanted.for_person_id
    if person_id is None or scope.stands_for(person_id):
        return None, False
    found = await database.fetch_one(
        "SELECT household_id, status, born_on FROM person WHERE community_id = $1 AND id = $2",
        scope.community_id, person_id,
    )  # fmt: skip
    if found is None or found["status"] != "active":
        raise NotFound
    home = UUID(bytes=found["household_id"].bytes) if found["household_id"] else None
    households = {own.household_id for own in scope.persons if own.community_id == scope.community_id}
    born_on = found["born_on"]
    named = Beneficiary(
        under_14=is_guarded(born_on), same_household=home is not None and home in households,
        in_care=await is_guardian(scope, person_id),
    )  # fmt: skip
    return named, born_on is not None and age_on(born_on, clock.local_day()) < ADULT_FROM


async def _of_nonce(scope: Scope, nonce: str, opener: Opener) -> UUID | None:
    """The matter that this nonce has opened. Raises Conflict where somebody else has used it."""
    found = await database.fetch_one(
        "SELECT id, reporter_id, entered_by FROM matter WHERE community_id = $1 AND nonce = $2",
        scope.community_id, nonce,
    )  # fmt: skip
    if found is None:
        return None
    whose = [UUID(bytes=one.bytes) if one else None for one in (found["reporter_id"], found["entered_by"])]
    if whose != [opener.reporter_id, opener.entered_by]:
        raise Conflict
    return UUID(bytes=found["id"].bytes)


async def _insert(scope: Scope, wanted: OpenIn, category: CategoryOut, opener: Opener, browser: str) -> UUID:
    now, matter_id = clock.now(), clock.new_id()
    received_at = now
    if wanted.nonce is not None and wanted.written_at is not None:
        received_at = min(max(wanted.written_at, now - WAITED_MAX), now)
    mark = hmac.digest(vault.key_for("matter mark"), browser.encode(), "sha256") if browser else None
    days = await workdays_of(scope, clock.local_day(received_at))
    due_at = due_moment(received_at, category.due_days, category.due_counts, days)
    await Matter.insert(
        Matter(
            community_id=scope.community_id, id=matter_id, number=await _free_number(scope), kind=wanted.kind,
            category_code=category.code, area_id=wanted.area_id, place=wanted.place.strip(), said=wanted.said.strip(),
            public_text=None, reporter_id=opener.reporter_id, for_person_id=opener.for_person_id,
            entered_by=opener.entered_by, channel=opener.channel, external_number=wanted.external_number,
            origin_kind=wanted.origin.kind if wanted.origin else None,
            origin_id=wanted.origin.id if wanted.origin else None, status="received", level=category.level,
            unit_id=None, team_id=None, assignee_id=None, open_to="assigned", wanted_at=wanted.wanted_at,
            at_home=wanted.at_home and wanted.kind == "order", people_wanted=wanted.people_wanted,
            value_max=wanted.value_max, received_at=received_at, dispatched_at=None, accepted_at=None, done_at=None,
            closed_at=None, due_at=due_at, first_due_at=due_at, result=None, done_by=None, verified_by=None,
            verified_at=None, verified=None, done_days=None, returns=0, reopens=0, urged=0, final=False,
            postponed_until=None, postpone_reason=None, followers=0, merged_into=None, refused_because=None,
            hides_reporter=wanted.hides_reporter, may_be_contacted=wanted.may_be_contacted, published_at=None,
            flags=await signs_of_report(scope, opener.reporter_id, mark), told=[], mark=mark, nonce=wanted.nonce,
            moved_to=None, moved_from=None, created_at=now,
        )
    )  # fmt: skip
    return matter_id


async def _free_number(scope: Scope) -> str:
    """Eight random digits that no matter of the community has: nobody can guess how many there are."""
    drawn = [f"{secrets.randbelow(10**8):08}" for _each in range(_DRAWN)]
    free: str | None = await database.fetch_value(
        "SELECT d.number FROM unnest($2::text[]) AS d (number) WHERE NOT EXISTS (SELECT FROM matter m "
        "WHERE m.community_id = $1 AND m.number = d.number) LIMIT 1",
        scope.community_id, drawn,
    )  # fmt: skip
    if free is None:
        raise Busy
    return free


async def _begin(scope: Scope, row: MatterRow, wanted: OpenIn, *, minor: bool) -> None:
    """Write the first step, attach the photos, and notify who spoke and who dispatches."""
    if wanted.photo_ids and minor:
        raise Invalid(why=_("关于孩子的事不放照片，请只用文字写清楚"))
    own = row.reporter_id is not None and row.entered_by is None
    by = "resident" if own else "keeper" if row.channel == "desk" else "worker"
    await add_step(scope, row, "open", "received", by=by, level=row.level, due_at=row.due_at, opening=True)
    await audit.record(
        scope, "open_matter", "matter", row.id, about_id=row.reporter_id, kind=row.kind, category=row.category_code,
        area_id=row.area_id, channel=row.channel,
    )  # fmt: skip
    for photo_id in wanted.photo_ids:
        await attach(scope, "matter", row.id, photo_id, "before")
    await notify_reporter(scope, row, "matter_received", "open", due=row.due_at)
    await notify_dispatchers(scope, row, row.level, "matter_to_dispatch", "open", due=row.due_at)

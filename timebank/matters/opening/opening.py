"""Opening a matter: number, due date, first step and receipt in one transaction. The clock starts here."""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import audit, clock, database, vault
from timebank.core.database import retried, transaction
from timebank.core.errors import Busy, Conflict, Invalid, NotFound
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.matters.categories.categories import CategoryOut
from timebank.matters.loop.acting import add_step
from timebank.matters.loop.notices import notify_dispatchers, notify_reporter
from timebank.matters.opening.due import due_moment
from timebank.matters.opening.facts import Before, Found, Named, Place, read_found
from timebank.matters.opening.limits import require_room_today
from timebank.matters.opening.openers import Beneficiary, CategoryNotForThis, Opener, WishTooDear, opener_of
from timebank.matters.opening.young import TooYoungToReport
from timebank.matters.reading.rows import STORED, MatterRow, matter_row
from timebank.matters.schemas import Channel, MatterStatus, OpenIn
from timebank.matters.tables import Matter
from timebank.people.identity.ages import ADULT_FROM, age_on, is_guarded
from timebank.people.locks import lock_people
from timebank.photos.attaching import attach
from timebank.policies.values import policies_from

WAITED_MAX = timedelta(hours=24)
"""How long a report may have waited on a phone: what is older starts its clock a day before it arrives."""


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
    now, written_at = clock.now(), wanted.written_at if wanted.nonce else None
    received_at = min(max(written_at, now - WAITED_MAX), now) if written_at else now
    mark = hmac.digest(vault.key_for("matter mark"), browser.encode(), "sha256") if browser else None
    async with transaction(scope):
        await lock_people(scope, {one for one in (scope.person_id, wanted.for_person_id) if one})
        found = await read_found(scope, wanted, received_at, mark)
        decided = _decide(scope, wanted, found, channel)
        if found.before is not None:
            _require_same(found.before, decided.opener)
            return _receipt(await matter_row(scope, found.before.id), decided.category, language)
        _require_room(wanted, found, decided.opener)
        row = _insert(scope, wanted, found, decided, received_at, mark)
        await _begin(scope, row, wanted, minor=decided.minor)
        return _receipt(row, decided.category, language)


def _receipt(row: MatterRow, category: CategoryOut, language: str) -> OpenedOut:
    received = phrase("matter_received", number=row.number, category=row.category, due=row.due_at)
    texts = [received.text(language), *([category.advice] if category.advice else [])]
    return OpenedOut(id=row.id, number=row.number, status=row.status, due_at=row.due_at, texts=texts)


class _Decided(msgspec.Struct, frozen=True, kw_only=True):
    category: CategoryOut
    place: Place
    opener: Opener
    minor: bool


def _decide(scope: Scope, wanted: OpenIn, found: Found, channel: Channel | None) -> _Decided:
    """In whose name it is opened, if it may be: pure. Raises what `open_matter` raises but for limits and photos."""
    category = found.category
    if category is None or not category.active or wanted.kind not in category.kinds:
        raise CategoryNotForThis
    if found.place is None:
        raise NotFound
    named, minor = _beneficiary(scope, wanted, found.named)
    if not scope.grants and is_guarded(found.own_born):
        raise TooYoungToReport
    path = found.place.path
    opener = opener_of(scope, wanted, path, named, channel)
    _require_fits(scope, wanted, category, opener, on_duty=scope.works_in(path) or scope.leads(path))
    return _Decided(category=category, place=found.place, opener=opener, minor=minor)


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


def _require_room(wanted: OpenIn, found: Found, opener: Opener) -> None:
    """Raise TooManyMatters for the eleventh of a day, and WishTooDear."""
    if opener.entered_by is None and opener.reporter_id is not None:
        require_room_today(found.opened)
    most = policies_from(found.chosen).wish_value_max
    if wanted.value_max is not None and wanted.value_max > most:
        raise WishTooDear(most=most)


def _beneficiary(scope: Scope, wanted: OpenIn, found: Named | None) -> tuple[Beneficiary | None, bool]:
    """Whom it is for, and whether that is a child. Raises NotFound."""
    person_id = wanted.for_person_id
    if person_id is None or scope.stands_for(person_id):
        return None, False
    if found is None or found.status != "active":
        raise NotFound
    households = {own.household_id for own in scope.persons if own.community_id == scope.community_id}
    named = Beneficiary(
        under_14=is_guarded(found.born_on), in_care=found.in_care,
        same_household=found.household_id is not None and found.household_id in households,
    )  # fmt: skip
    return named, found.born_on is not None and age_on(found.born_on, clock.local_day()) < ADULT_FROM


def _require_same(before: Before, opener: Opener) -> None:
    """Raise Conflict where somebody else has used the nonce."""
    if (before.reporter_id, before.entered_by) != (opener.reporter_id, opener.entered_by):
        raise Conflict


def _insert(
    scope: Scope, wanted: OpenIn, found: Found, decided: _Decided, received_at: datetime, mark: bytes | None
) -> MatterRow:  # fmt: skip
    """Queue the matter's row, and return it without the names of people. Raises Busy where no number was free."""
    if found.free is None:
        raise Busy
    category, opener = decided.category, decided.opener
    due_at = due_moment(received_at, category.due_days, category.due_counts, found.workdays())
    signs = [one.flags() for one in found.signs if one.reporter_id == opener.reporter_id]
    place = decided.place
    row = MatterRow(
        community_id=scope.community_id, id=clock.new_id(), number=found.free, kind=wanted.kind,
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
        postponed_until=None, postpone_reason=None, followers=0, merged_into=None, moved_to=None,
        moved_from=None, first_from=None, first_id=None, moves=0, refused_because=None,
        hides_reporter=wanted.hides_reporter, may_be_contacted=wanted.may_be_contacted, published_at=None,
        flags=signs[0] if signs else [], told=[], area_path=place.path, area=place.words, grid=place.grid,
        category=category.name, is_public=category.public, staff_only=category.staff_only,
        needs_photo=category.needs_photo, minutes_max=category.minutes_max, urgent=category.urgent,
        floor=category.level, activity_id=category.activity_id, default_unit_id=category.unit_id,
        default_team_id=category.team_id, unit=None, team=None, reporter=None, for_person=None, assignee=None,
        helpers=[],
    )  # fmt: skip
    stored = {name: getattr(row, name) for name in STORED}
    database.queue(database.insert(Matter(**stored, mark=mark, nonce=wanted.nonce, created_at=clock.now())))
    return row


async def _begin(scope: Scope, row: MatterRow, wanted: OpenIn, *, minor: bool) -> None:
    """Write the first step, attach the photos, and notify who spoke and who dispatches."""
    if wanted.photo_ids and minor:
        raise Invalid(why=_("关于孩子的事不放照片，请只用文字写清楚"))
    if wanted.photo_ids:
        await database.flush()  # attaching reads the row
    own = row.reporter_id is not None and row.entered_by is None
    by = "resident" if own else "keeper" if row.channel == "desk" else "worker"
    add_step(scope, row, "open", "received", by=by, level=row.level, due_at=row.due_at, opening=True)
    await audit.record(
        scope, "open_matter", "matter", row.id, about_id=row.reporter_id, kind=row.kind, category=row.category_code,
        area_id=row.area_id, channel=row.channel,
    )  # fmt: skip
    for photo_id in wanted.photo_ids:
        await attach(scope, "matter", row.id, photo_id, "before")
    await notify_reporter(scope, row, "matter_received", "open", due=row.due_at)
    notify_dispatchers(scope, row, row.level, "matter_to_dispatch", "open", due=row.due_at)

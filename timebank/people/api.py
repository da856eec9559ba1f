"""People, their guardians and messages over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from timebank.access import registration
from timebank.access.membership_state import Standing, read_membership_state
from timebank.access.sign_in.finding import find_at_counter
from timebank.access.sign_in_codes import SignInCode
from timebank.agreements.schemas import Waiting
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.preferences import language_of
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.people import directory, messages
from timebank.people.guardianship import guardians
from timebank.people.schemas import (
    NO_NUL,
    Correction,
    Enrolment,
    GuardianIn,
    GuardianOut,
    PersonDetail,
    PersonLine,
    Status,
)
from timebank.presence.evidence.sign_in_codes import CodeIn, give_code

Words = Annotated[str, QueryParameter(max_length=60, pattern=NO_NUL)]
FullName = Annotated[str | None, QueryParameter(max_length=60, pattern=NO_NUL)]
Room = Annotated[str | None, QueryParameter(min_length=1, max_length=60, pattern=NO_NUL)]
LastFour = Annotated[str | None, QueryParameter(pattern=r"^[0-9]{4}$")]


class People(Controller):
    path = "/people"

    @get(opt=AT_THE_COUNTER)
    async def people(
        self, request: AnyRequest, caller: NamedDependency[Scope], q: Words = "", name: FullName = None,
        phone_last4: LastFour = None, room: Room = None, area_id: FromQuery[UUID | None] = None,
        status: FromQuery[Status | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[PersonLine]]:  # fmt: skip
        """The people whom the caller may list; with an exact name and last four digits or a room, only the matches."""
        if name is not None and (phone_last4 or room):
            found = await find_at_counter(caller, name, phone_last4=phone_last4 or "", room=room or "")
            return listed(request, Page(found))
        return listed(
            request,
            await directory.list_people(
                caller, q=q or name or "", area_id=area_id, status=status, limit=limit, cursor=cursor
            ),
        )

    @post()
    async def enrol(self, data: JSONBody[Enrolment], caller: NamedDependency[Scope]) -> PersonDetail:
        """Register a person. A person of 14 or over with a phone can sign in."""
        return await registration.register(caller, data)

    @get("/{person_id:uuid}")
    async def one(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> PersonDetail:
        """One person, with the fields that the caller may see."""
        return await directory.open_person(caller, person_id)

    @patch("/{person_id:uuid}", responses=WAITS)
    async def amend(
        self, person_id: FromPath[UUID], data: JSONBody[Correction], caller: NamedDependency[Scope]
    ) -> Response[PersonDetail | Waiting]:
        """Correct or block a person, or record that they left; some changes wait for a second person."""
        return done_or_waiting(await registration.amend(caller, person_id, data), 200)

    @post("/{person_id:uuid}/sign-in-code")
    async def sign_in_code(
        self, person_id: FromPath[UUID], caller: NamedDependency[Scope], data: JSONBody[CodeIn | None] = None
    ) -> SignInCode:
        """Six digits with which the person at the counter can sign in once.

        A keeper first scans the person's card or personal code, or sends name and last four digits for a first sign-in.
        """
        return await give_code(caller, person_id, data or CodeIn())

    @get("/{person_id:uuid}/login", opt=AT_THE_COUNTER)
    async def login(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Standing:
        """Whether the person's phone can sign in, waits for its holder's answer, or may not spend yet."""
        return await read_membership_state(caller, person_id)

    @get("/{person_id:uuid}/guardians")
    async def guardians(self, person_id: FromPath[UUID], caller: NamedDependency[Scope]) -> list[GuardianOut]:
        """The person's guardians and dependants."""
        return await guardians.guardianships_of(caller, person_id)

    @post("/{person_id:uuid}/guardians", responses=WAITS)
    async def name_guardian(
        self, person_id: FromPath[UUID], data: JSONBody[GuardianIn], caller: NamedDependency[Scope]
    ) -> Response[GuardianOut | Waiting]:
        """Name a guardian of the child; naming oneself or a household member waits for another administrator."""
        return done_or_waiting(await guardians.name_guardian(caller, person_id, data))


class Guardianships(Controller):
    path = "/guardianships"

    @post("/{guardianship_id:uuid}/consent", status_code=200, responses=WAITS)
    async def consent(
        self, guardianship_id: FromPath[UUID], caller: NamedDependency[Scope]
    ) -> Response[GuardianOut | Waiting]:
        """Record the guardian's consent; that of the administrator's household waits for another administrator."""
        return done_or_waiting(await guardians.record_consent(caller, guardianship_id), 200)

    @delete("/{guardianship_id:uuid}/consent", status_code=200)
    async def withdraw(self, guardianship_id: FromPath[UUID], caller: NamedDependency[Scope]) -> GuardianOut:
        """Record that the guardian has withdrawn the consent."""
        return await guardians.withdraw_consent(caller, guardianship_id)

    @delete("/{guardianship_id:uuid}")
    async def end(self, guardianship_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """End a guardianship."""
        await guardians.end_guardianship(caller, guardianship_id)


class Messages(Controller):
    path = "/me/messages"

    @get()
    async def own(
        self, request: AnyRequest, caller: NamedDependency[Scope], unread: FromQuery[bool] = False, limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response[Page[messages.MessageOut]]:  # fmt: skip
        """The caller's messages that are due, newest first, in the language that was asked for."""
        found = await messages.own_messages(
            caller, unread=unread, limit=limit, cursor=cursor, language=language_of(request)
        )
        return listed(request, found)

    @post("/{message_id:uuid}/read", status_code=204)
    async def read(self, message_id: FromPath[UUID], caller: NamedDependency[Scope]) -> None:
        """Mark a message of the caller as read."""
        await messages.mark_read(caller, message_id)

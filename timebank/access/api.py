"""Sign-in, the caller's own login, sign-on at a counter, and role grants over HTTP."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.access.devices import sign_on
from timebank.access.devices.sign_on import OnDuty, SignOnIn
from timebank.access.membership_state import AnswerIn, answer_membership_question, questions
from timebank.access.roles import grants, listing
from timebank.access.schemas import GrantIn, GrantOut, LoginOut, MeOut, NewPassword, PersonOut, SessionOut, SignIn
from timebank.access.sign_in import sessions
from timebank.access.sign_in.device_kinds import kind_of_device
from timebank.access.sign_in.own_password import change_password
from timebank.agreements.schemas import Waiting
from timebank.areas.reach import regions_beyond
from timebank.core.errors import Unauthenticated
from timebank.core.paging import Page
from timebank.core.scope import Grant, ResidentRecord, Role, Scope
from timebank.http.callers import WITHOUT_A_KEEPER, AnyRequest, client_address
from timebank.http.paging import Cursor, Limit, listed
from timebank.http.waiting import WAITS, done_or_waiting
from timebank.people.guardianship.guardians import children_of
from timebank.people.identity.phones import normal_phone


async def persons_out(persons: tuple[ResidentRecord, ...], grants: frozenset[Grant]) -> list[PersonOut]:
    """A login's resident records with the roles held in their communities.

    The first record also lists the roles in communities where the login has none.
    """
    homes = {p.community_id for p in persons}
    beyond = await regions_beyond({g.region_id for g in grants if g.region_id}, homes)
    elsewhere = [g for g in grants if g.region_id in beyond or (g.community_id and g.community_id not in homes)]
    return [
        PersonOut(
            person_id=p.person_id,
            community_id=p.community_id,
            community_name=p.community_name,
            name=p.name,
            roles=sorted(
                {g.role.value for g in grants if g.reaches(p.community_id, p.path)}
                | {g.role.value for g in elsewhere if i == 0}
            ),
            rests_until=p.rests_until,
        )
        for i, p in enumerate(persons)
    ]


class Sessions(Controller):
    path = "/sessions"

    @post()
    async def sign_in(self, data: JSONBody[SignIn], request: AnyRequest) -> Response[SessionOut]:
        """Open a session by phone and password, or phone and one-time code."""
        opened = await sessions.sign_in(
            normal_phone(data.phone), password=data.password, otp=data.otp, address=client_address(request),
            request_id=request.state.get("request_id", ""),
            device=kind_of_device(request.headers.get("User-Agent", "")),
        )  # fmt: skip
        holder = await sessions.find_session(opened.token)
        if holder is None:
            raise Unauthenticated
        out = SessionOut(
            token=opened.token,
            expires_at=opened.expires_at,
            login=LoginOut(opened.login_id),
            persons=await persons_out(holder.persons, holder.grants),
            weak_password=opened.weak_password,
        )
        return Response(out, status_code=201)

    @delete("/current")
    async def sign_out(self, caller: NamedDependency[Scope]) -> None:
        """End the session of this request."""
        if caller.session_id:
            await sessions.sign_out(caller.session_id, caller.request_id)


class Me(Controller):
    path = "/me"

    @get()
    async def me(self, caller: NamedDependency[Scope]) -> MeOut:
        """The login, its resident records with their roles, the dependants, and the records that wait for an answer."""
        if caller.login_id is None:
            raise Unauthenticated
        return MeOut(
            login=LoginOut(caller.login_id), persons=await persons_out(caller.persons, caller.grants),
            children=await children_of(caller),
            questions=await questions(caller),
        )  # fmt: skip

    @post("/memberships/{community_id:uuid}/{person_id:uuid}", status_code=204)
    async def answer(
        self, community_id: FromPath[UUID], person_id: FromPath[UUID], data: JSONBody[AnswerIn],
        caller: NamedDependency[Scope],
    ) -> None:  # fmt: skip
        """Accept or decline that a record registered with the login's phone joins the login; only the holder may."""
        await answer_membership_question(caller, community_id, person_id, data)

    @post("/password", status_code=204)
    async def change_password(self, data: JSONBody[NewPassword], caller: NamedDependency[Scope]) -> None:
        """Set the caller's password; every other session of the login ends."""
        await change_password(caller, data.password, data.current, data.otp)


class Counter(Controller):
    path = "/counter"
    opt = WITHOUT_A_KEEPER

    @get("/sign-on")
    async def on_duty(self, caller: NamedDependency[Scope]) -> OnDuty | None:
        """The keeper signed on to this counter tablet; null for nobody."""
        return await sign_on.on_duty(caller)

    @post("/sign-on")
    async def sign_on(self, data: JSONBody[SignOnIn], request: AnyRequest, caller: NamedDependency[Scope]) -> OnDuty:
        """Sign a keeper on to this counter tablet for 12 hours, with phone and password."""
        return await sign_on.sign_on(caller, data, address=client_address(request))

    @delete("/sign-on")
    async def sign_off(self, caller: NamedDependency[Scope]) -> None:
        """Sign the keeper off from this counter tablet."""
        await sign_on.sign_off(caller)


ENDED = {204: ResponseSpec(None, description="The role has ended.", generate_examples=False)}


class Roles(Controller):
    path = "/roles"

    @get()
    async def roles(
        self, request: AnyRequest, caller: NamedDependency[Scope], person_id: FromQuery[UUID | None] = None,
        role: FromQuery[Role | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[GrantOut]]:  # fmt: skip
        """The role grants of the community's people, newest first."""
        return listed(request, await listing.grants(caller, person_id=person_id, role=role, limit=limit, cursor=cursor))

    @post(responses=WAITS)
    async def grant(self, data: JSONBody[GrantIn], caller: NamedDependency[Scope]) -> Response[GrantOut | Waiting]:
        """Grant a person a role over one place; an administrator's or auditor's may wait for somebody from above."""
        return done_or_waiting(await grants.grant(caller, data))

    @delete("/{grant_id:uuid}", status_code=202, responses=ENDED)
    async def end(self, grant_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Response[Waiting | None]:
        """End a role grant at once; ending an auditor's may wait for somebody from above."""
        return done_or_waiting(await grants.end_grant(caller, grant_id), 204)

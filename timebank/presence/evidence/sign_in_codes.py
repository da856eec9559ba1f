"""Sign-in codes given at the counter: to a person who was scanned there, or for a first sign-in."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from timebank.access.sign_in import attempt_limits
from timebank.access.sign_in.logins import Proof, login_by_phone
from timebank.access.sign_in_codes import SignInCode, receiving_phone, sign_in_code
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.people.contact import is_called
from timebank.presence.at_counter import was_scanned

TRIES_MAX = 120
TRIES_WINDOW = timedelta(minutes=15)


class CodeNeedsPresence(TimebankError):
    code = "code_needs_presence"
    status = 422
    sentence = (
        "发登录码要本人在场：请先在本站扫这位居民的卡或个人码，5 分钟内发码；"
        "第一次登录的，核对姓名和手机号或身份证号后四位。都不行的，请社区管理员来发。"
    )


class NotFirstSignIn(TimebankError):
    code = "not_first_sign_in"
    status = 422
    sentence = "这个手机号登录过，只核对姓名和后四位不够。请扫本人的卡或个人码，或请社区管理员来发登录码。"


class NotCalledSo(TimebankError):
    code = "not_called_so"
    status = 422
    sentence = "姓名或后四位和登记的不一样，没有发码。请再问一遍本人；登记错了的，请社区管理员更正。"


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    """The full name, and the last four digits of the phone or identity number, for a first sign-in without a card."""

    name: Annotated[str, Meta(max_length=60, pattern=r"^[^\x00]*$")] = ""
    last4: Annotated[str, Meta(pattern=r"^([0-9]{3}[0-9Xx])?$")] = ""


async def give_code(scope: Scope, person_id: UUID, told: CodeIn) -> SignInCode:
    """Give a sign-in code to a person at the counter.

    A keeper gives it after a scan of the person's card or own code at the keeper's station in the last five minutes.
    For a login that nobody has used yet, the name and four digits are enough; the login then may not spend until
    somebody else has confirmed the person, for three days at most. An administrator needs no proof, but without one the
    login rests where there is something to spend. Raises CodeNeedsPresence, NotFirstSignIn, NotCalledSo.
    """
    phone = await receiving_phone(scope, person_id)
    return await sign_in_code(scope, person_id, await _proof(scope, person_id, phone, told))


async def _proof(scope: Scope, person_id: UUID, phone: str, told: CodeIn) -> Proof:
    if await was_scanned(scope, person_id):
        return "scan"
    if scope.administers:
        return "office"
    if not (told.name and told.last4):
        raise CodeNeedsPresence
    await attempt_limits.count_attempt(f"find:{scope.login_id}", most=TRIES_MAX, window=TRIES_WINDOW)
    if not await is_called(scope, person_id, told.name, told.last4):
        raise NotCalledSo
    login = await login_by_phone(phone)
    async with transaction(scope):
        if login and await database.fetch_value("SELECT login_is_used($1)", login.id):
            raise NotFirstSignIn
    return "name"

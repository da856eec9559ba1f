"""Resting logins and merges: nothing can be spent for a time, because it is not certain whose they are."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from timebank.core import clock
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import said

RESTS_FOR = timedelta(hours=72)


class SpendingRests(TimebankError):
    code = "spending_rests"
    status = 403
    sentence = (
        "这个账号刚开通或刚换了手机号，花费要等到{until:at}，或请另一位工作人员在后台确认是您本人。"
        "签到、查看照常；有卡的，可以到柜台扫卡领取。"
    )

    def text(self, language: str = "zh") -> str:
        return said(self.sentence, **self.values).text(language)


class MergeRests(TimebankError):
    code = "merge_rests"
    status = 403
    sentence = "这位居民的两条登记刚刚合并，花费要等到{until:at}，或请另一位工作人员在后台确认是本人。签到、查看照常。"

    def text(self, language: str = "zh") -> str:
        return said(self.sentence, **self.values).text(language)


def require_merge_rested(until: datetime | None) -> None:
    """Raise MergeRests before this moment, for a login and a card alike: the merge may have joined two people."""
    if until is not None and until > clock.now():
        raise MergeRests(until=until)


def require_rested(until: datetime | None) -> None:
    """Raise SpendingRests before this moment."""
    if until is not None and until > clock.now():
        raise SpendingRests(until=until)


def require_spendable(scope: Scope, person_ids: Iterable[UUID] | None = None) -> None:
    """Raise SpendingRests if the login rests for one of these own records; None: for any own record here."""
    wanted = None if person_ids is None else set(person_ids)
    for mine in scope.persons:
        if mine.community_id == scope.community_id and (wanted is None or mine.person_id in wanted):
            require_rested(mine.rests_until)

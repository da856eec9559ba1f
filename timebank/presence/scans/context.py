"""The scan context: what is known of one scan before the database is asked."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from timebank.areas.reach import within_reach
from timebank.core import codes, scanned
from timebank.core.codes import CardCode, Code, InvalidCode, PersonCode, StationCode
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Scope
from timebank.presence.evidence.browsers import Browser
from timebank.presence.evidence.claims import Claim
from timebank.presence.evidence.device_clock import DeviceClock
from timebank.presence.schemas import ScanIn

BY_COUNTER = ("personal_code", "card", "keeper")
HOW: dict[type, str] = {StationCode: "station_code", PersonCode: "personal_code", CardCode: "card"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanContext:
    """One scan: who sends it, what was sent, and when the server received it.

    `code` is None where the text is no code, for a person whom the keeper found by name (`found_id`), and for one whom
    the keeper's scan `seen_by` has identified a moment ago (`seen_id`). `scope` is that of the keeper who answers for
    the scan, and `sender` that of who sends it, where another keeper was signed on when it was made.
    """

    scope: Scope
    asked: ScanIn
    received_at: datetime
    code: Code | None = None
    found_id: UUID | None = None
    seen_id: UUID | None = None
    seen_by: str | None = None
    seen_how: str = ""
    claim: Claim | None = None
    browser: Browser | None = None
    clock: DeviceClock = field(default_factory=DeviceClock)
    sender: Scope | None = None

    @property
    def by(self) -> str:
        """How the person was identified: by which code, or by the keeper. Empty where the text is no code."""
        return "keeper" if self.found_id is not None else self.seen_how or HOW.get(type(self.code), "")

    @property
    def marks(self) -> list[bytes]:
        """The hashes of the browser that sent a station's code; none for a counter, which scans everybody."""
        return self.browser.marks(self.scope) if self.browser and self.by == "station_code" else []

    @property
    def is_dated(self) -> bool:
        """Whether the device says when it made the scan: it was offline."""
        return self.asked.offline and self.asked.occurred_at is not None


def read_code(text: str) -> Code | None:
    """The code in a scanned text; None where the text is no code."""
    try:
        return codes.read(text)
    except InvalidCode:
        return None


def no_code(text: str) -> str:
    """The reason for refusing a text that is no code: invalid, or spoilt because all letters came in one case."""
    return "letters_of_one_case" if scanned.has_lost_case(text) else "invalid_code"


async def scope_for_code(scope: Scope, code: Code | None) -> Scope:
    """The caller's scope in the community of the code, where the caller may use it there; else the scope unchanged."""
    if code is None or code.community_id == scope.community_id:
        return scope
    if isinstance(code, StationCode):
        return scope.within(code.community_id) if code.community_id in scope.home_ids else scope
    try:
        there = await within_reach(scope, code.community_id)
    except NotFound:
        return scope
    return there if _serves(there) else scope


def _serves(scope: Scope) -> bool:
    return bool(scope.kept_stations) or scope.administers


def require_counter(scope: Scope) -> None:
    """Raise Forbidden for a caller who serves at no station: only those who serve may scan other people's codes."""
    if not _serves(scope):
        raise Forbidden

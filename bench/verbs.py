"""The verbs that people wait for: each with its requests, the answer that it must get, and the statement of pgbench."""

import itertools
import json
import random
import re
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from bench import scripts
from bench.ground import CLOSED_VISITS, GOODS, OPEN_VISITS, Ground, Resident
from timebank.core import clock, codes
from timebank.http.callers import SESSION_COOKIE


@dataclass
class Requests:
    """Makes requests as phones send them, and keeps what was sent, to be compared with the tables afterwards."""

    ground: Ground
    port: int
    nonces: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    _codes: dict[UUID, str] = field(default_factory=dict)
    _step: int = 0

    def check_outs(self, runs_left: int) -> Iterator[bytes]:
        """Check-outs of people whose visit began before the measurement; each person once."""
        for resident in self._part_of(self.ground.inside, runs_left):
            self.ground.outside.append(resident)
            yield self._scan(resident, "out")

    def check_ins(self, runs_left: int) -> Iterator[bytes]:
        """Check-ins of people without an open visit: of all who have just checked out, if check-outs are measured."""
        for resident in self._part_of(self.ground.outside, 1 if self.sent["out"] else runs_left):
            yield self._scan(resident, "in")

    def reservations(self, _runs_left: int) -> Iterator[bytes]:
        """Each resident in turn reserves one of all goods."""
        return self._reserve(lambda: random.choice(self.ground.stock))

    def reservations_of_one(self, _runs_left: int) -> Iterator[bytes]:
        """Each resident in turn reserves the same good."""
        return self._reserve(lambda: self.ground.stock[0])

    def balances(self, _runs_left: int) -> Iterator[bytes]:
        return self._read("/api/v1/me/balances", "Authorization: Bearer ")

    def statements(self, _runs_left: int) -> Iterator[bytes]:
        return self._read("/api/v1/me/statement", "Authorization: Bearer ")

    def first_pages(self, _runs_left: int) -> Iterator[bytes]:
        return self._read("/", f"Cookie: {SESSION_COOKIE}=")

    def _part_of(self, people: deque[Resident], runs_left: int) -> Iterator[Resident]:
        """This run's part of the people, so that there are others for the runs that are left."""
        for _ in range(len(people) // runs_left):
            yield people.popleft()

    def _scan(self, resident: Resident, direction: str) -> bytes:
        nonce = uuid.uuid4().hex
        self.nonces.append(nonce)
        self.sent[direction] += 1
        body = {"code": self._code(resident.station_id), "nonce": nonce, "direction": direction}
        return self._post("/api/v1/checkins", resident, body)

    def _code(self, station_id: UUID) -> str:
        """The code that the station's screen shows now."""
        now = clock.now()
        if (step := codes.step_of(now, codes.STATION_STEP_SECONDS)) != self._step:
            self._step = step
            self._codes.clear()
        if station_id not in self._codes:
            self._codes[station_id] = codes.url("c", codes.station_code(self.ground.community, station_id, 1, now))
        return self._codes[station_id]

    def _reserve(self, draw: Callable[[], tuple[UUID, UUID]]) -> Iterator[bytes]:
        for resident in itertools.cycle(self.ground.everybody):
            station_id, good_id = draw()
            self.sent["reserved"] += 1
            body = {"person_id": str(resident.id), "good_id": str(good_id), "station_id": str(station_id)}
            yield self._post("/api/v1/redemptions", resident, body, f"Idempotency-Key: {uuid.uuid4()}\r\n")

    def _post(self, path: str, resident: Resident, body: dict[str, str], more: str = "") -> bytes:
        content = json.dumps(body)
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {resident.token}\r\n{more}"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
        ).encode()

    def _read(self, path: str, proof: str) -> Iterator[bytes]:
        """Each reader in turn, in an order drawn by chance."""
        readers = random.sample(self.ground.readers, len(self.ground.readers))
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{proof}"
        return itertools.cycle([f"{head}{reader.token}\r\n\r\n".encode() for reader in readers])


def _answer(status: int, body: str) -> re.Pattern[bytes]:
    return re.compile(rf"HTTP/1\.1 {status} .*?\r\n\r\n{body}".encode(), re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`requests` makes those of one run, given how many runs are left; `expected` is the answer to each.

    `script` is the statement of pgbench for it. `people` draws the resident of each of its transactions: everybody
    "once", or by chance anybody ("any") or a reader ("reader"), and one of so many `goods`. `prepares`
    bring the visits of pgbench's community ($1) into the state that the statement begins from.
    """

    requests: Callable[[Requests, int], Iterator[bytes]]
    expected: re.Pattern[bytes]
    script: str
    people: str
    goods: int = 0
    prepares: tuple[str, ...] = ()


VERBS = {
    "check-out": Verb(
        requests=Requests.check_outs, script=scripts.CHECK_OUT, people="once", prepares=(CLOSED_VISITS, OPEN_VISITS),
        expected=_answer(200, r'\{"status":"ok",.*"direction":"out",.*"credited":\{"minutes":[1-9]\d*,"points":[1-9]'),
    ),
    "check-in": Verb(
        requests=Requests.check_ins, script=scripts.CHECK_IN, people="once", prepares=(CLOSED_VISITS,),
        expected=_answer(200, r'\{"status":"ok",.*"direction":"in",.*"replayed":false'),
    ),
    "reservation": Verb(
        requests=Requests.reservations, script=scripts.RESERVATION, people="any", goods=GOODS,
        expected=_answer(201, r'\{"id":.*"status":"reserved"'),
    ),
    "reservation-of-one": Verb(
        requests=Requests.reservations_of_one, script=scripts.RESERVATION, people="any", goods=1,
        expected=_answer(201, r'\{"id":.*"status":"reserved"'),
    ),
    "balances": Verb(
        requests=Requests.balances, script=scripts.BALANCES, people="reader",
        expected=_answer(200, r'\{"points":\{"available":[1-9]'),
    ),
    "statement": Verb(
        requests=Requests.statements, script=scripts.STATEMENT, people="reader",
        expected=_answer(200, r'\{"items":\[\{.*"next":"'),
    ),
    "home": Verb(
        requests=Requests.first_pages, script=scripts.HOME, people="reader",
        expected=_answer(200, r'.*积分.*href="/me/code".*</html>'),
    ),
}  # fmt: skip

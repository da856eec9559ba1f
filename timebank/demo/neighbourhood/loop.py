"""A matter of the demo through its verbs, each carried out at its time by whom it is for."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec

from timebank.core.scope import Scope
from timebank.demo.neighbourhood.scenes import scene
from timebank.demo.population import NIL
from timebank.demo.stories import Step
from timebank.matters.loop.confirming import confirm_matter
from timebank.matters.loop.handling import finish_matter
from timebank.matters.loop.showing import publish
from timebank.matters.opening.opening import open_matter
from timebank.matters.schemas import ConfirmIn, FinishIn, OpenIn, PublishIn
from timebank.photos.clearing import paint_over
from timebank.photos.drawing import SIDE_MAX
from timebank.photos.keeping import keep
from timebank.photos.schemas import Box
from timebank.service_records.review import review_record
from timebank.service_records.schemas import ReviewIn


class Act(NamedTuple):
    at: datetime
    do: Callable[[], Awaitable[object]]


@dataclass(slots=True, kw_only=True)
class Loop:
    """A matter that `by` opens at a time; `then` adds what happens to it afterwards. `scene` is drawn as its picture.

    `lane`: what else it waits for. `photo`: the last picture of what was done. `records`: the hours of its helpers.
    """

    by: Scope
    wanted: OpenIn
    at: datetime
    lane: UUID
    scene: str = ""
    id: UUID = NIL
    photo: UUID = NIL
    records: list[UUID] = field(default_factory=list)
    _acts: list[Act] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        yield Step(self.at, self.lane, self._open)
        for act in self._acts:
            yield Step(act.at, self.lane, act.do)

    @property
    def last(self) -> datetime:
        return self._acts[-1].at if self._acts else self.at

    def then(self, at: datetime, verb: Callable[..., Awaitable[object]], by: Scope, *given: Any) -> Self:
        """One of the verbs of a matter, at a time."""
        self._acts.append(Act(at, lambda: verb(by, self.id, *given)))
        return self

    def finish(self, at: datetime, by: Scope, result: str, *, scene: str = "", minutes: int = 0) -> Self:
        """It is done, with a picture where one is drawn; an order took so many minutes until then."""

        async def done() -> None:
            wanted = FinishIn(result=result)
            if scene:
                wanted.photo_ids = [await _photo(by, scene)]
                self.photo = wanted.photo_ids[0]
            if minutes:
                wanted.started_at, wanted.ended_at = at - timedelta(minutes=minutes), at
            await finish_matter(by, self.id, wanted)

        self._acts.append(Act(at, done))
        return self

    def confirm(self, at: datetime, by: Scope, note: str = "") -> Self:
        """It is true; the hours of who helped with an order then wait for their review."""

        async def confirmed() -> None:
            self.records = (await confirm_matter(by, self.id, ConfirmIn("true", note))).records

        self._acts.append(Act(at, confirmed))
        return self

    def review(self, at: datetime, by: Scope) -> Self:
        """Somebody else approves the hours of who helped."""

        async def reviewed() -> None:
            for record_id in self.records:
                await review_record(by, record_id, ReviewIn("approve", "打电话问过"))

        self._acts.append(Act(at, reviewed))
        return self

    def also(self, at: datetime, do: Callable[[], Awaitable[object]]) -> Self:
        """Something else that happens to it, such as a job of the worker."""
        self._acts.append(Act(at, do))
        return self

    def show(self, at: datetime, by: Scope, text: str, painted: Box) -> Self:
        """Two sentences for everybody, and the picture of what was done with a number plate painted over."""

        async def shown() -> None:
            photo = await paint_over(by, self.photo, [painted])
            await publish(by, self.id, PublishIn(text, [photo.id], cleared=True))

        self._acts.append(Act(at, shown))
        return self

    async def _open(self) -> None:
        wanted = self.wanted
        if self.scene:
            wanted = msgspec.structs.replace(wanted, photo_ids=[await _photo(self.by, self.scene)])
        self.id = (await open_matter(self.by, wanted)).id


async def _photo(by: Scope, name: str) -> UUID:
    return (await keep(by, scene(name), SIDE_MAX)).id

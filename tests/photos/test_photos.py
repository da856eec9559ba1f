"""Photos of any noun, tried on those of deeds: kept without metadata, attached, painted over, published, purged."""

import asyncio
import io
import itertools
import struct
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from PIL import ExifTags, Image, ImageChops, ImageOps

from tests.deeds.test_deeds import MORNING, deed_of, filed
from tests.support.pictures import bomb, kept_by, photos_in, picture, taken_by_phone
from tests.support.town import PHOENIX, SPRING, Town
from timebank.core import clock
from timebank.core.errors import Forbidden, Invalid, NotFound
from timebank.core.scope import Scope
from timebank.deeds.credit import credit_due_deeds, reverse_deed
from timebank.deeds.filing.filing import file_deed, undo_filed_deeds
from timebank.deeds.photos import DeedOfChild
from timebank.deeds.review import DeedReviewed, review_deed
from timebank.objections.deciding import PartyToDeed, decide_objection
from timebank.objections.objecting import object_to
from timebank.photos.attaching import TooManyPhotos, attach
from timebank.photos.clearing import PhotoNotCleared, paint_over, publish_photo, remove_photo
from timebank.photos.drawing import SIDE_MAX, NotAPhoto, PhotoTooLarge, draw_anew
from timebank.photos.keeping import UNATTACHED_MAX, TooManyUnattached, keep
from timebank.photos.purging import purge_photos, purge_unattached_photos
from timebank.photos.schemas import AttachmentOut
from timebank.photos.seeing import photos_attached, read_photo
from timebank.policies.values import change_policy
from timebank.trail.words import verbs

FAR_UNIT = f"{PHOENIX}/第一网格/5栋/2单元"
WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def attached(town: Town, deed_id: UUID, by: str = "李秀英", content: bytes = b"") -> AttachmentOut:
    return await attach(await town.scope(by), "deed", deed_id, await kept_by(town, by, content), "proof")


def seen(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as photo:
        return photo.convert("RGB")


def brightest(part: Image.Image) -> int:
    """The highest value of any pixel's red, green or blue."""
    return max(part.tobytes())


# ------------------------------------------------------------------------------------------------------------- kept


async def test_nothing_that_the_camera_wrote_is_kept(town: Town) -> None:
    head = await town.scope("李秀英")
    kept = await keep(head, taken_by_phone((4000, 3000)), SIDE_MAX)
    content = await read_photo(head, kept.id)
    with Image.open(io.BytesIO(content)) as photo:
        assert (photo.format, photo.size, dict(photo.getexif())) == ("WEBP", (1200, 1600), {})
        assert (kept.width, kept.height) == photo.size
    assert b"Camera" not in content
    assert b"photographer" not in content


@pytest.mark.parametrize("way", range(1, 9))
async def test_a_photo_stands_upright_however_the_phone_was_held(town: Town, way: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = way
    held = Image.new("RGB", (64, 32), "white")
    held.paste("black", (0, 0, 32, 16))  # one corner
    out = io.BytesIO()
    held.save(out, "PNG", exif=exif)
    head = await town.scope("李秀英")
    with Image.open(io.BytesIO(out.getvalue())) as photo:
        upright = ImageOps.exif_transpose(photo).convert("L")
    kept = seen(await read_photo(head, (await keep(head, out.getvalue(), SIDE_MAX)).id)).convert("L")
    assert kept.size == upright.size
    difference = ImageChops.difference(kept.resize((8, 8)), upright.resize((8, 8)))
    assert brightest(difference) < 60


async def test_a_photo_whose_camera_wrote_nonsense_is_kept_upright(town: Town) -> None:
    """A resolution in words, a camera's name as a number: the picture itself is good."""
    head = await town.scope("李秀英")
    for tag, kind, count in ((0x011A, 2, 16), (0x010F, 11, 4)):
        turned = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
        tags = struct.pack("<H", 2) + turned + struct.pack("<HHII", tag, kind, count, 38) + bytes(4)
        nonsense = b"Exif\0\0II*\0" + struct.pack("<I", 8) + tags + b"seventy-two dots"
        content = picture((40, 20))
        content = content[:2] + b"\xff\xe1" + struct.pack(">H", len(nonsense) + 2) + nonsense + content[2:]
        kept = await keep(head, content, SIDE_MAX)
        assert (kept.width, kept.height) == (20, 40)


async def test_uploads_that_wait_for_their_turn_are_not_read_yet() -> None:
    """Twenty residents who send photos at once need the memory of one: each file is read when the last one is done."""
    read: list[int] = []

    class Watched(io.BytesIO):
        number = 0

        def read(self, size: int | None = -1) -> bytes:
            read.append(self.number)
            return super().read(size)

    uploads = [Watched(picture((64, 48))) for _ in range(20)]
    for number, upload in enumerate(uploads):
        upload.number = number
    uploads[0].seek(0, io.SEEK_END)
    drawn = await asyncio.gather(*(draw_anew(upload, SIDE_MAX) for upload in uploads))
    assert {(each.width, each.height) for each in drawn} == {(64, 48)}
    assert [number for number, _ in itertools.groupby(read)] == list(range(20))


async def test_a_small_photo_is_not_blown_up(town: Town) -> None:
    kept = await keep(await town.scope("李秀英"), picture((30, 20), "PNG"), SIDE_MAX)
    assert (kept.width, kept.height) == (30, 20)


@pytest.mark.parametrize(
    ("size", "kept_as"),
    [
        ((4000, 3000), (1600, 1200)), ((3000, 4000), (1200, 1600)), ((3199, 1601), (1600, 801)),
        ((1601, 3), (1600, 3)), ((9000, 2), (1600, 1)), ((1, 9000), (1, 1600)),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("mode", "kind"), [("RGB", "JPEG"), ("CMYK", "JPEG"), ("L", "JPEG"), ("LA", "PNG")])
async def test_the_longer_side_of_a_large_photo_is_as_long_as_kept_photos_are(
    mode: str, kind: str, size: tuple[int, int], kept_as: tuple[int, int]
) -> None:
    out = io.BytesIO()
    Image.new(mode, size, "white").save(out, kind)
    drawn = await draw_anew(out.getvalue(), SIDE_MAX)
    with Image.open(io.BytesIO(drawn.content)) as photo:
        assert (drawn.width, drawn.height) == photo.size == kept_as


@pytest.mark.parametrize("size", [(3200, 2400), (3190, 2390)])
async def test_a_large_photo_keeps_what_can_be_seen_at_its_new_size(size: tuple[int, int]) -> None:
    """Lines of 3 points stay black and white, whether the JPEG is decoded at a half or whole."""
    lined = Image.new("L", size, "white")
    for x in range(0, size[0], 6):
        lined.paste("black", (x, 0, x + 3, size[1]))
    out = io.BytesIO()
    lined.save(out, "JPEG", quality=95)
    drawn = seen((await draw_anew(out.getvalue(), SIDE_MAX)).content).convert("L").resize((SIDE_MAX, 1))
    dark, light = sorted(drawn.tobytes())[100], sorted(drawn.tobytes())[-100]
    assert (dark < 40, light > 215) == (True, True)


async def test_a_picture_that_would_unfold_into_too_much_is_refused_with_a_sentence(town: Town) -> None:
    head = await town.scope("李秀英")
    with pytest.raises(PhotoTooLarge, match="照片太大了。请选 5 MB 以内"):
        await keep(head, bomb(), SIDE_MAX)
    with pytest.raises(PhotoTooLarge):
        await keep(head, bytes(5 * 1024 * 1024 + 1), SIDE_MAX)
    for content in (b"", b"GIF89a" + bytes(200), picture()[:300]):
        with pytest.raises(NotAPhoto):
            await keep(head, content, SIDE_MAX)
    assert await photos_in(town.system()) == set()


async def test_a_photo_that_nothing_has_is_its_uploaders_alone(town: Town) -> None:
    photo = await kept_by(town, "李秀英")
    assert await read_photo(await town.scope("李秀英"), photo)
    for other in ("张桂兰", "陈明", "赵丽", "何静"):
        with pytest.raises(NotFound):
            await read_photo(await town.scope(other), photo)
        with pytest.raises(NotFound):
            await paint_over(await town.scope(other), photo, [(0, 0, 9, 9)])


async def test_nobody_fills_the_disk_with_photos_that_nothing_has(town: Town) -> None:
    with clock.at(MORNING):
        for _ in range(UNATTACHED_MAX):
            await kept_by(town, "张桂兰")
        with pytest.raises(TooManyUnattached):
            await kept_by(town, "张桂兰")
        await kept_by(town, "李秀英")
    with clock.at(MORNING + HOUR):
        await kept_by(town, "张桂兰")


# --------------------------------------------------------------------------------------------------------- attached


async def test_a_head_proves_a_deed_with_three_photos_and_not_with_four(town: Town) -> None:
    deed = await filed(town)
    added = [await attached(town, deed.id) for _ in range(3)]
    assert [each.photo_id for each in await photos_attached(await town.scope("陈明"), "deed", deed.id)] == [
        each.photo_id for each in added
    ]
    with pytest.raises(TooManyPhotos):
        await attached(town, deed.id)
    other = await filed(town, by="陈明", person="刘洋", area=FAR_UNIT)
    await attached(town, other.id, by="陈明")


async def test_of_five_photos_at_once_three_are_attached(town: Town, owner: asyncpg.Connection) -> None:
    deed = await filed(town)
    photos = [await kept_by(town, "李秀英") for _ in range(5)]
    head = await town.scope("李秀英")
    answers = await asyncio.gather(
        *(attach(head, "deed", deed.id, photo, "proof") for photo in photos), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["AttachmentOut"] * 3 + ["TooManyPhotos"] * 2
    assert await owner.fetchval("SELECT count(*) FROM attachment") == 3
    assert await owner.fetchval("SELECT count(*) FROM photo WHERE unattached_until IS NOT NULL") == 2


async def test_a_photo_attached_again_is_attached_once_and_to_one_thing(town: Town) -> None:
    head, deed, other = await town.scope("李秀英"), await filed(town), await filed(town, note="又一件")
    photo = await kept_by(town, "李秀英")
    assert await attach(head, "deed", deed.id, photo, "proof") == await attach(head, "deed", deed.id, photo, "proof")
    with pytest.raises(NotFound):
        await attach(head, "deed", other.id, photo, "proof")
    assert len(await photos_attached(head, "deed", deed.id)) == 1


async def test_one_photo_raced_to_two_deeds_is_of_one(town: Town, owner: asyncpg.Connection) -> None:
    head, photo = await town.scope("李秀英"), await kept_by(town, "李秀英")
    deeds = [await filed(town), await filed(town, note="又一件")]
    answers = await asyncio.gather(
        *(attach(head, "deed", deed.id, photo, "proof") for deed in deeds), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["AttachmentOut", "NotFound"]
    assert await owner.fetchval("SELECT count(*) FROM attachment") == 1


async def test_only_the_filer_adds_and_only_own_photos(town: Town) -> None:
    deed = await filed(town)
    for other in ("陈明", "孙伟", "赵丽"):
        with pytest.raises(Forbidden):
            await attached(town, deed.id, by=other)
    for stranger in ("张国庆", "何静"):
        with pytest.raises(NotFound):
            await attached(town, deed.id, by=stranger)
    with pytest.raises(NotFound):
        await attach(await town.scope("李秀英"), "deed", deed.id, await kept_by(town, "陈明"), "proof")
    with pytest.raises(Invalid):
        await attach(await town.scope("李秀英"), "deed", deed.id, await kept_by(town, "李秀英"), "before")
    with pytest.raises(NotFound):
        await attach(await town.scope("李秀英"), "loan", deed.id, await kept_by(town, "李秀英"), "condition")


async def test_a_head_adds_photos_to_a_deed_that_somebody_else_filed_for_them(town: Town) -> None:
    deed = await filed(town, by="赵丽", person="李秀英")
    await attached(town, deed.id)
    resident = await filed(town, by="赵丽", person="张桂兰")
    with pytest.raises(Forbidden):
        await attached(town, resident.id, by="张桂兰")


async def test_a_decided_deed_takes_no_more_photos(town: Town) -> None:
    deed = await filed(town)
    first = await attached(town, deed.id)
    await review_deed(await town.scope("陈明"), deed.id, "approve", "")
    with pytest.raises(DeedReviewed):
        await attached(town, deed.id)
    with pytest.raises(Forbidden):
        await paint_over(await town.scope("李秀英"), first.photo_id, [(0, 0, 9, 9)])


async def test_a_deed_of_a_child_takes_no_photo(town: Town) -> None:
    deed = await filed(town, by="赵丽", person="刘小雨", area=FAR_UNIT)
    with pytest.raises(DeedOfChild):
        await attached(town, deed.id, by="赵丽")
    wanted = deed_of(town, "刘小雨", FAR_UNIT, photo_ids=[await kept_by(town, "赵丽")], note="又一件")
    with pytest.raises(DeedOfChild):
        await file_deed(await town.scope("赵丽"), wanted)


async def test_photos_come_with_the_filing_or_the_deed_is_not_filed(town: Town, owner: asyncpg.Connection) -> None:
    head, photos = await town.scope("李秀英"), [await kept_by(town, "李秀英") for _ in range(2)]
    deed = await file_deed(head, deed_of(town, photo_ids=photos))
    assert [each.photo_id for each in await photos_attached(head, "deed", deed.id)] == photos
    with pytest.raises(NotFound):
        await file_deed(head, deed_of(town, photo_ids=[clock.new_id()], note="又一件"))
    many = [await kept_by(town, "李秀英") for _ in range(4)]
    with pytest.raises(TooManyPhotos):
        await file_deed(head, deed_of(town, photo_ids=many, note="第三件"))
    assert await owner.fetchval("SELECT count(*) FROM deed WHERE note <> '两家为漏水吵架，说和了'") == 0


async def test_who_sees_the_deed_sees_its_photos_and_nobody_else(town: Town) -> None:
    deed = await filed(town, witness_id=town.people["张桂兰"])
    photo = await attached(town, deed.id)
    for name in ("李秀英", "张桂兰", "王建国", "陈明", "赵丽", "孙伟"):
        assert await read_photo(await town.scope(name), photo.photo_id), name
    for name in ("张国庆", "周敏", "何静", "马涛"):
        with pytest.raises(NotFound):
            await read_photo(await town.scope(name), photo.photo_id)
        with pytest.raises(NotFound):
            await photos_attached(await town.scope(name), "deed", deed.id)
    with pytest.raises(NotFound):
        await read_photo(town.system(SPRING), photo.photo_id)


async def test_a_wrong_photo_is_taken_back_until_the_deed_is_decided(town: Town, owner: asyncpg.Connection) -> None:
    head, deed, loose = await town.scope("李秀英"), await filed(town), await kept_by(town, "李秀英")
    first, second = [(await attached(town, deed.id)).photo_id for _ in range(2)]
    for name, refusal in (("陈明", Forbidden), ("孙伟", Forbidden), ("张国庆", NotFound), ("何静", NotFound)):
        with pytest.raises(refusal):
            await remove_photo(await town.scope(name), first)
    await remove_photo(head, first)
    await remove_photo(head, loose)
    with pytest.raises(NotFound):
        await remove_photo(head, first)
    assert await photos_in(town.system()) == {second}
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'remove_photo' AND noun = 'deed'") == 1
    await review_deed(await town.scope("陈明"), deed.id, "approve", "")
    with pytest.raises(DeedReviewed):
        await remove_photo(head, second)


# ------------------------------------------------------------------------------------------------------ painted over


async def test_what_is_painted_over_is_nowhere_any_more(town: Town, owner: asyncpg.Connection) -> None:
    head, deed = await town.scope("李秀英"), await filed(town)
    before = await attached(town, deed.id, content=picture((400, 300), "PNG", "#FF0000"))
    painted = await paint_over(head, before.photo_id, [(100, 50, 80, 60), (390, 290, 500, 500)])
    assert await photos_in(town.system()) == {painted.id}, "no original is kept"
    photo = seen(await read_photo(head, painted.id))
    assert photo.size == (painted.width, painted.height) == (400, 300)
    assert brightest(photo.crop((102, 52, 178, 108))) < 40
    assert brightest(photo.crop((0, 0, 50, 50))) > 200
    with pytest.raises(NotFound):
        await read_photo(head, before.photo_id)
    (now,) = await photos_attached(head, "deed", deed.id)
    assert (now.photo_id, now.added_at) == (painted.id, before.added_at)
    assert now.painted_at is not None
    assert await owner.fetchval("SELECT change FROM audit WHERE verb = 'paint_photo' AND noun_id = $1", deed.id)


async def test_an_uploader_paints_before_attaching(town: Town) -> None:
    head, deed = await town.scope("李秀英"), await filed(town)
    before = await kept_by(town, "李秀英")
    painted = await paint_over(head, before, [(0, 0, 10, 10)])
    assert await photos_in(town.system()) == {painted.id}
    with pytest.raises(NotFound):
        await attach(head, "deed", deed.id, before, "proof")
    assert (await attach(head, "deed", deed.id, painted.id, "proof")).painted_at is not None


async def test_two_who_paint_at_once_leave_one_photo(town: Town) -> None:
    head, worker, deed = await town.scope("李秀英"), await town.scope("陈明"), await filed(town)
    photo = await attached(town, deed.id)
    answers = await asyncio.gather(
        *(paint_over(scope, photo.photo_id, [(0, 0, 5, 5)]) for scope in (head, worker)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NotFound", "PhotoOut"]
    assert len(await photos_in(town.system())) == 1


async def test_who_only_looks_paints_nothing(town: Town) -> None:
    deed = await filed(town, witness_id=town.people["张桂兰"])
    photo = await attached(town, deed.id)
    for name in ("张桂兰", "孙伟", "王建国"):
        with pytest.raises(Forbidden):
            await paint_over(await town.scope(name), photo.photo_id, [(0, 0, 9, 9)])
    with pytest.raises(Invalid):
        await paint_over(await town.scope("李秀英"), photo.photo_id, [(9000, 0, 9, 9)])
    assert await photos_in(town.system()) == {photo.photo_id}


# ----------------------------------------------------------------------------------------------------------- published


async def test_a_photo_is_published_by_a_person_who_states_that_it_is_clear(
    town: Town, owner: asyncpg.Connection
) -> None:
    deed = await filed(town)
    photo = (await attached(town, deed.id)).photo_id
    worker, neighbour = await town.scope("陈明"), await town.scope("张国庆")
    with pytest.raises(PhotoNotCleared):
        await publish_photo(worker, photo, cleared=False)
    with pytest.raises(NotFound):
        await read_photo(neighbour, photo)
    first = await publish_photo(worker, photo, cleared=True)
    assert await publish_photo(await town.scope("赵丽"), photo, cleared=True) == first
    assert await read_photo(neighbour, photo)
    assert [each.photo_id for each in await photos_attached(neighbour, "deed", deed.id, published=True)] == [photo]
    with pytest.raises(NotFound):
        await photos_attached(neighbour, "deed", deed.id)
    with pytest.raises(NotFound):
        await read_photo(await town.scope("马涛"), photo)
    rows = await owner.fetch("SELECT person_id, noun, noun_id FROM audit WHERE verb = 'publish_photo'")
    assert [tuple(row) for row in rows] == [(town.people["陈明"], "deed", deed.id)]


async def test_who_has_a_part_in_the_deed_publishes_nothing_of_it(town: Town) -> None:
    deed = await filed(town)
    photo = (await attached(town, deed.id)).photo_id
    for name, refusal in (("李秀英", Forbidden), ("王建国", Forbidden), ("孙伟", Forbidden), ("张国庆", NotFound)):
        with pytest.raises(refusal):
            await publish_photo(await town.scope(name), photo, cleared=True)
    own = await filed(town, by="陈明", person="刘洋", area=FAR_UNIT)
    with pytest.raises(PartyToDeed):
        await publish_photo(await town.scope("陈明"), (await attached(town, own.id, by="陈明")).photo_id, cleared=True)
    with pytest.raises(Forbidden):
        await publish_photo(town.system(), photo, cleared=True)
    with pytest.raises(NotFound):
        await publish_photo(await town.scope("赵丽"), await kept_by(town, "赵丽"), cleared=True)


async def test_a_published_photo_can_still_be_painted_over(town: Town) -> None:
    deed, worker = await filed(town), await town.scope("陈明")
    photo = (await attached(town, deed.id)).photo_id
    await publish_photo(worker, photo, cleared=True)
    painted = await paint_over(worker, photo, [(0, 0, 9, 9)])
    assert await read_photo(await town.scope("张国庆"), painted.id)


async def test_each_act_has_a_row_in_the_audit_with_words(town: Town, owner: asyncpg.Connection) -> None:
    deed, worker = await filed(town), await town.scope("陈明")
    photo = (await attached(town, deed.id)).photo_id
    painted = await paint_over(worker, photo, [(0, 0, 9, 9)])
    await publish_photo(worker, painted.id, cleared=True)
    found = await owner.fetch(
        "SELECT verb, login_id FROM audit WHERE noun_id = $1 AND verb LIKE '%photo' ORDER BY id",
        deed.id,
    )
    assert [(row["verb"], row["login_id"]) for row in found] == [
        ("attach_photo", town.logins["李秀英"]), ("paint_photo", town.logins["陈明"]),
        ("publish_photo", town.logins["陈明"]),
    ]  # fmt: skip
    assert {row["verb"] for row in found} <= verbs().keys()


# -------------------------------------------------------------------------------------------------------------- purged


async def test_what_nothing_has_within_an_hour_is_purged(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        kept, loose = await attached(town, deed.id), await kept_by(town, "李秀英")
    with clock.at(MORNING + HOUR - timedelta(seconds=1)):
        await purge_unattached_photos(town.system())
        assert await photos_in(town.system()) == {kept.photo_id, loose}
    with clock.at(MORNING + HOUR):
        with pytest.raises(NotFound):
            await attach(await town.scope("李秀英"), "deed", deed.id, loose, "proof")
        await purge_unattached_photos(town.system())
        await purge_unattached_photos(town.system())
        assert await photos_in(town.system()) == {kept.photo_id}


async def test_a_photo_that_is_attached_while_the_purge_runs_is_one_or_the_other(
    town: Town, owner: asyncpg.Connection, pool: str
) -> None:
    """The purge waits for an attachment that has not committed, and then leaves the photo alone."""
    with clock.at(MORNING):
        photo = await kept_by(town, "李秀英")
    watcher = await asyncpg.connect(pool)  # a transaction sees pg_stat_activity as it was at its first look
    async with owner.transaction():
        await owner.execute("UPDATE photo SET unattached_until = NULL WHERE id = $1", photo)
        with clock.at(MORNING + HOUR):
            purge = asyncio.create_task(purge_unattached_photos(town.system()))
            while not await watcher.fetchval(WAITS):  # noqa: ASYNC110  # the database tells nobody
                await asyncio.sleep(0.01)
    await watcher.close()
    await purge
    assert await photos_in(town.system()) == {photo}


async def left_after(town: Town, days: int) -> int:
    """How many photos are there so many days after the morning, once the purge has run."""
    with clock.at(MORNING + timedelta(days=days)):
        await purge_photos(town.system())
    return len(await photos_in(town.system()))


async def test_photos_stay_180_days_after_the_deed_is_credited(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        await attached(town, deed.id)
        await review_deed(await town.scope("陈明"), deed.id, "approve", "")
    assert await left_after(town, 900) == 1, "it is not credited yet"
    with clock.at(MORNING + 7 * DAY):
        await credit_due_deeds(town.system())
    assert await left_after(town, 186) == 1
    assert await left_after(town, 187) == 0
    assert await owner.fetchval("SELECT noun_id FROM audit WHERE verb = 'purge_photo'") == deed.id
    assert await owner.fetchval("SELECT count(*) FROM attachment") == 0
    assert await left_after(town, 188) == 0, "and again"


async def test_two_workers_purge_each_photo_once(town: Town, owner: asyncpg.Connection) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        for _ in range(3):
            await attached(town, deed.id)
        await review_deed(await town.scope("陈明"), deed.id, "reject", "说不清")
    with clock.at(MORNING + 180 * DAY):
        assert sum(await asyncio.gather(*(purge_photos(town.system()) for _ in range(2)))) == 3
    assert await photos_in(town.system()) == set()
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'purge_photo'") == 3


async def test_a_community_keeps_photos_for_as_long_as_its_rule_says(town: Town) -> None:
    await change_policy(await town.scope("赵丽"), "photo_days", 90)
    with clock.at(MORNING):
        deed = await filed(town)
        await attached(town, deed.id)
        await review_deed(await town.scope("陈明"), deed.id, "reject", "说不清")
    assert await left_after(town, 89) == 1
    assert await left_after(town, 90) == 0


async def test_published_photos_stay_for_a_year(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        photos = [(await attached(town, deed.id)).photo_id for _ in range(2)]
        await review_deed(await town.scope("陈明"), deed.id, "reject", "说不清")
    with clock.at(MORNING + 100 * DAY):
        await publish_photo(await town.scope("陈明"), photos[0], cleared=True)
    assert await left_after(town, 180) == 1
    assert await left_after(town, 464) == 1, "a year from its publication"
    assert await left_after(town, 465) == 0


async def test_a_reversed_deed_keeps_its_photos_from_the_reversal_on(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town)
        await attached(town, deed.id)
        await review_deed(await town.scope("陈明"), deed.id, "approve", "")
    with clock.at(MORNING + 7 * DAY):
        await credit_due_deeds(town.system())
    with clock.at(MORNING + 100 * DAY):
        await reverse_deed(await town.scope("赵丽"), deed.id, "记错了人")
    assert await left_after(town, 190) == 1
    with clock.at(MORNING + 200 * DAY):
        objection = await object_to(await town.scope("李秀英"), "deed", deed.id, "是我做的")
    assert await left_after(town, 400) == 1, "an objection waits"
    with clock.at(MORNING + 400 * DAY):
        await decide_objection(await town.scope("吴昊"), objection.id, False, "核对过")
    assert await left_after(town, 579) == 1
    assert await left_after(town, 580) == 0


async def test_a_withdrawn_deed_takes_its_photos_with_it_in_time(town: Town) -> None:
    with clock.at(MORNING):
        deed = await filed(town, by="赵丽")
        await attached(town, deed.id, by="赵丽")
        assert await undo_filed_deeds(await town.scope("赵丽"), [deed.id]) == 1
    assert await left_after(town, 179) == 1
    assert await left_after(town, 180) == 0


async def test_the_purge_of_one_community_leaves_the_others_alone(town: Town) -> None:
    with clock.at(MORNING):
        photo = await kept_by(town, "李秀英")
    with clock.at(MORNING + HOUR):
        await purge_unattached_photos(Scope.of_system(town.communities[SPRING]))
        assert await photos_in(town.system()) == {photo}

"""Pictures to upload, and photos of the community's people."""

import io
from uuid import UUID

from PIL import Image

from tests.support.town import Town
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.photos.drawing import SIDE_MAX
from timebank.photos.keeping import keep


def picture(size: tuple[int, int] = (1600, 1200), kind: str = "JPEG", colour: str = "#B45309", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **more)
    return out.getvalue()


def taken_by_phone(size: tuple[int, int] = (1600, 1200)) -> bytes:
    """A photo whose EXIF data says that it is rotated and names the camera and the place."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Shenzhen Camera"
    exif.get_ifd(0x8825)[1] = "N"
    return picture(size, exif=exif, comment=b"home of the photographer")


def lying(size: tuple[int, int] = (1600, 1200), colour: str = "#B45309") -> bytes:
    """A JPEG as a phone that is held upright takes it: its pixels lie on their side, and its EXIF data says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture(size, colour=colour, exif=exif)


def bomb() -> bytes:
    """A small file that unfolds into 400 million pixels."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG", compress_level=9)
    return out.getvalue()


async def kept_by(town: Town, name: str, content: bytes = b"") -> UUID:
    """A photo that this person has just uploaded."""
    return (await keep(await town.scope(name), content or picture((64, 48)), SIDE_MAX)).id


async def photos_in(scope: Scope) -> set[UUID]:
    """The ids of the community's stored photos."""
    async with transaction(scope):
        return {row["id"] for row in await database.fetch("SELECT id FROM photo")}

"""Printed cards and posters: every letter of a name is drawn, ten cards fill a page, codes hold no name."""

import io
import re
import struct
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from timebank.cards.cards import PrintedCard
from timebank.core import clock, codes
from timebank.printing import fonts
from timebank.printing.cards import CardSheet, cards_pdf, shown_name
from timebank.printing.fonts import NoFont, fonts_for
from timebank.printing.poster import Poster, poster_pdf

RARE = "䶮㛃𬭎龢骉㑇"
POSTER = Poster(
    community="凤凰社区",
    station="暖蜂驿站",
    address="凤凰路 18 号",
    hours="08:00–20:00",
    sign_in_url="https://shijian.example/sign-in",
    phone="0591-0000 0000",
)

with_chinese_font = pytest.mark.skipif(
    not any(fonts.read_font(path) for path in fonts.installed()), reason="no Chinese font is installed here"
)


def card(name: str, pool: str) -> PrintedCard:
    """Return a card with a valid code; the fixture `pool` loads the settings, which hold the key for it."""
    card_id = clock.new_id()
    url = codes.url("k", codes.card_code(clock.new_id(), card_id, 1))
    return PrintedCard(card_id=card_id, person_id=clock.new_id(), name=name, area="3栋1单元", room="302", url=url)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def pictures(pdf: bytes) -> list[Image.Image]:
    """Return the black-and-white images of a PDF in order."""
    shape = rb"/Height (\d+)\n/Length (\d+)\n/Subtype /Image\n/Type /XObject\n/Width (\d+)\n>>\nstream\n"
    found = []
    for match in re.finditer(shape, pdf):
        height, length, width = (int(number) for number in match.groups())
        found.append(_from_fax(width, height, pdf[match.end() : match.end() + length]))
    return found


def _from_fax(width: int, height: int, content: bytes) -> Image.Image:
    """Decode CCITT group 4 data by wrapping it in a TIFF, which Pillow can read."""
    tags = ((256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, 4), (262, 3, 1), (273, 4, 122), (277, 3, 1),
            (278, 4, height), (279, 4, len(content)))  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    tiff = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", 0)
    return Image.open(io.BytesIO(tiff + content)).convert("L")


@with_chinese_font
def test_a_card_is_read_by_a_camera_and_says_nothing_of_its_holder(pool: str) -> None:
    printed = [card("张桂兰", pool), card("阿依古丽·买买提", pool)]
    pdf = cards_pdf(printed, CardSheet("凤凰社区"))
    read = [zxingcpp.read_barcodes(picture)[0].text for picture in pictures(pdf)]
    assert read == [each.url for each in printed]
    assert all(codes.read(text) for text in read)
    assert "张" not in "".join(read)


@with_chinese_font
@pytest.mark.parametrize(("cards", "expected"), [(1, 2), (10, 2), (11, 3), (41, 7)])
def test_ten_cards_fill_a_page_and_a_list_follows(cards: int, expected: int, pool: str) -> None:
    drawn: list[int] = []
    pdf = cards_pdf([card("王芳", pool)] * cards, CardSheet("凤凰社区"), drawn=lambda: drawn.append(1))
    assert pages(pdf) == expected
    assert len(drawn) == cards


@pytest.mark.parametrize(("name", "shown"), [("张桂兰", "张*"), ("欧阳凯伟", "欧阳*"), ("阿依古丽·买买提", "阿*")])
def test_a_card_shows_the_masked_name_unless_the_community_wants_it_in_full(name: str, shown: str, pool: str) -> None:
    assert shown_name(card(name, pool), CardSheet("凤凰社区")) == shown
    assert shown_name(card(name, pool), CardSheet("凤凰社区", full_names=True)) == name


@with_chinese_font
def test_a_poster_is_one_page_with_the_address_to_sign_in(pool: str) -> None:
    pdf = poster_pdf(POSTER)
    assert pages(pdf) == 1
    (picture,) = pictures(pdf)
    assert zxingcpp.read_barcodes(picture)[0].text == POSTER.sign_in_url


@with_chinese_font
def test_rare_letters_of_names_are_printed_or_refused_but_never_left_empty() -> None:
    used = fonts_for(f"张桂兰{RARE}")
    covered = frozenset().union(*(font.letters for font in used))
    assert {ord(letter) for letter in RARE} <= covered


def test_letters_that_no_font_has_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoFont) as refused:
        fonts_for("张\U000e0fff")
    assert "\U000e0fff" in refused.value.text()
    assert "fonts-noto-cjk" in refused.value.text()


def test_a_damaged_font_is_passed_over(tmp_path: Path) -> None:
    for name in ("notosanscjk-regular.ttc", "simhei.ttf"):
        (tmp_path / name).write_bytes(b"\x00\x01 not a font")
        assert fonts.read_font(tmp_path / name) is None

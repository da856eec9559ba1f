"""PDF of cards, ten to an A4 page, with a list for whoever hands them out.

A lost card reveals little: a masked name, a number and a signed code without personal data. The list stays in the
office.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from timebank.cards.cards import PrintedCard
from timebank.core import codes, names
from timebank.printing.fonts import use_fonts
from timebank.printing.poster import INK, JADE, LINE, MUTED

WIDTH, HEIGHT = 85.6, 54.0  # mm, ISO 7810 ID-1: fits wallets and badge holders
COLUMNS, ROWS = 2, 5
LEFT, TOP = (210 - COLUMNS * WIDTH) / 2, (297 - ROWS * HEIGHT) / 2
QR = 36.0
LIST_ROWS = 40
CARD = "服务卡"
USE = ("签到、签退、领取时", "把这面交给站长扫")
FOUND = "捡到请交回驿站"
LIST = ("发卡清单", "办公室留存，不要张贴。发出后请逐张打勾。", "编号", "姓名", "住址", "签收")


class CardSheet(msgspec.Struct, frozen=True):
    """The texts and options that all cards of a print run share."""

    community: str
    phone: str = ""
    full_names: bool = False


def cards_pdf(
    cards: Sequence[PrintedCard], sheet: CardSheet, font: Path | None = None, *,
    drawn: Callable[[], None] = lambda: None,
) -> bytes:  # fmt: skip
    """PDF of the cards in the given order, numbered from 1, then the list; `drawn` is called after each card."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(LEFT)
    use_fonts(pdf, _every_word(cards, sheet), font)
    pdf.set_title(f"{sheet.community} · {CARD}")
    for place, card in enumerate(cards):
        if place % (COLUMNS * ROWS) == 0:
            pdf.add_page()
        row, column = divmod(place % (COLUMNS * ROWS), COLUMNS)
        _card(pdf, LEFT + column * WIDTH, TOP + row * HEIGHT, place + 1, card, sheet)
        drawn()
    for begin in range(0, len(cards), LIST_ROWS):
        _list(pdf, begin, cards[begin : begin + LIST_ROWS], sheet)
    return bytes(pdf.output())


def shown_name(card: PrintedCard, sheet: CardSheet) -> str:
    """The name on a card: masked, unless `full_names` is set."""
    return card.name if sheet.full_names else names.masked(card.name)


def _every_word(cards: Sequence[PrintedCard], sheet: CardSheet) -> str:
    said = [CARD, *USE, FOUND, *LIST, sheet.community, sheet.phone, "电话：No. 0123456789_*·□"]
    return "".join([*said, *(f"{card.name}{card.area or ''}{card.room or ''}" for card in cards)])


def _card(pdf: FPDF, x: float, y: float, number: int, card: PrintedCard, sheet: CardSheet) -> None:
    pdf.set_draw_color(*LINE)
    pdf.set_line_width(0.15)
    pdf.rect(x, y, WIDTH, HEIGHT)
    pdf.set_fill_color(*JADE)
    pdf.rect(x + 2.5, y + 2.5, WIDTH - 5, 9, style="F", round_corners=True, corner_radius=2)
    _text(pdf, x + 4, y + 2.5, 9, f"{sheet.community} · {CARD}", 11, (255, 255, 255), WIDTH - 8)
    side = WIDTH - QR - 8
    _text(pdf, x + 4, y + 14, 9, shown_name(card, sheet), 20, INK, side)
    _text(pdf, x + 4, y + 25, 5, USE[0], 9, MUTED, side)
    _text(pdf, x + 4, y + 30, 5, USE[1], 9, MUTED, side)
    _text(pdf, x + 4, y + 38, 5, f"No. {number}", 9, INK, side)
    _text(pdf, x + 4, y + 43, 5, f"电话：{sheet.phone or '____________'}", 9, MUTED, side)
    _text(pdf, x + 4, y + 48, 4, FOUND, 7, MUTED, side)
    pdf.image(io.BytesIO(codes.png(card.url)), x + WIDTH - QR - 3, y + 14, QR, QR)


def _text(
    pdf: FPDF, x: float, y: float, height: float, text: str, size: float, color: tuple[int, int, int], room: float
) -> None:
    """Print a line, in a smaller size where it would not fit: a long name is never cut."""
    pdf.set_text_color(*color)
    pdf.set_font(size=size)
    width, inside = pdf.get_string_width(text), room - 2 * pdf.c_margin
    if width > inside:
        pdf.set_font(size=size * inside / width)
    pdf.set_xy(x, y)
    pdf.cell(room, height, text)


def _list(pdf: FPDF, begin: int, cards: Sequence[PrintedCard], sheet: CardSheet) -> None:
    title, note, *columns = LIST
    pdf.add_page()
    pdf.set_y(14)
    pdf.set_text_color(*INK)
    pdf.set_font(size=16)
    pdf.cell(0, 9, f"{sheet.community} · {title}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_text_color(*MUTED)
    pdf.set_font(size=10)
    pdf.cell(0, 7, note, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_draw_color(*LINE)
    rows = [columns, *([str(begin + n), c.name, f"{c.area or ''} {c.room or ''}", "□"] for n, c in enumerate(cards, 1))]
    for row in rows:
        y = pdf.get_y()
        for text, x, room in zip(row, (0.0, 18.0, 78.0, 150.0), (18.0, 58.0, 70.0, 20.0), strict=True):
            _text(pdf, LEFT + x, y, 6, text, 10, MUTED if row is columns else INK, room)
        pdf.line(LEFT, y + 6, 210 - LEFT, y + 6)
        pdf.set_xy(LEFT, y + 6)

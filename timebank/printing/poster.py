"""PDF poster of a station: its name, how to check in, and a space for the display with the station code."""

import io
from pathlib import Path

import msgspec
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from timebank.core import codes
from timebank.printing.fonts import use_fonts

INK, MUTED, JADE, SOFT, LINE = (31, 41, 55), (75, 85, 99), (15, 118, 110), (230, 244, 241), (148, 163, 184)
WIDTH, MARGIN = 210.0, 18.0
STEPS = (
    ("扫一扫", "用微信或手机相机，对准屏幕上的码"),
    ("点「签到」", "第一次用，请用手机号登录；时间从扫码算起"),
    ("走时再扫一次", "点「签退」，服务时长和积分当场记上"),
)
TITLE = "志愿服务 · 扫码签到"
SCREEN = ("签到码在这块屏幕上", "每 15 秒更新一次，拍照转发没有用", "（把平板或显示屏放在这里）")
NO_PHONE = "没有手机？请把服务卡交给站长扫。"
ADDRESS_ABOVE = "网页打开"


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """The texts that differ between stations."""

    community: str
    station: str
    address: str
    hours: str
    sign_in_url: str
    phone: str = ""


def poster_pdf(poster: Poster, font: Path | None = None) -> bytes:
    """One A4 page. It does not show the station code: a printed one would be invalid within half a minute."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(MARGIN)
    use_fonts(pdf, _every_word(poster), font)
    pdf.add_page()
    _heading(pdf, poster)
    _screen(pdf)
    _steps(pdf)
    _footer(pdf, poster)
    return bytes(pdf.output())


def _every_word(poster: Poster) -> str:
    fixed = [TITLE, *SCREEN, NO_PHONE, ADDRESS_ABOVE, *(word for step in STEPS for word in step), "123电话：·"]
    return "".join([*fixed, *msgspec.structs.astuple(poster)])


def _line(pdf: FPDF, text: str, size: float, color: tuple[int, int, int] = INK, height: float = 0) -> None:
    """Print a centred line, in a smaller size where it would not fit."""
    pdf.set_text_color(*color)
    pdf.set_font(size=size)
    width = pdf.get_string_width(text)
    if width > pdf.epw:
        pdf.set_font(size=size * pdf.epw / width)
    pdf.cell(pdf.epw, height or size * 0.5, text, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _heading(pdf: FPDF, poster: Poster) -> None:
    pdf.set_fill_color(*JADE)
    pdf.rect(0, 0, WIDTH, 10, style="F")
    pdf.set_xy(MARGIN, 18)
    _line(pdf, poster.community, 20, MUTED)
    _line(pdf, poster.station, 60, INK, 28)
    _line(pdf, TITLE, 28, JADE)


def _screen(pdf: FPDF) -> None:
    """Draw the space for the display in the middle of the page."""
    side, top = 110.0, 84.0
    pdf.set_draw_color(*LINE)
    pdf.set_fill_color(*SOFT)
    pdf.set_line_width(0.6)
    pdf.set_dash_pattern(dash=3, gap=2)
    pdf.rect((WIDTH - side) / 2, top, side, 72, style="DF", round_corners=True, corner_radius=4)
    pdf.set_dash_pattern()
    pdf.set_xy(MARGIN, top + 22)
    _line(pdf, SCREEN[0], 24, INK)
    _line(pdf, SCREEN[1], 14, MUTED, 10)
    _line(pdf, SCREEN[2], 12, MUTED, 8)


def _steps(pdf: FPDF) -> None:
    top = 167.0
    for number, (what, how) in enumerate(STEPS, 1):
        pdf.set_fill_color(*JADE)
        pdf.ellipse(MARGIN, top, 14, 14, style="F")
        pdf.set_text_color(255, 255, 255)
        pdf.set_font(size=24)
        pdf.set_xy(MARGIN, top)
        pdf.cell(14, 14, str(number), align="C")
        pdf.set_text_color(*INK)
        pdf.set_xy(MARGIN + 20, top - 1)
        pdf.cell(0, 9, what, new_x=XPos.LEFT, new_y=YPos.NEXT)
        pdf.set_text_color(*MUTED)
        pdf.set_font(size=14)
        pdf.cell(0, 7, how)
        top += 22
    pdf.set_xy(MARGIN, top + 2)
    pdf.set_text_color(*JADE)
    pdf.set_font(size=18)
    pdf.cell(0, 9, NO_PHONE)


def _footer(pdf: FPDF, poster: Poster) -> None:
    side, top = 32.0, 251.0
    pdf.set_draw_color(*LINE)
    pdf.set_line_width(0.3)
    pdf.line(MARGIN, top - 3, WIDTH - MARGIN, top - 3)
    pdf.image(io.BytesIO(codes.png(poster.sign_in_url)), WIDTH - MARGIN - side, top, side, side)
    told = (f"电话：{poster.phone}" if poster.phone else "", poster.address, poster.hours)
    pdf.set_xy(MARGIN, top + 2)
    for text, size, color in (
        (ADDRESS_ABOVE, 12.0, MUTED),
        (poster.sign_in_url, 16.0, INK),
        (" · ".join(part for part in told if part), 12.0, MUTED),
    ):
        pdf.set_text_color(*color)
        pdf.set_font(size=size)
        room = pdf.epw - side - 6
        if pdf.get_string_width(text) > room:
            pdf.set_font(size=size * room / pdf.get_string_width(text))
        pdf.cell(room, 9, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

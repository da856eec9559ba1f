"""A hand scanner types through the tablet's keyboard: changes of the text are reverted, or the error names them."""

from collections.abc import Callable

import httpx
import pytest

from tests.support.shop import browser
from tests.support.town import Town
from timebank.access.sign_in_codes import sign_in_code
from timebank.core import clock, codes, scanned
from timebank.core.codes import InvalidCode


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def typed_in_chinese(text: str) -> str:
    """The text from a Chinese input method: `。` for `.`, `：` for `:`, `、` for `/`, two dashes for `_`."""
    return text.replace("_", "——").translate(str.maketrans(".:/", "。：、"))


TYPISTS: dict[str, Callable[[str], str]] = {
    "as it was": lambda text: text,
    "with Caps Lock": str.swapcase,
    "in full width": full_width,
    "in full width with Caps Lock": lambda text: full_width(text.swapcase()),
    "by a Chinese input method": typed_in_chinese,
    "with an AIM prefix": lambda text: f"]Q1{text}",
    "with an AIM prefix and Caps Lock": lambda text: f"]Q1{text}".swapcase(),
    "with the prefix of a Data Matrix": lambda text: f"]d2{text}",
    "between STX and ETX": lambda text: f"\x02{text}\x03\r\n",
    "between asterisks": lambda text: f"*{text}*",
    "with an AIM prefix by a Chinese input method": lambda text: f"】Q1{typed_in_chinese(text)}",
    "half of it in full width, with Caps Lock": lambda text: (
        full_width(text.swapcase()[: len(text) // 2]) + text.swapcase()[len(text) // 2 :]
    ),
    "between the asterisks of a Chinese input method": lambda text: f"×{typed_in_chinese(text)}×",
    "by a Chinese input method with Caps Lock": lambda text: f"】q1{typed_in_chinese(text).swapcase()}",
    "with everything at once": lambda text: f"\x02*]Q3{full_width(text.swapcase())}*\x03",
    "after a byte order mark, with spaces": lambda text: f"\ufeff  {text} \t",
}


@pytest.mark.parametrize("typist", TYPISTS.values(), ids=TYPISTS)
def test_a_code_is_read_whatever_the_keyboard_did(pool: str, typist: Callable[[str], str]) -> None:
    for _ in range(50):
        community, subject = clock.new_id(), clock.new_id()
        for kind, payload in (
            ("c", codes.station_code(community, subject, 1, clock.now())),
            ("p", codes.person_code(community, subject, 1, clock.now())),
            ("k", codes.card_code(community, subject, 1)),
        ):
            made = codes.read(f"{kind}/{payload}")
            assert codes.read(typist(codes.url(kind, payload))) == made
            assert codes.read(typist(f"{kind}/{payload}")) == made
            assert codes.path(typist(codes.url(kind, payload))) == f"{kind}/{payload}"


@pytest.mark.parametrize("spoil", [str.upper, str.lower], ids=["all capitals", "all small"])
def test_a_code_whose_case_is_lost_is_not_guessed(pool: str, spoil: Callable[[str], str]) -> None:
    link = codes.url("p", codes.person_code(clock.new_id(), clock.new_id(), 1, clock.now()))
    assert scanned.has_lost_case(spoil(link))
    assert not scanned.has_lost_case(link)
    with pytest.raises(InvalidCode):
        codes.read(spoil(link))


@pytest.mark.parametrize(
    "number", ["12345678", "１２３４５６７８", "*12345678*", "]Q112345678", "1234 5678", "\x0212345678\x03"]
)
def test_a_typed_number_is_read_in_half_width(number: str) -> None:
    assert scanned.digits(number) == "12345678"


async def test_the_counter_takes_a_card_scanned_with_caps_lock_on(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("周敏")
    shown = (await client.get("/api/v1/me/code", headers=await town.sign_in("张桂兰"))).json()
    body = {"code": f"]Q1{shown['url']}".swapcase(), "nonce": "a" * 32, "direction": "in"}
    answer = (await client.post("/api/v1/checkins", json=body, headers=headers)).json()
    assert (answer["status"], answer["person"]["name"]) == ("ok", "张桂兰"), answer


async def test_the_counter_says_what_to_switch_off(town: Town, client: httpx.AsyncClient) -> None:
    headers = await town.sign_in("周敏")
    shown = (await client.get("/api/v1/me/code", headers=await town.sign_in("张桂兰"))).json()
    body = {"code": shown["url"].upper(), "nonce": "b" * 32, "direction": "in"}
    answer = (await client.post("/api/v1/checkins", json=body, headers=headers)).json()
    assert (answer["status"], answer["reason"]) == ("error", "invalid_code")
    assert "大写锁定" in answer["texts"][0]


@pytest.mark.parametrize(
    "text",
    [
        "１２３４５６７８",
        "*12345678*",
        "HTTP://TEST/DESK/REDEMPTIONS?CODE=12345678",
        "https://old.example/desk/redemptions?code=12345678",
        "https://old.example/shijian/desk/redemptions?code=12345678&from=timeline",
        "】Q1×HTTP：、、TEST、DESK、REDEMPTIONS？CODE＝１２３４５６７８×",
    ],
)
async def test_the_counter_finds_a_collection_code_whatever_the_keyboard_did(
    town: Town, client: httpx.AsyncClient, text: str
) -> None:
    from timebank.presence.pages.counter import _shown_code

    assert _shown_code(text) == "/desk/redemptions?code=12345678"


async def test_digits_typed_in_full_width_sign_in_and_find_a_resident(town: Town, client: httpx.AsyncClient) -> None:
    code = (await sign_in_code(await town.scope("周敏"), town.people["张桂兰"], "scan")).code
    form = {"by": "code", "phone": full_width(town.phones["张桂兰"]), "otp": full_width(code)}
    assert (await client.post("/sign-in", data=form)).headers["location"] == "/password?first=1"
    client.cookies.clear()
    desk = await browser(client, town, "周敏")
    end = full_width(town.phones["张桂兰"][-4:])
    found = await desk.send("/desk/people", name="张桂兰", phone_last4=end, station_id=town.stations["暖蜂驿站"])
    assert (found.status_code, "张桂兰" in found.text) == (200, True)

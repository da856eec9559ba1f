"""A barcode scanner for browser tests: the keys that it types, at its own speed on however busy a machine."""

import asyncio
import time

from playwright.async_api import CDPSession, Page

US = {"/": ("Slash", "/"), ":": ("Semicolon", ";"), ".": ("Period", "."), "-": ("Minus", "-"), "_": ("Minus", "-")}
NEEDS_SHIFT = "_:"


def key_of(character: str, input_method: bool) -> dict[str, object]:
    """The key event of a US keyboard, which is what a scanner is; an input method hides its character."""
    if character == "\r":
        return {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    code, _plain = US.get(character, (f"Key{character.upper()}" if character.isalpha() else f"Digit{character}", ""))
    shift = 8 if character.isupper() or character in NEEDS_SHIFT else 0
    if input_method:
        return {"key": "Process", "code": code, "modifiers": shift, "windowsVirtualKeyCode": 229}
    return {"key": character, "code": code, "modifiers": shift, "text": character}


async def types(keys: CDPSession, text: str, *, enter: bool = True, input_method: bool = False) -> None:
    """Type as a scanner does: a key every five milliseconds, however busy this machine is."""
    events, at = [], time.time()
    for character in text + ("\r" if enter else ""):
        known, at = key_of(character, input_method), at + 0.005
        events += [keys.send("Input.dispatchKeyEvent", {"type": "keyDown", "timestamp": at, **known})]
        up = {name: value for name, value in known.items() if name != "text"}
        events += [keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "timestamp": at + 0.002, **up})]
    await asyncio.gather(*events)


async def ends_late(page: Page) -> None:
    """From the next page on, a scan without Enter ends after 5 seconds and not after the 0.8 of `PAUSE` in bursts.js.

    A loaded machine may take longer than that to hand on the keys, and a code must not end in its middle.
    """
    await page.add_init_script(
        "const set = window.setTimeout;"
        "window.setTimeout = (run, ms, ...more) => set(run, ms === 800 ? 5000 : ms, ...more);"
    )

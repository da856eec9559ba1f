"""What a hand scanner types, as it was meant.

A scanner that acts as a keyboard types through the tablet's keyboard settings: Caps Lock swaps the case of every
letter, a Chinese input method makes full-width characters, and the scanner itself may add an AIM prefix (`]Q1`), STX
and ETX, or the asterisks of Code 39 around the text.
"""

import re
import unicodedata

# ISO/IEC 15424: `]`, a letter for the kind of code, one character for its options.
_AIM_PREFIX = re.compile(r"\][A-Za-z][0-9A-Za-z]")
# What the keys . / ] and * give in a Chinese input method and compatibility normalization leaves alone.
_INPUT_METHOD = str.maketrans({"。": ".", "、": "/", "】": "]", "×": "*"})
_DASHES = "——"  # what Shift and the key - give there: an underscore
LETTERS_MIN = 20


def folded(text: str) -> str:
    """The text in half-width characters, without spaces, control characters, an AIM prefix and asterisks around it."""
    plain = unicodedata.normalize("NFKC", text.replace(_DASHES, "_")).translate(_INPUT_METHOD)
    plain = "".join(c for c in plain if c.isprintable() and not c.isspace()).strip("*")
    return _AIM_PREFIX.sub("", plain, count=1).strip("*") if plain.startswith("]") else plain


def readings(text: str) -> tuple[str, str]:
    """The folded text, and the same as it was before Caps Lock swapped its letters."""
    plain = folded(text)
    return plain, plain.swapcase()


def digits(text: str) -> str:
    """The digits of a typed or scanned number, in half width."""
    return "".join(c for c in folded(text) if c in "0123456789")


def has_lost_case(text: str) -> bool:
    """Whether a signed payload has come in letters of one case.

    It cannot be mended: the case of a letter is part of the payload. By chance it happens once in 2**20 payloads.
    """
    letters = [c for c in folded(text).rsplit("/", 1)[-1] if c.isascii() and c.isalpha()]
    return len(letters) > LETTERS_MIN and len({c.isupper() for c in letters}) == 1

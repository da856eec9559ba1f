"""Restore the text of a code from what a hand scanner has typed.

A scanner that acts as a keyboard is subject to the tablet's keyboard settings: Caps Lock swaps the case of every
letter, and a Chinese input method makes full-width characters. The scanner itself may add an AIM prefix (`]Q1`), STX
and ETX, or the asterisks of Code 39 around the text.
"""

import re
import unicodedata

# ISO/IEC 15424: `]`, a letter for the kind of code, one character for its options.
_AIM_PREFIX = re.compile(r"\][A-Za-z][0-9A-Za-z]")
# Characters of the keys . / ] and * in a Chinese input method that NFKC does not normalize.
_INPUT_METHOD = str.maketrans({"。": ".", "、": "/", "】": "]", "×": "*"})
_DASHES = "——"  # the characters of Shift and the key - there; an underscore was meant
LETTERS_MIN = 20


def folded(text: str) -> str:
    """The text in half-width characters, without spaces, control characters, AIM prefix and surrounding asterisks."""
    plain = unicodedata.normalize("NFKC", text.replace(_DASHES, "_")).translate(_INPUT_METHOD)
    if not plain.isprintable() or " " in plain:
        plain = "".join(c for c in plain if c.isprintable() and not c.isspace())
    plain = plain.strip("*")
    return _AIM_PREFIX.sub("", plain, count=1).strip("*") if plain.startswith("]") else plain


def readings(text: str) -> tuple[str, str]:
    """The two candidates for the original text: the folded text, and the same with swapped case (Caps Lock)."""
    plain = folded(text)
    return plain, plain.swapcase()


def digits(text: str) -> str:
    """The digits of a typed or scanned number, as ASCII."""
    return "".join(c for c in folded(text) if c in "0123456789")


def has_lost_case(text: str) -> bool:
    """Whether all letters of a signed payload have one case.

    Such a payload cannot be restored, because the case is significant. A genuine payload has letters of one case with a
    probability of about 2**-20.
    """
    letters = [c for c in folded(text).rsplit("/", 1)[-1] if c.isascii() and c.isalpha()]
    return len(letters) > LETTERS_MIN and len({c.isupper() for c in letters}) == 1

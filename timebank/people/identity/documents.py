"""Documents of people without a citizen identity number: kind and number, kept as one text."""

import re
from dataclasses import dataclass

PASSPORT = "护照"
HOME_RETURN = "港澳居民来往内地通行证"
TAIWAN = "台湾居民来往大陆通行证"
FOREIGNER = "外国人永久居留身份证"

_NUMBERS: dict[str, re.Pattern[str]] = {
    PASSPORT: re.compile(r"(?=(?:.*\d){5})[A-Z0-9]{6,12}"),
    HOME_RETURN: re.compile(r"[HM]\d{8}(\d{2})?"),
    TAIWAN: re.compile(r"\d{8}(\d{2})?"),
    FOREIGNER: re.compile(r"[A-Z]{3}\d{12}"),
}
_CALLED = (
    (re.compile(r"护照|passport", re.IGNORECASE), PASSPORT),
    (re.compile(r"(港澳(居民)?((来往|往来)内地)?通行证|回乡证|home ?return ?permit)", re.IGNORECASE), HOME_RETURN),
    (re.compile(r"(台湾(居民)?((来往|往来)大陆)?通行证|台胞证)"), TAIWAN),
    (re.compile(r"(外国人)?(永久居留|永居)(身份)?证"), FOREIGNER),
)
_LABEL = re.compile(r"^(号码|号|NUMBER|NO(?=[A-Z]?\d))")
# Only these patterns are unambiguous; eight digits after an H, for example, may also be a passport number.
_UNLIKE_OTHERS = ((re.compile(r"[HM]\d{10}"), HOME_RETURN), (re.compile(r"[A-Z]{3}\d{12}"), FOREIGNER))


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is kept, such as "护照 E12345678". Unlike an identity number it gives no birth date or sex."""

    number: str
    born_on: None = None
    sex: None = None


def kind_called(words: str) -> str | None:
    """The kind of document that a text names, such as "回乡证"; None for any other text."""
    return next((kind for pattern, kind in _CALLED if pattern.fullmatch("".join(words.split()))), None)


def read_document(text: str, kind: str | None = None) -> Document | None:
    """Read a kind and a number; the kind stands before or after the number or is given. None where one is not valid."""
    plain = re.sub(r"[\s\-:：()（）.]", "", text).upper()
    for pattern, named in _CALLED:
        found = pattern.match(plain) or re.search(f"(?<=[0-9])(?:{pattern.pattern})$", plain, re.IGNORECASE)
        if found:
            if kind not in (None, named):
                return None
            kind, plain = named, _LABEL.sub("", plain[: found.start()] + plain[found.end() :])
            break
    kind = kind or next((named for pattern, named in _UNLIKE_OTHERS if pattern.fullmatch(plain)), None)
    if kind is None or not _NUMBERS[kind].fullmatch(plain):
        return None
    return Document(f"{kind} {plain}")


def possible_documents(text: str) -> list[str]:
    """Every document that a number without its kind may be, for a search."""
    known = read_document(text)
    found = [read_document(text, kind) for kind in _NUMBERS] if known is None else [known]
    return [one.number for one in found if one is not None]


def masked_document(number: str) -> str:
    """The kind and the last four characters of the number."""
    kind, _, plain = number.rpartition(" ")
    return f"{kind} {'*' * max(len(plain) - 4, 4)}{plain[-4:]}"

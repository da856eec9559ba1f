"""Chinese is written in the code; other languages are looked up in `translations/LANGUAGE.po`."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

LANGUAGES = {"zh": "中文", "en": "English"}
CATALOGUES = Path(__file__).parent.parent / "translations"


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every sentence that the catalogue of a language translates."""
    path = CATALOGUES / f"{language}.po"
    if language == "zh" or not path.exists():
        return {}
    with path.open("rb") as file:
        return {keyed(str(m.id), m.context or ""): str(m.string) for m in read_po(file) if m.id and m.string}


def keyed(sentence: str, context: str) -> str:
    """What the catalogue knows a sentence by; a context tells apart what Chinese says alike, as gettext writes it."""
    return f"{context}\x04{sentence}" if context else sentence


def translate(sentence: str, language: str, context: str = "") -> str:
    """The sentence in a language; as it is written where the catalogue has none."""
    return catalogue(language).get(keyed(sentence, context), sentence)


def put_together(sentence: str, values: Mapping[str, object], language: str) -> str:
    """The sentence in a language with its values, which may be marked sentences themselves."""
    shown = {name: translate(v, language) if isinstance(v, str) else v for name, v in values.items()}
    return translate(sentence, language).format_map(_Values(shown))


class _Values(dict[str, object]):
    """A sentence whose value is unknown still reads: a dash stands in its place."""

    def __missing__(self, key: str) -> str:
        return "—"


def translator(language: str) -> Callable[..., str]:
    """The `_` of a page in this language: `_("居民")`, or `_("居民", "many")` where English needs another word."""
    return lambda sentence, context="": translate(sentence, language, context)


def _(sentence: str) -> str:
    """Marks a Chinese sentence for translation where it is written; it is translated where it is shown."""
    return sentence

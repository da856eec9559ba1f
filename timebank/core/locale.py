"""Translation: the code holds the Chinese sentences; `translations/LANGUAGE.po` holds those of other languages."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

LANGUAGES = {"zh": "中文", "en": "English"}
CATALOGUES = Path(__file__).parent.parent / "translations"


@cache
def catalogue(language: str) -> dict[str, str]:
    """The translations of a language: key (see `keyed`) to sentence; empty for Chinese."""
    path = CATALOGUES / f"{language}.po"
    if language == "zh" or not path.exists():
        return {}
    with path.open("rb") as file:
        return {keyed(str(m.id), m.context or ""): str(m.string) for m in read_po(file) if m.id and m.string}


def keyed(sentence: str, context: str) -> str:
    """The catalogue key of a sentence, with the gettext context that separates two meanings of one Chinese word."""
    return f"{context}\x04{sentence}" if context else sentence


def translate(sentence: str, language: str, context: str = "") -> str:
    """The sentence in a language; the Chinese one if there is no translation."""
    return catalogue(language).get(keyed(sentence, context), sentence)


def put_together(sentence: str, values: Mapping[str, object], language: str) -> str:
    """The sentence in a language with its values filled in; values that are strings are translated too."""
    shown = {name: translate(v, language) if isinstance(v, str) else v for name, v in values.items()}
    return translate(sentence, language).format_map(_Values(shown))


class _Values(dict[str, object]):
    """Gives a dash for a missing value, whatever its format."""

    def __missing__(self, key: str) -> "_Dash":
        return _Dash()


class _Dash:
    def __format__(self, spec: str) -> str:
        return "—"


def translator(language: str) -> Callable[..., str]:
    """The `_` function of a page: `_("居民")`, or `_("居民", "many")` with a context if English needs another word."""
    return lambda sentence, context="": translate(sentence, language, context)


def _(sentence: str) -> str:
    """Mark a Chinese sentence for translation and return it unchanged; it is translated when it is shown."""
    return sentence

"""The skills and teams of the community as a list of members writes them, several in one cell."""

import re
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from timebank.imports.cells.problems import Problem, problem
from timebank.imports.sheets.parsed import without_numbers
from timebank.imports.words.likeness import most_alike
from timebank.imports.words.words import word_key
from timebank.teams.importing import Choice

_BETWEEN = re.compile(r"[、，,;；/／|｜。\n]+")
WORD_MAX = 40


class Choices:
    """The skills, or the teams, of the community by the key of their name: spaces, width and marks do not matter."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        self._by_key: dict[str, Choice] = {}
        for choice in choices:
            self._by_key.setdefault(word_key(choice.name), choice)

    def named(self, text: str) -> Iterator[Choice | str]:
        """What the words of a cell name, each once; a word that names nothing here as it is written.

        A name may have spaces in it, and spaces may stand between names: the longest name counts.
        """
        seen: set[str] = set()
        for word in self._words(text):
            key = word_key(word)
            if key and key not in seen:
                seen.add(key)
                yield self._by_key.get(key, without_numbers(word)[:WORD_MAX])

    def _words(self, text: str) -> Iterator[str]:
        if word_key(text) in self._by_key:
            yield text
            return
        for part in _BETWEEN.split(text):
            yield from self._apart(part.split())

    def _apart(self, words: Sequence[str]) -> Iterator[str]:
        first = 0
        while first < len(words):
            ends = range(len(words), first, -1)
            last = next((end for end in ends if word_key("".join(words[first:end])) in self._by_key), first + 1)
            yield "".join(words[first:last])
            first = last

    def alike(self, word: str) -> str:
        """The names in use that are most like a word."""
        return "、".join(most_alike(word, [(one.name, one.name) for one in self._by_key.values() if one.active]))


def skills_in(choices: Choices, text: str) -> tuple[list[UUID], list[Problem]]:
    """The skills in use that a cell names, and what is wrong with its other words."""
    known: list[UUID] = []
    wrong: list[Problem] = []
    for found in choices.named(text):
        if isinstance(found, Choice) and found.active:
            known.append(found.id)
        elif isinstance(found, Choice):
            wrong.append(problem("skill_off_list", skill=found.name))
        elif alike := choices.alike(found):
            wrong.append(problem("skill_not_listed_alike", skill=found, alike=alike))
        else:
            wrong.append(problem("skill_not_listed", skill=found))
    return known, wrong

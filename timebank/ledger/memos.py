"""What a transfer stores of its reason, and how it is read."""

import msgspec

from timebank.core.wording import Phrase


class Reasoned(msgspec.Struct, frozen=True, kw_only=True):
    """The reason of a transfer. `memo` has the words of entries of before, and those that a giver wrote."""

    memo: str
    memo_kind: str | None
    memo_values: str | None

    def reason(self, language: str = "zh") -> str:
        """The reason in words; empty where the kind of the entry says it all."""
        if self.memo_kind is None:
            return self.memo
        values = msgspec.json.decode(self.memo_values or "{}", type=dict[str, str | int])
        return Phrase(self.memo_kind, values).text(language)

"""What may stand in a text: length, no invisible control characters, nothing that a database or a ledger can't keep."""

import re
import unicodedata
from dataclasses import dataclass

from cone.domain.errors import InvalidFieldError

_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK_CATEGORIES = frozenset({"Cf", "Zs", "Zl", "Zp", "Cc"})
_EMAIL = re.compile(r"[^@\s<>(),;:\"\\\[\]]+@[^@\s<>(),;:\"\\\[\]]+\.[^@\s<>(),;:\"\\\[\].]+")
# Enough for any text field; a larger input is refused before it is normalized.
_HUGE = 100_000


@dataclass(frozen=True, slots=True)
class TextRule:
    """What one text field accepts. `label` is how a message calls it: "the name"."""

    label: str
    maximum: int
    is_required: bool = False
    is_multiline: bool = False

    def check(self, field: str, text: str) -> str:
        """Return the text as it's kept: trimmed, composed (NFC), line ends as \\n.

        Raises: InvalidFieldError.
        """
        if len(text) > _HUGE:
            raise InvalidFieldError(field, self._too_long(len(text)))
        kept = unicodedata.normalize("NFC", self._without_line_ends(text)).strip()
        if any(_is_refused(character) for character in kept):
            raise InvalidFieldError(
                field, f"Type {self.label} again: it contains an invisible control character that can't be kept."
            )
        if all(unicodedata.category(character) in _BLANK_CATEGORIES for character in kept):
            kept = ""
        if not kept and self.is_required:
            raise InvalidFieldError(field, f"Enter {self.label}.")
        if len(kept) > self.maximum:
            raise InvalidFieldError(field, self._too_long(len(kept)))
        return kept

    def _without_line_ends(self, text: str) -> str:
        unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        return unified if self.is_multiline else unified.replace("\n", " ")

    def _too_long(self, length: int) -> str:
        return f"Shorten {self.label} to {self.maximum:,} characters; it has {length:,}."


def check_email(field: str, text: str, *, is_required: bool = False) -> str:
    """Return an e-mail address of a shape that mail can be sent to, at most 100 characters (QuickBooks' limit).

    Raises: InvalidFieldError.
    """
    kept = TextRule("the e-mail address", 100, is_required=is_required).check(field, text)
    if kept and not _EMAIL.fullmatch(kept):
        raise InvalidFieldError(field, "Enter an e-mail address such as anna@example.com.")
    return kept


def _is_refused(character: str) -> bool:
    # Cs: half of a surrogate pair, which UTF-8 can't hold. Overrides of direction would turn the text around a name.
    if character in _DIRECTION_OVERRIDES:
        return True
    return character != "\n" and unicodedata.category(character) in ("Cc", "Cs")

"""What a system's words for attendance mean, and the notice that a cancellation in time gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.schema.columns import STATUSES
from rapport.warehouse.toml_keys.kinds import one_of

ATTENDED_IF_PAST = "attended_if_past"  # the word says only that nobody said otherwise
CANCELLED = "cancelled"  # by whom, the word does not say
IGNORED = "ignored"  # a block or a hold, no appointment of anybody
MEANINGS = (*STATUSES, ATTENDED_IF_PAST, CANCELLED, IGNORED)
PLUS = " + "  # between the parts of a word that several columns make
_SIDES = {"client": "cancelled_by_client", "clinic": "cancelled_by_clinic"}


@dataclass(frozen=True)
class Statuses:
    """A vocabulary: words of one column, or of several joined by ' + ', and what each means.

    Of several columns a part may end in *, which stands for anything; the first word that fits decides.
    """

    columns: tuple[str, ...]
    words: Mapping[str, str]
    is_code: bool = False  # 05, 5 and 5.0 are one word
    cancelled: str | None = None  # what a cancellation counts as when nobody says whose it was


def statuses_of(where: str, told: Mapping[str, Any]) -> Statuses:
    """The vocabulary of a section `status` that was read. Raises ValueError with the word."""
    columns = told["column"]
    words = _for(columns, told["words"] or {status: status for status in STATUSES})
    for word, meaning in words.items():
        one_of(f"{where} words '{word}'", meaning, MEANINGS)
        if len(columns) != 1 != len(word.split(PLUS)) != len(columns):
            raise ValueError(f"{where} words '{word}' has not one part for each of its {len(columns)} columns")
    return Statuses(columns, words, told["is_code"], _SIDES.get(told["cancelled_by"]))


def _for(columns: tuple[str, ...], words: Mapping[str, str]) -> dict[str, str]:
    """The words; one of one part is about the first column alone. Where a clinic has one column of a system's several,
    those that the others do not decide."""
    if len(columns) > 1:
        return {word if PLUS in word else PLUS.join([word, *"*" * (len(columns) - 1)]): words[word] for word in words}
    parts = {word: word.split(PLUS) for word in words}
    return {parts[word][0]: meaning for word, meaning in words.items() if set(parts[word][1:]) <= {"*"}}

"""The meanings of a system's words for attendance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.schema.columns import STATUSES
from rapport.warehouse.toml_keys.kinds import one_of

ATTENDED_IF_PAST = "attended_if_past"  # attended if past: the word means only that no change was entered
CANCELLED = "cancelled"  # the word does not say by whom
IGNORED = "ignored"  # a blocked time, not an appointment of a client
MEANINGS = (*STATUSES, ATTENDED_IF_PAST, CANCELLED, IGNORED)
PLUS = " + "  # joins the parts of a word from several columns
_SIDES = {"client": "cancelled_by_client", "clinic": "cancelled_by_clinic"}


@dataclass(frozen=True)
class Statuses:
    """A vocabulary: words of one column, or of several columns joined by ' + ', each with its meaning.

    With several columns a part may end in *, which matches any text. The first word that fits decides.
    """

    columns: tuple[str, ...]
    words: Mapping[str, str]
    is_code: bool = False  # 05, 5 and 5.0 are the same word
    cancelled: str | None = None  # the status of a cancellation where the export does not say by whom


def statuses_of(where: str, told: Mapping[str, Any]) -> Statuses:
    """Return the vocabulary of a section `status`. Raises ValueError with the word."""
    columns = told["column"]
    words = _for(columns, told["words"] or {status: status for status in STATUSES})
    for word, meaning in words.items():
        one_of(f"{where} words '{word}'", meaning, MEANINGS)
        if len(columns) != 1 != len(word.split(PLUS)) != len(columns):
            raise ValueError(f"{where} words '{word}' has not one part for each of its {len(columns)} columns")
    return Statuses(columns, words, told["is_code"], _SIDES.get(told["cancelled_by"]))


def constant_status(where: str, told: Mapping[str, Any]) -> Statuses:
    """The status that clinic.toml says all of a section's appointments have. Raises ValueError for one that is none."""
    if "status" in told["columns"]:
        raise ValueError(f"{where} has 'status' among its columns and its constants; keep one")
    meaning = one_of(f"{where} constants status", told["constants"]["status"], (*STATUSES, ATTENDED_IF_PAST))
    return Statuses((), {"": meaning})


def _for(columns: tuple[str, ...], words: Mapping[str, str]) -> dict[str, str]:
    """Return the words for these columns. A word of one part is about the first column. Where a clinic has only the
    first of a system's columns, words that need the others are left out."""
    if len(columns) > 1:
        return {word if PLUS in word else PLUS.join([word, *"*" * (len(columns) - 1)]): words[word] for word in words}
    parts = {word: word.split(PLUS) for word in words}
    return {parts[word][0]: meaning for word, meaning in words.items() if set(parts[word][1:]) <= {"*"}}

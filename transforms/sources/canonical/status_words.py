"""The words of a practice system for an appointment's status."""

from __future__ import annotations

import polars as pl
from polars.expr.whenthen import ChainedThen, Then

from rapport.transforms.sources.canonical.casts import UNKNOWN, Dialect, code
from rapport.warehouse.clinic_file.statuses import CANCELLED, PLUS, Statuses


def meaning(statuses: Statuses, columns: list[str], dialect: Dialect) -> pl.Expr:
    """The meaning of the words in the vocabulary's columns; `unknown` for a word that it lacks, null for none.

    `cancelled` is a cancellation that names nobody, where clinic.toml does not say what it counts as."""
    if not columns:  # the same for every record
        return pl.lit(statuses.words[""])
    parts = [_plain(code(column, dialect), statuses) for column in columns]
    words = _words(statuses)
    blank = pl.lit(words.get(PLUS.join("" for _ in parts)), dtype=pl.String)
    found: Then | ChainedThen = pl.when(pl.all_horizontal(part.is_null() for part in parts)).then(blank)
    if len(parts) == 1:
        return found.otherwise(parts[0].replace_strict(words, default=UNKNOWN, return_dtype=pl.String))
    for word, meant in words.items():
        fits = [_fits(part, piece) for part, piece in zip(parts, word.split(PLUS), strict=True)]
        found = found.when(pl.all_horizontal(fits)).then(pl.lit(meant))
    return found.otherwise(pl.lit(UNKNOWN))


def _words(statuses: Statuses) -> dict[str, str]:
    """The words in the form in which they are compared. Of two equal ones the first counts."""
    told: dict[str, str] = {}
    is_joined = len(statuses.columns) > 1
    for word, meant in statuses.words.items():
        parts = (plain(part, is_code=statuses.is_code) for part in (word.split(PLUS) if is_joined else [word]))
        told.setdefault(PLUS.join(parts), statuses.cancelled or meant if meant == CANCELLED else meant)
    return told


def plain(word: str, *, is_code: bool = False) -> str:
    """A word in the form in which words are compared: small letters, single blanks, a code without leading zeros."""
    told = " ".join(word.lower().split())
    if is_code and (number := told.removesuffix(".0")).isdigit():
        return number.lstrip("0") or "0"
    return told


def _plain(word: pl.Expr, statuses: Statuses) -> pl.Expr:
    told = word.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    if statuses.is_code:
        told = told.str.replace(r"^0*(\d+)(\.0)?$", "$1")
    return told


def _fits(part: pl.Expr, piece: str) -> pl.Expr:
    """Whether one of several columns says this. * fits everything; pat* fits every word that begins with pat."""
    if piece == "*":
        return pl.lit(True)
    if not piece:
        return part.is_null()
    if piece.endswith("*") and len(piece) > 1:
        return part.str.starts_with(piece[:-1]).fill_null(False)
    return (part == piece).fill_null(False)

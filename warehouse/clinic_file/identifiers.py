"""One way to write an id. What tells two writings of one number apart is no part of the number.

Unicode NFC (UAX 15), no invisible characters, single blanks, trimmed, no `.0` of a whole float (Parquet and pandas
write it where a column has a gap). A null word is no id. What a spreadsheet rounded, and a reference that holds inside
its own document alone, name nobody: such a record is held.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import polars as pl

from rapport.warehouse.schema.records import ID_PATTERN, LOCAL_REFERENCE, ROUNDED_ID

# What databases, pandas and spreadsheets write for nothing, or for a formula that failed. A surname may be Null.
NULL_WORDS = (
    *("", "NULL", "null", r"\N", "None", "none", "nan", "NaN", "NAN", "NaT", "<NA>", "#N/A"),
    *("#NULL!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#DIV/0!"),
)
# Only a text that has one of these may be another id than it looks: of every other the cast would give the same.
_CAREFUL = r"[^!-~]|\.0+$|[0-9][Ee]\+?[0-9]{2,3}$|^[#<\\]|^(?:[Nn][Uu][Ll]{2}|[Nn]one|[Nn][Aa][NnT])$|^$"
_WHOLE = r"^(-?[0-9]+)\.0+$"
_ROUNDED = r"^-?[0-9]+(?:[.,][0-9]+[Ee]\+?|[Ee]\+)[0-9]{2,3}$"
# Blanks, and what Python too counts among them. Characters that are not seen: format and control characters, fillers,
# joiners and selectors of a variant.
_ASCII = r"^[!-~]*$"
_BLANKS = r"[\s\x1c-\x1f]+"
_FILLERS = r"\x{34f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{2800}\x{3164}\x{fe00}-\x{fe0f}\x{ffa0}"
_INVISIBLE = rf"[\p{{Cf}}\p{{Cc}}{_FILLERS}]"


@dataclass(frozen=True)
class Writing:
    """How a source writes its clients' numbers, as its section says it."""

    pattern: str | None = None  # of the whole number; its group, if it has one, is the number
    case: str | None = None  # upper or lower: capitals tell no two clients apart
    zero_pad: int | None = None  # digits; zeros before a number of fewer digits, which a spreadsheet took away


PLAIN = Writing()


def refuse_pattern(key: str, pattern: str) -> None:
    """Raise ValueError for a pattern of a number that cannot be one."""
    try:
        groups = re.compile(pattern).groups
        pl.Series([""]).str.extract(f"^(?:{pattern})$", min(groups, 1))
    except (re.error, pl.exceptions.ComputeError):
        raise ValueError(f"{key} is no regular expression; write one that a whole number matches") from None
    if groups > 1:
        raise ValueError(f"{key} has {groups} groups in brackets; put one around the number, or none")


@dataclass(frozen=True)
class Identified:
    """A column of ids; and why a text is none (a rule of HELD_BY_READERS), or None where none was refused."""

    ids: pl.Series
    refusals: pl.Series | None = None


def identified(texts: pl.Series, writing: Writing = PLAIN, *, may_be_local: bool = False) -> Identified:
    """A column of texts as ids. `may_be_local`: `#p` is a reference to a part of its own document
    (https://hl7.org/fhir/R5/references.html#contained)."""
    careful = texts if writing != PLAIN else texts.filter(texts.str.contains(_CAREFUL))
    distinct = careful.unique().drop_nulls()
    if not distinct.len():
        return Identified(texts)
    made = _made(distinct, writing, may_be_local=may_be_local)
    changed = made.filter(pl.col("id").ne_missing(pl.col("text")))
    ids = texts.replace(changed["text"], changed["id"]) if changed.height else texts
    refused = made.drop_nulls("refusal")
    if not refused.height:
        return Identified(ids)
    refusals = texts.replace_strict(refused["text"], refused["refusal"], default=None, return_dtype=pl.String)
    return Identified(ids, refusals)


def _made(distinct: pl.Series, writing: Writing, *, may_be_local: bool) -> pl.DataFrame:
    """Of each text: text, id and refusal."""
    shown = distinct if distinct.str.contains(_ASCII).all() else _visible(distinct)
    shown = shown.str.strip_chars()
    told = pl.when(~pl.col("shown").is_in(list(NULL_WORDS))).then(pl.col("shown").str.replace(_WHOLE, "${1}"))
    made = pl.DataFrame({"text": distinct, "shown": shown}).with_columns(told=told)
    made = made.with_columns(id=_stated(pl.col("told"), writing)).with_columns(refusal=_refusal(may_be_local))
    return made.select("text", pl.when(pl.col("refusal").is_null()).then("id").alias("id"), "refusal")


def _visible(texts: pl.Series) -> pl.Series:
    seen = texts.str.normalize("NFC").str.replace_all(_BLANKS, " ").str.replace_all(_INVISIBLE, "")
    return seen.str.replace_all("  +", " ")


def _refusal(may_be_local: bool) -> pl.Expr:
    told = pl.col("told")
    local = [pl.when(told.str.starts_with("#")).then(pl.lit(LOCAL_REFERENCE))] if may_be_local else []
    return pl.coalesce(
        pl.when(told.str.contains(_ROUNDED)).then(pl.lit(ROUNDED_ID)),
        *local,
        pl.when(told.is_not_null() & pl.col("id").is_null()).then(pl.lit(ID_PATTERN)),
    )


def _stated(told: pl.Expr, writing: Writing) -> pl.Expr:
    """As the source's section says that its numbers are written; null where one is written otherwise."""
    if writing.pattern:
        has_group = re.compile(writing.pattern).groups > 0
        told = told.str.extract(f"^(?:{writing.pattern})$", int(has_group)).str.strip_chars().replace("", None)
    if writing.case:
        told = (told.str.to_uppercase() if writing.case == "upper" else told.str.to_lowercase()).str.normalize("NFC")
    if writing.zero_pad:
        told = pl.when(told.str.contains("^[0-9]+$")).then(told.str.zfill(writing.zero_pad)).otherwise(told)
    return told


def plain(text: str) -> str:
    """A number that somebody wrote down, as an id; the text itself where it is none."""
    return identified(pl.Series([text])).ids.item() or text.strip()


def other_writings(number: str) -> list[str]:
    """How an earlier version of Rapport may have kept an id that is known only as a hash: as a whole float, decomposed,
    with hard or double blanks."""
    others = [unicodedata.normalize("NFD", number)] if not number.isascii() else []
    others += [f"{number}.0"] if re.fullmatch("-?[0-9]+", number) else []
    others += [number.replace(" ", blank) for blank in ("\u00a0", "\u202f", "  ")] if " " in number else []
    return [each for each in others if each != number]


def marked_writings(number: str) -> list[str]:
    """The same with a mark that nobody sees before or behind it."""
    marks = ("\ufeff{}", "{}\u200b", "\u200b{}", "\u200e{}", "{}\u200e", "{}\u00ad")
    return [mark.format(number) for mark in marks]

"""What to write in clinic.toml, by the look of what could not be read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import polars as pl

from rapport.transforms.sources.canonical.dates import decided
from rapport.transforms.sources.canonical.status_words import plain
from rapport.transforms.sources.drafting.questionnaires import number_in
from rapport.transforms.sources.drafting.recognition import vocabularies
from rapport.transforms.sources.drafting.toml_lines import written
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused
from rapport.warehouse.schema.columns import STATUSES

NO_VALUE = {"n/a", "na", "#n/a", "nan", "null", "none", "missing", "-", "--", "---", ".", "?", "skipped", "#null!"}
_DATE = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
_OF_DAY = r"^\d{1,2}:\d{2}(:\d{2})?\s*([AaPp]\.?[Mm]\.?)?$"
_DAY_NUMBER = r"^[34]\d{4}(\.\d+)?$"  # of a spreadsheet: the years 1982 to 2036
_COMMA = r"^-?\d+,\d+$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_OTHER_DIGITS = r"[\p{Nd}&&[^0-9]]"


def near(column: str, header: Iterable[str]) -> str:
    """The nearest of the file's columns; else some of them."""
    names = [name for name in header if name and name.isprintable() and len(name) <= 60]
    lower = {name.lower(): name for name in reversed(names)}
    if found := difflib.get_close_matches(column.lower(), list(lower), 1):
        return f"Near:  {written(lower[found[0]])}"
    return f"Its columns:  {', '.join(map(written, names[:8]))}{' ...' if len(names) > 8 else ''}" if names else ""


def mend_of_time(source: Source, columns: Sequence[str], texts: pl.Series, *, are_most: bool) -> str:
    """How times are to be read. `are_most`: whether most of the column is like these texts."""
    where = f"in [sources.{source.name}]"
    if _are_no_values(texts):
        return _nulls(texts, where)
    if _are(texts, _OTHER_DIGITS):
        return "Digits of another script: export them as 0 to 9"
    if _are(texts, _DATE) or _are(texts, _ISO):
        return _mend_of_dates(source, texts, where)
    if _are(texts, _OF_DAY):
        return f'A time of day without its date. Say   {_key(source)} = ["DATE", {written(columns[-1])}]   {where}'
    if _are(texts, _DAY_NUMBER):
        return "A spreadsheet's numbers of days. Show the column as dates, and export it again"
    column = "Is it the right column? Else say" if are_most else "Correct them in the system, or say"
    return f"{column}   nulls   {where} for words that mean no time"


def _mend_of_dates(source: Source, texts: pl.Series, where: str) -> str:
    if _are(texts, _ISO):
        return "No such day or time of day: correct them in the system"
    if source.dates != "iso":
        return f"No such day, or another order: is   dates   right {where}?"
    if source.format.name == "plain":
        return f'The plain format has ISO 8601 alone. Say   format = "table"   {where}'
    return f"Say   dates = {_order(texts)}   {where}"


def _key(source: Source) -> str:
    return "starts_at" if source.columns or source.records == "appointments" else "completed_at"


def _order(texts: pl.Series) -> str:
    try:
        return written(decided([texts.alias("date").to_frame()], ["date"])["date"])
    except Refused:
        return '"month_first"   or   "day_first"'


def mend_of_answers(source: Source, texts: pl.Series, words: Sequence[tuple[str, int]] | None) -> tuple[str, str]:
    """What is wrong with answers that are no numbers, and what to write."""
    where = f"in [sources.{source.name}]"
    if _are(texts, _COMMA):
        return "decimal_comma", f'Say   decimal = ","   {where}'
    if _are_no_values(texts):
        return "empty_words", _nulls(texts, where)
    if words:
        told = ", ".join(f"{written(word)} = {number_in(word) or '?'}" for word, _ in words)
        return "answers_are_words", f"Say   points = {{ {told} }}   {where}"
    return "answers_are_words", f"Say what they count:   points   {where}; or   nulls   for those that mean none"


def mend_of_status(source: Source, words: Sequence[str]) -> str:
    """The preset that knows the words, or a section for them."""
    if "status" not in source.format.takes:
        return f'Its words are  {", ".join(STATUSES)} . For others say   format = "table"   in [sources.{source.name}]'
    knows = [name for name, known in vocabularies() if words and all(plain(word) in known for word in words)]
    if knows and "plain" not in knows:
        return f"Say   preset = {written(knows[0])}   in [sources.{source.name}]: it knows them"
    told = ", ".join(f'{written(word)} = "attended"' for word in words[:2]) or '"..." = "attended"'
    return f"Say   [sources.{source.name}.status]   words = {{ {told}, ... }}"


def _are(texts: pl.Series, pattern: str) -> bool:
    return texts.len() > 0 and bool(texts.str.contains(pattern).all())


def _are_no_values(texts: pl.Series) -> bool:
    """Whether they are what the world writes for nothing: these words are Rapport's own, and may be shown."""
    return texts.len() > 0 and all(text.lower() in NO_VALUE for text in texts.unique())


def _nulls(texts: pl.Series, where: str) -> str:
    return f"An empty value? Say   nulls = [{', '.join(map(written, sorted(texts.unique())))}]   {where}"

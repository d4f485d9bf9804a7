"""Days that a program wrote as midnights. A column in which every time is 00:00 holds days, not times.

Read as a time, such a day is wrong by up to a day: 2026-01-05T00:00:00Z is the evening of the 4th in New York.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import time

import polars as pl

from rapport.transforms.sources.canonical.casts import Dialect, text, wall
from rapport.transforms.sources.opening.shape import MARK, cell

WRITTEN = f"{MARK}written "
MIDNIGHT = time(0)
AS_WRITTEN, ON_THE_WALL = "as written", "on the wall clock"  # where the midnights are
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = rf"{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}"
_OFFSET = r"(?:[Zz]|[-+][0-9]{2}(?::?[0-9]{2})?)$"
_MIDNIGHT = rf"{_DAY}[T ]00:00(?::00(?:\.0+)?)?\s*(?:{_OFFSET})?$"


def days_alone(chunks: Iterable[pl.DataFrame], columns: Iterable[str], dialect: Dialect) -> dict[str, str]:
    """The columns of times in which every time is a midnight. For each, whether it is midnight as written, or on the
    source's wall clock (a program that stores local days wrote them in UTC).
    """
    found = {column: ({AS_WRITTEN, ON_THE_WALL}, False) for column in columns}
    for chunk in chunks:
        for column, (ways, _) in list(found.items()):
            times = _times(chunk, column, dialect, ways)
            if times.len():
                found[column] = (ways & set(_ways(times, dialect)), True)
        found = {column: each for column, each in found.items() if each[0]}
    return {column: min(ways) for column, (ways, is_met) in found.items() if is_met}


def _times(chunk: pl.DataFrame, column: str, dialect: Dialect, ways: set[str]) -> pl.Series:
    """The column's times; only the first one where that is no midnight, because it decides. Most columns end here."""
    texts = chunk.select(written=text(column, dialect)).to_series()
    first = texts.filter(texts.is_not_null()).head(1)
    if first.str.contains(_TIME).any() and not ways & set(_ways(first, dialect)):
        return first
    return texts.filter(texts.str.contains(_TIME).fill_null(False))


def _ways(times: pl.Series, dialect: Dialect) -> Iterator[str]:
    """In which ways all of the times are midnights."""
    if times.str.contains(_MIDNIGHT).all():
        yield AS_WRITTEN
    local = times.to_frame().select(wall("written", dialect)).to_series()
    if times.str.contains(_OFFSET).all() and (local.dt.time() == MIDNIGHT).fill_null(False).all():
        yield ON_THE_WALL


def day_of_midnight(column: str, way: str, dialect: Dialect) -> list[pl.Expr]:
    """A column of days in place of midnights; beside it, WRITTEN, the text as written: ids are made from that."""
    written = text(column, dialect)
    if way == ON_THE_WALL:
        local = wall(column, dialect)
        day = pl.when(local.dt.time() == MIDNIGHT).then(local.dt.strftime("%Y-%m-%d"))
    else:
        day = pl.when(written.str.contains(_MIDNIGHT)).then(written.str.slice(0, 10))
    return [cell(column).alias(WRITTEN + column), pl.coalesce(day, cell(column)).alias(column)]

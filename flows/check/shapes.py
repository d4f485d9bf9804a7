"""What values look like, without the values: letters become A, digits 9."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

import polars as pl

LONGEST = 24  # characters of a shape
MOST_SHAPES = 3  # of a column
FEW_WORDS = 30  # different texts of a column whose words may be shown
IN_RECORDS = 3  # that a shown word stands in, of as many clients
LETTERS = 4  # from so many side by side on their number is not shown


def shape_of(text: str) -> str:
    """A text's shape.

    >>> shape_of("14/03/2026 5:30 PM"), shape_of("Somebody, A."), shape_of("n/a")
    ('99/99/9999 9:99 AA', 'A…, A.', 'A/A')
    """
    shape = "".join(_parts(text.strip()))
    return shape if len(shape) <= LONGEST else f"{shape[: LONGEST - 1]}…"


def _parts(text: str) -> Iterator[str]:
    for kind, run in groupby(text, _kind):
        count = sum(1 for _ in run)
        yield "A…" if kind == "A" and count >= LETTERS else kind * count


def _kind(character: str) -> str:
    """What stands for a character. A mark (an accent) belongs to its letter; a sign beyond ASCII may say something."""
    category = unicodedata.category(character)[0]
    if category in "LM":
        return "A"
    if category == "N":
        return "9"
    return character if " " <= character <= "~" else "·"


def shapes_of(texts: Iterable[str]) -> list[str]:
    """The commonest shapes of texts."""
    return [shape for shape, _ in Counter(map(shape_of, texts)).most_common(MOST_SHAPES)]


def common_words(cells: pl.DataFrame) -> list[tuple[str, int]] | None:
    """The words of a column (`text`, `record`, `client`) with their counts, commonest first, where they may be shown:
    the column has few different texts, and the word stands in three records of three clients. None where it has many.
    """
    counted = cells.group_by("text").agg(
        pl.len().alias("count"), pl.col("record").n_unique(), pl.col("client").drop_nulls().n_unique()
    )
    if counted.height > FEW_WORDS:
        return None
    shown = counted.filter((pl.col("record") >= IN_RECORDS) & (pl.col("client") >= IN_RECORDS))
    return list(shown.sort("count", "text", descending=[True, False]).select("text", "count").iter_rows())

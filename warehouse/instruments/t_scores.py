"""T-scores by sex and school grade, from a CSV file of the clinic. Norms are licensed, so Rapport contains none.

Columns: instrument, scale, rater, sex, grade_from, grade_to, raw, t. An impossible value is refused with its line, its
column and the reason.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from rapport.warehouse.instruments.instrument import Instrument
from rapport.warehouse.places.small_files import read_small
from rapport.warehouse.schema.columns import SEXES
from rapport.warehouse.toml_keys.kinds import one_of

COLUMNS = ("instrument", "scale", "rater", "sex", "grade_from", "grade_to", "raw", "t")
GRADES = range(-3, 13)  # US grades; 0 is kindergarten, grade = age in years - 6 (UCLA)


class TScore(NamedTuple):
    """The T-score of a raw score, for one sex in a range of grades."""

    instrument: str
    scale: str
    rater: str
    sex: str
    grade_from: int
    grade_to: int
    raw: float
    t: float


@dataclass(frozen=True)
class TScores:
    """A clinic's file of T-scores. Its fingerprint is part of the tables' fingerprints."""

    content: str  # a fingerprint
    rows: tuple[TScore, ...] = field(repr=False)


NO_T_SCORES = TScores("", ())


def read_t_scores(path: Path, instruments: Mapping[str, Instrument]) -> TScores:
    """Return the file's rows. Raises ValueError with the file, the line, the column and the reason."""
    content = read_small(path, "t_scores file")
    try:
        return TScores(hashlib.sha256(content).hexdigest()[:16], _rows(content.decode("utf-8-sig"), instruments))
    except UnicodeDecodeError:
        raise ValueError(f"t_scores file {path.name} is not UTF-8; save it as CSV UTF-8") from None
    except (ValueError, csv.Error) as error:
        raise ValueError(f"t_scores file {path.name}, {error}") from None


def _rows(text: str, instruments: Mapping[str, Instrument]) -> tuple[TScore, ...]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = [name.strip() for name in next(reader, [])]
    _check_header(names)
    rows = {}
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows[reader.line_num] = _row(f"line {reader.line_num}", names, cells, instruments)
    if not rows:
        raise ValueError("line 2: there are no rows; give one for each raw score")
    _check_overlaps(rows)
    return tuple(rows.values())


def _check_header(names: list[str]) -> None:
    for name in COLUMNS:
        if names.count(name) != 1:
            near = difflib.get_close_matches(name, set(names) - set(COLUMNS), 1)
            hint = f"; is it '{near[0]}'?" if near else ""
            raise ValueError(f"line 1: column '{name}' must be there once{hint}")
    if extra := [name for name in names if name not in COLUMNS]:
        raise ValueError(f"line 1: column '{extra[0]}' is not one of {', '.join(COLUMNS)}")


def _row(where: str, names: list[str], cells: list[str], instruments: Mapping[str, Instrument]) -> TScore:
    if len(cells) != len(names):
        raise ValueError(f"{where} has {len(cells)} cells; the header has {len(names)} columns")
    given = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    instrument = instruments[one_of(f"{where}, column instrument", given["instrument"], instruments)]
    one_of(f"{where}, column scale", given["scale"], [scale.name for scale in instrument.scales])
    one_of(f"{where}, column rater", given["rater"], instrument.respondents)
    one_of(f"{where}, column sex", given["sex"], SEXES)
    first, last = (_grade(f"{where}, column {name}", given[name]) for name in ("grade_from", "grade_to"))
    if first > last:
        raise ValueError(f"{where}, column grade_from: {first} is above grade_to, {last}")
    raw, t = (_number(f"{where}, column {name}", given[name]) for name in ("raw", "t"))
    low, high = instrument.range_of(instrument.scale(given["scale"]))
    if low is not None and high is not None and not low <= raw <= high:
        raise ValueError(f"{where}, column raw: {raw:g} is outside the scale's range, {low:g} to {high:g}")
    return TScore(given["instrument"], given["scale"], given["rater"], given["sex"], first, last, raw, t)


def _grade(where: str, text: str) -> int:
    number = _number(where, text)
    if number not in GRADES:
        raise ValueError(f"{where}: '{text}' is not a school grade from {GRADES[0]} to {GRADES[-1]}")
    return int(number)


def _number(where: str, text: str) -> float:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan  # as the readers of exports do
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: '{text}' is not a number")
    return number


def _check_overlaps(rows: Mapping[int, TScore]) -> None:
    ordered = sorted(rows.items(), key=lambda found: (*found[1][:4], found[1].raw, found[1].grade_from))
    for (line, row), (other, beside) in pairwise(ordered):
        if (*row[:4], row.raw) == (*beside[:4], beside.raw) and row.grade_to >= beside.grade_from:
            raise ValueError(
                f"lines {min(line, other)} and {max(line, other)}, columns grade_from and grade_to: both give a "
                f"T-score for raw {row.raw:g} in grade {beside.grade_from}; keep one"
            )

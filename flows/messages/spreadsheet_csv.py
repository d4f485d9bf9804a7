"""CSV files for spreadsheets, in which no cell is run as a formula.

Record numbers and file names come from outside, and may begin like a formula (OWASP, CSV Injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are full-width forms of the first


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """The rows as lines of CSV. A text that begins like a formula gets an apostrophe in front; numbers stay as they
    are."""
    return "".join(map(_line, rows))


def _line(row: Iterable[object]) -> str:
    """One line of CSV. The line end is changed afterwards: the writer quotes a carriage return only where lines end
    with one."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerow([_cell(value) for value in row])
    return made.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value

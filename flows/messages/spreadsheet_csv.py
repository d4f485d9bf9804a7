"""CSV that people open in a spreadsheet: lines of a table, in which no cell is run as a formula.

A record number or a file's name comes from outside, and may begin as a formula does (OWASP, CSV Injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are full-width forms of the first


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """The rows as lines of CSV. A text that would begin a formula stands behind an apostrophe; numbers stay as they
    are."""
    return "".join(map(_line, rows))


def _line(row: Iterable[object]) -> str:
    """Its end is put on afterwards: the writer quotes a cell with a carriage return only where lines end with one."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerow([_cell(value) for value in row])
    return made.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value

"""The lines of private/forget.csv, and of forget_too.csv, whose lines a person moves there. A command reads them.

So a number is written as it is, without the apostrophe that flows/messages/spreadsheet_csv.py puts before a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date

HEADING = ["space", "client", "since"]


def request_lines(requests: Iterable[tuple[str, str, date | None]]) -> str:
    """The whole file: its heading, and a line for each person."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADING, *((*who, since or "") for *who, since in requests)])
    return text.getvalue()

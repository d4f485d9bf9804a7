"""What is shown as it stands, on a terminal and on Prefect's pages: names may hold what Rich or Markdown would read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from rapport.warehouse.errors import escaped

# What begins something in Markdown: anywhere, beside a word, at the beginning of a line, or after a number there.
_MARKS = re.compile(r"[\\`*\[\]<>&~|]|(?<!\w)_|_(?!\w)|^[#+=-]|(?<=^\d)[.)]")


def console(*, stderr: bool = False, width: int = 120) -> Console:
    """A terminal that prints every text as it stands; only what is given a style has one. Into a file or a pipe its
    lines are `width` characters wide."""
    is_terminal = os.isatty(2 if stderr else 1)
    return Console(markup=False, emoji=False, highlight=False, stderr=stderr, width=None if is_terminal else width)


def line(*parts: str | tuple[str, str]) -> Text:
    """A line of texts, some with a style: (text, style)."""
    return Text.assemble(*(escaped(part) if isinstance(part, str) else (escaped(part[0]), part[1]) for part in parts))


def grid(*columns: str, title: str = "") -> Grid:
    """An empty table: texts in its first column, numbers in the others."""
    made = plain_grid(columns[:1], title)
    for column in columns[1:]:
        made.add_column(column, justify="right", header_style="dim", no_wrap=True)
    return made


def plain_grid(columns: Iterable[str], title: str = "") -> Grid:
    """An empty table of texts: what has no room in a line goes on in the next, and nothing is cut."""
    made = Grid(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    made.padding = (0, 2, 0, 0)
    for column in columns:
        made.add_column(column, header_style="dim", overflow="fold")
    return made


def in_markdown(text: str) -> str:
    """A text that Markdown shows as it stands."""
    return _MARKS.sub(r"\\\g<0>", escaped(text))

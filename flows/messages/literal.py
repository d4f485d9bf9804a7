"""Literal text on a terminal and on Prefect's pages. Names may contain marks that Rich or Markdown would interpret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from rapport.warehouse.errors import escaped

# The marks of Markdown: anywhere, beside a word, at the beginning of a line, or after a number there.
_MARKS = re.compile(r"[\\`*\[\]<>&~|]|(?<!\w)_|_(?!\w)|^[#+=-]|(?<=^\d)[.)]")


def console(*, stderr: bool = False, width: int = 120) -> Console:
    """A terminal that prints every text literally, with a style only where one is given. In a file or a pipe, lines are
    `width` characters wide."""
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
    """An empty table of texts. A long text continues on the next line, and nothing is cut."""
    made = Grid(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    made.padding = (0, 2, 0, 0)
    for column in columns:
        made.add_column(column, header_style="dim", overflow="fold")
    return made


def in_markdown(text: str) -> str:
    """The text with Markdown's marks escaped, so that Markdown shows it literally."""
    return _MARKS.sub(r"\\\g<0>", escaped(text))

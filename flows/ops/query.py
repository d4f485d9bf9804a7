"""Run SQL queries on the newest published file: `rapport query --warehouse DIR [--sql QUERY]`.

It is opened read-only and locked: no query reads another file, loads an extension or reaches a network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rapport.flows.terminal import finish
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.folders import Folders, resolved
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.places.versions import load_of
from rapport.warehouse.published.page_answers import open_locked, result_text

if TYPE_CHECKING:
    import duckdb


def converse(con: duckdb.DuckDBPyConnection) -> None:
    """Read queries from standard input, each up to a semicolon, and print the result of each."""
    waiting = ""
    while line := _read("rapport> " if not waiting else "    ...> "):
        waiting += line
        if waiting.rstrip().endswith(";"):
            print(result_text(con, waiting))
            waiting = ""


def _ask(con: duckdb.DuckDBPyConnection, query: str | None, version: Path) -> None:
    if query:
        print(result_text(con, query))
        return
    print(f"Load {load_of(version)}, read-only. End a query with ; and the session with Ctrl-D.")
    converse(con)


def _read(prompt: str) -> str:
    """One line with its line end; an empty text at the end of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    try:
        return input(prompt) + "\n"
    except EOFError:
        print()
        return ""


def main(argv: list[str] | None = None) -> int:
    """Open the newest file and run queries."""
    parser = argparse.ArgumentParser(prog="rapport query", description="Ask the newest published file.")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    parser.add_argument("--sql", metavar="QUERY", help="one query; without it they are read from standard input")
    options = parser.parse_args(argv)

    def run() -> None:
        resolved(options.warehouse)
        version = published_version(Folders(options.warehouse))
        with TemporaryDirectory(prefix="rapport-") as spill, open_locked(version, Path(spill)) as con:
            try:
                _ask(con, options.sql, version)
            except UnicodeError:
                raise Unusable("a query is not UTF-8; write it in UTF-8") from None

    return finish(run, options.warehouse)

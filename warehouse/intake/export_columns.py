"""load.export_columns: the columns of each source's newest export. So none comes or goes in silence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import duckdb

from rapport.warehouse.intake.staged_rows import enter_all


class ExportColumn(NamedTuple):
    """A column of a source's newest export."""

    column_id: str  # hexadecimal digits
    place: int  # from 1
    column_name: str | None  # the name under which it is read; None where it is not read
    is_in_all: bool = True  # of several exports of one time


def known_columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[ExportColumn]]:
    """Return the columns of each source's newest export, by source, in their order."""
    known: dict[str, list[ExportColumn]] = {}
    found = con.sql("""
        SELECT source, replace(column_id::VARCHAR, '-', ''), place, column_name, is_in_all
        FROM load.export_columns ORDER BY source, place""")
    for source, *column in found.fetchall():
        known.setdefault(source, []).append(ExportColumn(*column))
    return known


def newest_exports(con: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Return the time of each source's newest export in the books."""
    return dict(con.sql("SELECT source, max(exported_at) FROM load.files GROUP BY source").fetchall())


def enter_columns(con: duckdb.DuckDBPyConnection, load_id: int, source: str, columns: Iterable[ExportColumn]) -> None:
    """Enter the columns of a source's newest export in place of the earlier one's."""
    con.execute("DELETE FROM load.export_columns WHERE source = ?", [source])
    enter_all(
        con,
        "load.export_columns",
        [
            {**each._asdict(), "column_id": bytes.fromhex(each.column_id), "source": source, "load_id": load_id}
            for each in columns
        ],
    )

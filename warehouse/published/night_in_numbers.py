"""Counts of a night, from the building file; and an example query for analysts, from the published file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from rapport.warehouse.store.building_file import open_published

COUNTS = ("record", "header", "blank_or_footer", "ignored", "duplicate", "unchanged", "quarantined", "loaded")
QUERY = """SELECT session_number, client_count, round(mean_pomp, 1) AS mean_pomp
FROM dashboard.alliance_by_session
WHERE instrument = 'srs' AND rater = 'client' AND site = 'All' AND program = 'All'
ORDER BY session_number
LIMIT 5;"""


@dataclass(frozen=True)
class FileSums:
    """A source's files of one night: their number, and the sums of COUNTS."""

    source: str
    file_count: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class SampleQuery:
    """A query and its result."""

    query: str
    columns: list[str]
    rows: list[tuple[Any, ...]]


def files_by_source(con: duckdb.DuckDBPyConnection) -> list[FileSums]:
    """Tonight's files, summed by source."""
    sums = ", ".join(f"sum({count}_count)::BIGINT" for count in COUNTS)
    rows = con.sql(f"SELECT source, count(*), {sums} FROM staged.files GROUP BY source ORDER BY source").fetchall()
    return [FileSums(source, count, tuple(counts)) for source, count, *counts in rows]


def quarantine_by_rule(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return how many records are held back tonight: rule, kind, count."""
    return con.sql(
        "SELECT rule, records, sum(record_count)::BIGINT AS n FROM staged.held_records GROUP BY ALL "
        "ORDER BY n DESC, rule, records"
    ).fetchall()


def vanished_by_source(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """Return how many known records are missing from tonight's exports: source, count."""
    return con.sql(
        "SELECT source, sum(v.vanished_count)::BIGINT AS n FROM staged.volumes AS v JOIN staged.files USING (file_id) "
        "GROUP BY source HAVING n > 0 ORDER BY source"
    ).fetchall()


def unlisted_by_source(con: duckdb.DuckDBPyConnection, load_id: int) -> list[tuple[Any, ...]]:
    """Return how many of tonight's texts are not in the clinic's lists: source, column, count."""
    return con.execute(
        "SELECT source, column_name, sum(unlisted_count)::BIGINT FROM load.unlisted JOIN staged.files USING (file_id) "
        "WHERE unlisted.load_id = ? GROUP BY ALL ORDER BY ALL",
        [load_id],
    ).fetchall()


def sample_query(published: Path) -> SampleQuery | None:
    """Return the example query with its result from the published file; None where the question behind it failed."""
    with open_published(published) as con, suppress(duckdb.Error):
        found = con.sql(QUERY.rstrip(";"))
        return SampleQuery(QUERY, found.columns, found.fetchall())
    return None


@dataclass(frozen=True)
class NightVolume:
    """The records that a night read, by outcome: loaded, unchanged, quarantined."""

    day: date
    counts: tuple[int, int, int]


def volumes(published: Path, count: int) -> list[NightVolume]:
    """Return the volumes of the last `count` published nights, oldest first."""
    with open_published(published) as con:
        rows = con.execute(
            """
            SELECT (as_of AT TIME ZONE (SELECT time_zone FROM load.current))::DATE,
                coalesce(sum(loaded_count), 0)::BIGINT, coalesce(sum(unchanged_count), 0)::BIGINT,
                coalesce(sum(quarantined_count), 0)::BIGINT
            FROM load.loads AS l LEFT JOIN load.files AS f USING (load_id)
            WHERE l.outcome = 'published' AND l.purpose = 'night'
            GROUP BY load_id, as_of ORDER BY load_id DESC LIMIT ?""",
            [count],
        ).fetchall()
    return [NightVolume(day, tuple(counts)) for day, *counts in reversed(rows)]

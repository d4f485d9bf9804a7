"""Lines of one appointment, in files of sources whose lines are visits: such as a line for each therapist.

A record is known by its appointment's id. Where a file has one id on lines with other therapists or services, the first
line keeps the id. Each other line gets one of its own, and both are records.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from rapport.warehouse.store.quoting import quoted_names

_HALF = 16  # hexadecimal digits of an id that are of the appointment; the others are of the client
_LINE = "row(therapist_id, service)"  # what tells the lines of an appointment apart


def give_lines_ids(con: duckdb.DuckDBPyConnection, sources: Collection[str]) -> None:
    """Give the staged lines of an appointment ids of their own, but for the first. `staged.lines_apart` has the row_id
    of every line of such an appointment. Lines that agree in therapist and service keep one id: they are repeats, or
    conflicts."""
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.lines_apart AS
        SELECT row_id, {_LINE} IS DISTINCT FROM first_value({_LINE}) OVER (appointment ORDER BY row_id) AS is_other
        FROM staged.appointments WHERE source IN ({quoted_names(sources)}) AND session_id IS NOT NULL
        WINDOW appointment AS (PARTITION BY file_number, source, session_id)
        QUALIFY min({_LINE}) OVER appointment IS DISTINCT FROM max({_LINE}) OVER appointment""")
    con.execute(f"""
        UPDATE staged.appointments SET session_id = (
            md5(concat_ws('|', {_digits("session_id")}[:{_HALF}], coalesce(therapist_id::VARCHAR, ''),
                coalesce(service, '')))[:{_HALF}] || {_digits("session_id")}[{_HALF + 1}:])::UUID
        WHERE row_id IN (SELECT row_id FROM staged.lines_apart WHERE is_other)""")


def _digits(column: str) -> str:
    return f"replace({column}::VARCHAR, '-', '')"

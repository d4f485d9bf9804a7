"""Attended appointments of one client at one start: a visit on several lines, which counts as several sessions."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

_AT_ONCE = """
    FROM history.appointments SEMI JOIN staged.touched USING (client_id)
    WHERE known_to IS NULL AND status = 'attended' AND {which}
    GROUP BY source, client_id, starts_at{also} HAVING {several} AND max(known_from) = {load_id}"""


def repeated_starts(
    con: duckdb.DuckDBPyConnection, load_id: int, visit_sources: Collection[str]
) -> list[tuple[str, int]]:
    """Source, and how many starts that a load brought have one client twice with one therapist. Sources whose lines are
    visits are left out."""
    named = ", ".join(f"'{source}'" for source in visit_sources) or "''"
    return _counted(con, f"source NOT IN ({named})", ", therapist_id", "count(*) > 1", load_id)


def starts_with_several_ends(
    con: duckdb.DuckDBPyConnection, load_id: int, visit_sources: Collection[str]
) -> list[tuple[str, int]]:
    """Source whose lines are visits, and how many starts that a load brought have lines with several ends."""
    named = ", ".join(f"'{source}'" for source in visit_sources) or "''"
    return _counted(con, f"source IN ({named})", "", "count(DISTINCT duration_minutes) > 1", load_id)


def held_lines(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """Source, and how many appointments of tonight are held although their lines differ in therapist or service
    alone."""
    said = "row(starts_at, duration_minutes, cancelled_at, status, modality, site, unreadable)"
    return con.sql(f"""
        SELECT source, count(*) FROM (
            SELECT source, file_number, session_id
            FROM staged.appointments JOIN staged.appointments_repeats USING (row_id) WHERE is_conflict
            GROUP BY ALL HAVING count(DISTINCT {said}) = 1)
        GROUP BY source ORDER BY source""").fetchall()


def _counted(
    con: duckdb.DuckDBPyConnection, which: str, also: str, several: str, load_id: int
) -> list[tuple[str, int]]:
    starts = _AT_ONCE.format(which=which, also=also, several=several, load_id=load_id)
    return con.sql(f"SELECT source, count(*) FROM (SELECT source {starts}) GROUP BY source ORDER BY source").fetchall()

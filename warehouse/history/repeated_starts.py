"""Attended appointments of one client at one start: a visit on several lines, which counts as several sessions."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from rapport.warehouse.store.quoting import quoted_names

# What a load brought to the clients whom it touched. A check enters nothing: there, tonight's rows.
_KNOWN = "(FROM history.appointments SEMI JOIN staged.touched USING (client_id) WHERE known_to IS NULL)"
_TONIGHT = "(SELECT *, 0 AS known_from FROM staged.appointments WHERE disposition = 'loaded')"


def repeated_starts(
    con: duckdb.DuckDBPyConnection, load_id: int | None, visit_sources: Collection[str]
) -> list[tuple[str, int]]:
    """Source, and how many starts that a load brought have one client twice with one therapist; without a load those in
    tonight's files. Sources whose lines are visits are left out."""
    which = f"source NOT IN ({quoted_names(visit_sources)})"
    return _counted(con, which, ", therapist_id", "count(DISTINCT session_id) > 1", load_id)


def starts_with_several_ends(
    con: duckdb.DuckDBPyConnection, load_id: int | None, visit_sources: Collection[str]
) -> list[tuple[str, int]]:
    """Source whose lines are visits, and how many starts that a load brought have lines with several ends; without a
    load those in tonight's files."""
    which = f"source IN ({quoted_names(visit_sources)})"
    return _counted(con, which, "", "count(DISTINCT duration_minutes) > 1", load_id)


def held_lines(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """Source, and how many appointments of tonight are held although their lines differ in therapist or service
    alone."""
    said = "row(starts_at, duration_minutes, cancelled_at, status, modality, site, unreadable)"
    return con.sql(f"""
        SELECT source, count(*) FROM (
            SELECT source, file_number, session_id
            FROM staged.appointments JOIN staged.appointments_repeats USING (row_id) WHERE is_conflict
            GROUP BY ALL HAVING count(*) > 1 AND count(DISTINCT {said}) = 1)
        GROUP BY source ORDER BY source""").fetchall()


def _counted(
    con: duckdb.DuckDBPyConnection, which: str, also: str, several: str, load_id: int | None
) -> list[tuple[str, int]]:
    relation, brought = (_TONIGHT, 0) if load_id is None else (_KNOWN, load_id)
    return con.sql(f"""
        SELECT source, count(*) FROM (
            SELECT source FROM {relation} WHERE status = 'attended' AND {which}
            GROUP BY source, client_id, starts_at{also} HAVING {several} AND max(known_from) = {brought})
        GROUP BY source ORDER BY source""").fetchall()

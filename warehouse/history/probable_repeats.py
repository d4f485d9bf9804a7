"""Records that a source's newest export leaves out, each with a new one in its place: probably the same, edited.

A form row that was edited has another time, a renamed record another number, a moved booking without an id of its own
another start. Without `covers` nothing says that the old one is gone, so it stays, and both count. That is told, and
nobody guesses: an export of the last days too leaves out what is older. So it is told only where every record that an
export leaves out has a new one in its place.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

# o is known and was left out tonight, n is new: the ways in which the two are probably one. Each is a join on equal
# columns: the same conditions joined by OR compare every o with every n, which took 14 times as long.
_ANSWERS = " AND o.answers = n.answers"
_SAME = {
    "responses": (
        "o.instrument = n.instrument AND o.rater = n.rater AND o.client_id = n.client_id",
        "o.instrument = n.instrument AND o.rater = n.rater AND o.completed_at = n.completed_at" + _ANSWERS,
    ),
    "appointments": ("o.client_id = n.client_id AND o.therapist_id IS NOT DISTINCT FROM n.therapist_id",),
}
# Where a source's files show nothing that was known, only what is still to come can have been left out.
_MAY_BE_GONE = {"responses": "is_overlapping", "appointments": "(is_overlapping OR o.starts_at > o.newest)"}


def probable_repeats(con: duckdb.DuckDBPyConnection, load_id: int) -> list[tuple[str, str, int]]:
    """Source, kind of record, and how many of what a load brought are probably repeats of what stays."""
    found: list[tuple[str, str, int]] = []
    for kind, ways in _SAME.items():
        # Answers take most of the time to read, and where nothing else is alike they need not be.
        if con.sql(_query(kind, [way.removesuffix(_ANSWERS) for way in ways], load_id)).fetchall():
            found += con.sql(_query(kind, ways, load_id)).fetchall()
    return sorted(found)


def _query(kind: str, ways: Iterable[str], load_id: int) -> str:
    is_alike = " OR ".join(f"EXISTS (FROM new AS n WHERE n.source = o.source AND {way})" for way in ways)
    return f"""
        WITH exports AS (
            SELECT source, max(exported_at) AS newest, max(exported_at) FILTER (exported_at < newest_one) AS before
            FROM (SELECT source, exported_at, max(exported_at) OVER (PARTITION BY source) AS newest_one
                  FROM load.files WHERE covers IS NULL AND source IN (
                      SELECT source FROM load.files WHERE load_id = {load_id} AND NOT is_passed_over))
            GROUP BY source HAVING before IS NOT NULL),
        known AS NOT MATERIALIZED (FROM history.{kind} JOIN exports USING (source) WHERE known_to IS NULL),
        shown AS (
            SELECT source, count(*) FILTER (exported_at = newest AND known_from < {load_id}) > 0 AS is_overlapping
            FROM known GROUP BY source),
        old AS (FROM known JOIN shown USING (source) WHERE known_from < {load_id} AND exported_at = before),
        new AS (FROM known WHERE known_from = {load_id} AND exported_at = newest)
        SELECT source, '{kind}', count(*) FROM old AS o
        GROUP BY source HAVING bool_and({_MAY_BE_GONE[kind]} AND ({is_alike}))"""

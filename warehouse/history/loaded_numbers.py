"""The order in which records were first loaded: `loaded_number` of every version of a record."""

from __future__ import annotations

import duckdb

from rapport.warehouse.schema.records import KINDS, RecordKind

_LOAD = 1 << 32  # numbers of a load: more than any night has rows


def first_number(load_id: int) -> int:
    """Return the number of a load's first row. The number of its row n is n higher."""
    return load_id * _LOAD


def number_before(kind: RecordKind) -> str:
    """Return a query of key and loaded_number of tonight's new records that were known before and had vanished."""
    key = ", ".join(kind.key)
    return f"""
        SELECT {key}, min(loaded_number) AS before FROM history.{kind.name}
        WHERE known_to IS NOT NULL AND ({key}) IN (
            SELECT ({key}) FROM staged.{kind.name} JOIN staged.compared USING (row_id) WHERE verdict = 'new')
        GROUP BY ALL"""


def number_earlier_loads(con: duckdb.DuckDBPyConnection) -> None:
    """Number the records that an earlier version of Rapport loaded without a number: by load, source and place in the
    file."""
    for kind in KINDS.values():
        if con.sql(f"SELECT 1 FROM history.{kind.name} WHERE loaded_number IS NULL LIMIT 1").fetchone():
            _number(con, kind)


def _number(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    key = ", ".join(kind.key)
    same = " AND ".join(f"h.{column} = n.{column}" for column in kind.key)
    con.execute(f"""
        UPDATE history.{kind.name} AS h SET loaded_number = n.number FROM (
            SELECT {key}, row_number() OVER (ORDER BY first_known, source) AS number
            FROM (SELECT {key}, min(row(known_from, exported_at, record_number)) AS first_known
                  FROM history.{kind.name} GROUP BY ALL)) AS n
        WHERE {same}""")

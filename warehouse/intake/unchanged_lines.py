"""Lines of a whole export that the source's last whole export held too: their records are confirmed without reading.

Their records are known and current: all loads since then were nights, and none read another file of the source.
"""

from __future__ import annotations

from datetime import datetime

import duckdb
import polars as pl

from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.records import FILE_NUMBER, KINDS, RecordKind
from rapport.warehouse.store.frames import fetch, insert
from rapport.warehouse.store.one_row import is_so

SETTLES = ("episodes", "appointments", "responses")  # a client's line is always read: it may hold a birth date
RISKS = "risk_answers"  # the kind of a line that also holds a risk answer; the line confirms it
_CHANGES_NO_RECORD = ("night", "compaction")

KNOWN_COUNT = Column("known_count", "integer", "Known lines of the file that hold records: unchanged, and not read.")
KNOWN_LINES = (
    FILE_NUMBER,
    Column("records", "text", "Kind of record."),
    Column("id", "id", "The record."),
    Column("record_number", "integer", "The line's record number in this file, for a line with a risk answer."),
)


def are_current(con: duckdb.DuckDBPyConnection, source: str, load_id: int, file_id: str, exported_at: datetime) -> bool:
    """Return whether the lines that a load noted of a source are still current, and this export is a newer one."""
    asked = f"""
        SELECT EXISTS (FROM load.loads WHERE load_id = $load_id AND outcome = 'published' AND purpose = 'night')
            AND NOT EXISTS (FROM load.loads WHERE load_id > $load_id AND purpose NOT IN {_CHANGES_NO_RECORD})
            AND (SELECT count(*) = 1 AND bool_and(load_id = $load_id AND covers = 'all' AND file_id <> $file_id::UUID)
                 FROM load.files WHERE source = $source AND load_id >= $load_id AND NOT is_passed_over)
            AND (SELECT max(exported_at) < $exported_at FROM load.files WHERE source = $source)"""
    given = {"source": source, "load_id": load_id, "file_id": file_id, "exported_at": exported_at}
    return is_so(con, asked, given)


def enter_known_lines(
    con: duckdb.DuckDBPyConnection, file_number: int, lines: pl.DataFrame, risks: pl.DataFrame
) -> int:
    """Enter the records in a file's known lines into staged.known_lines, and the risk answers in them (`risks`:
    record_number, id). Return the number of lines with records."""
    shown = lines.filter(pl.col("id").is_not_null(), pl.col("records") != RISKS)
    for entered in (shown.select("records", "id"), risks.select("record_number", "id", records=pl.lit(RISKS))):
        insert(con, "staged.known_lines", entered.with_columns(file_number=pl.lit(file_number, pl.Int32)))
    return shown["line"].n_unique()


def is_newest(con: duckdb.DuckDBPyConnection, file_number: int) -> bool:
    """Return whether a file of tonight, already in the books, is its source's newest export and a whole one."""
    asked = """
        SELECT count(*) > 0 FROM staged.files AS f WHERE covers = 'all' AND file_number = ?
            AND row(exported_at, first_modified, first_load_id) >= (
                SELECT max(row(exported_at, first_modified, first_load_id)) FROM load.files AS b
                WHERE b.source = f.source)"""
    return is_so(con, asked, [file_number])


def is_contradicted(con: duckdb.DuckDBPyConnection, file_number: int, lines: pl.DataFrame) -> bool:
    """Return whether the known lines of a file must be read too: a line that was read has a record without its id, or a
    record that is also in a known line. Then the lines depend on each other, and the whole file must be read."""
    return any(_contradicts(con, kind, file_number, lines) for kind in KINDS.values())


def _contradicts(con: duckdb.DuckDBPyConnection, kind: RecordKind, file_number: int, lines: pl.DataFrame) -> bool:
    ids = fetch(con, f"SELECT {kind.key[1]} AS id FROM staged.{kind.name} WHERE file_number = {file_number}")["id"]
    if ids.is_empty():
        return False
    read = ids.cast(pl.Binary).implode()
    return ids.has_nulls() or not lines.filter(pl.col("id").is_in(read), pl.col("records") == kind.name).is_empty()


def settled_records(
    con: duckdb.DuckDBPyConnection, file_number: int, known_at: datetime
) -> tuple[pl.DataFrame, pl.Series]:
    """Return the settled records of a file that was read (record_number, records, id), with its responses that have a
    risk answer: a later reading gives the same. Return also the record_numbers of the others: held back, repeated, or
    in the future."""
    rows = " UNION ALL ".join(_settled(kind, known_at) for kind in KINDS.values())
    found = fetch(con, f"SELECT * EXCLUDE (file_number) FROM ({rows}) WHERE file_number = {file_number}")
    risks = fetch(
        con,
        f"""
        SELECT DISTINCT record_number, '{RISKS}' AS records, response_id AS id
        FROM staged.risk_answers JOIN staged.files USING (file_id)
        WHERE file_number = {file_number} AND response_id IS NOT NULL""",
    )
    is_settled = pl.col("is_settled")
    kept = pl.concat([found.filter(is_settled).drop("is_settled"), risks])
    return kept.with_columns(pl.col("id").cast(pl.Binary)), found.filter(~is_settled)["record_number"].unique()


def _settled(kind: RecordKind, known_at: datetime) -> str:
    has_begun = f"starts_at <= '{known_at.isoformat()}'::TIMESTAMPTZ" if kind.name == "appointments" else "true"
    is_alone = " AND row_id NOT IN (SELECT row_id FROM staged.lines_apart)" if kind.name == "appointments" else ""
    return f"""
        SELECT file_number, record_number, '{kind.name}' AS records, {kind.key[1]} AS id, ({kind.name in SETTLES}
            AND disposition IN ('loaded', 'unchanged') AND record_count = 1 AND {has_begun}
            AND row_id NOT IN (SELECT row_id FROM staged.{kind.name}_repeats){is_alone}) IS TRUE AS is_settled
        FROM staged.{kind.name}"""

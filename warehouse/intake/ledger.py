"""The outcome of every record and every row, so that both ledgers add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import duckdb

from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.intake.staged_rows import enter
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.one_row import is_so, number, one_row

OUTCOMES = (
    "quarantined",
    "loaded",
    "unchanged",
    "duplicate",
)  # a record with several rows counts once, under the first of these
LATE_AFTER_HOURS = 12
RECORDS_AT_ONCE = 2_000_000  # records of a file: to group ten million needs more memory than DuckDB's limit


def facts_of_load(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """Return the facts of load.json that come from an open file: published_at, data_to, waiting_rows."""
    asked = """
        SELECT finished_at, data_to, (SELECT count(*) FROM load.quarantine WHERE state = 'waiting')
        FROM load.current JOIN load.loads USING (load_id)"""
    return dict(zip(("published_at", "data_to", "waiting_rows"), one_row(con, asked), strict=True))


def count_records(con: duckdb.DuckDBPyConnection) -> None:
    """Count the physical records of tonight's files by outcome. A record without a row is ignored."""
    counts = ", ".join(f"{word}_count BIGINT" for word in OUTCOMES)
    con.execute(f"CREATE OR REPLACE TABLE staged.went (file_number INTEGER, {counts})")
    last = " UNION ALL ".join(f"SELECT max(record_number) AS last FROM staged.{kind}" for kind in KINDS)
    for start in range(0, number(con, f"SELECT coalesce(max(last), 0) FROM ({last})") + 1, RECORDS_AT_ONCE):
        con.execute(f"INSERT INTO staged.went {_by_outcome(start, start + RECORDS_AT_ONCE - 1)}")
    went = {word: f"w.{word}" for word in OUTCOMES} | {"unchanged": "w.unchanged + coalesce(known_count, 0)"}
    sums = ", ".join(f"sum({word}_count)::INTEGER AS {word}" for word in OUTCOMES)
    con.execute(f"""
        UPDATE staged.files AS f SET {", ".join(f"{word}_count = {count}" for word, count in went.items())}
        FROM (SELECT file_number, {sums} FROM staged.went GROUP BY file_number) AS w
        WHERE f.file_number = w.file_number""")
    con.execute(f"""
        UPDATE staged.files SET ignored_count = record_count - header_count - blank_or_footer_count
            - {" - ".join(f"{word}_count" for word in OUTCOMES)} WHERE NOT is_passed_over""")


def _by_outcome(first: int, last: int) -> str:
    """Return a query that counts the records with these numbers by file and outcome. A record with several rows counts
    under the first outcome of any."""
    rank = "list_position([" + ", ".join(f"'{word}'" for word in OUTCOMES) + "], disposition)"
    rows = " UNION ALL ".join(
        f"SELECT file_number, record_number, record_count, {rank} AS rank FROM staged.{kind} "
        f"WHERE record_number BETWEEN {first} AND {last}"
        for kind in KINDS
    )
    counts = ", ".join(f"coalesce(sum(n) FILTER (rank = {place}), 0)" for place, _ in enumerate(OUTCOMES, start=1))
    return f"""
        SELECT file_number, {counts} FROM (
            SELECT file_number, record_number, min(rank) AS rank, max(record_count) AS n FROM ({rows}) GROUP BY ALL)
        GROUP BY file_number"""


def recount_records(con: duckdb.DuckDBPyConnection) -> None:
    """Count again after the comparison with history, where it found unchanged rows."""
    said = " UNION ALL ".join(f"SELECT disposition FROM staged.{kind}" for kind in KINDS)
    if is_so(con, f"SELECT EXISTS (FROM ({said}) WHERE disposition = 'unchanged')"):
        count_records(con)


def write_ledgers(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Enter tonight's files and rows into load.files and load.rows."""
    con.execute("INSERT INTO load.files BY NAME SELECT * EXCLUDE (file_number, known_count) FROM staged.files")
    counts = ", ".join(f"count(*) FILTER (disposition = '{word}') AS {word}_count" for word in OUTCOMES)
    for kind in KINDS:
        con.execute(f"""
            INSERT INTO load.rows BY NAME
            SELECT {load_id} AS load_id, file_id, '{kind}' AS records, count(*) AS row_count, {counts}
            FROM (SELECT file_number, disposition FROM staged.{kind} UNION ALL
                  SELECT file_number, 'unchanged' FROM staged.known_lines WHERE records = '{kind}')
            JOIN (SELECT file_number, file_id FROM staged.files) USING (file_number)
            GROUP BY file_id""")


def write_sources(
    con: duckdb.DuckDBPyConnection, clinic: Clinic, as_of: datetime, read_otherwise: Mapping[str, int] | None = None
) -> None:
    """Enter into load.sources each source's last export and whether it is late. `read_otherwise`: how many of its
    records were read by other code and cannot be read again; None: the counts of the last night that read files."""
    if read_otherwise is None:
        read_otherwise = dict(con.sql("SELECT source, read_otherwise_count FROM load.sources").fetchall())
    con.execute("DELETE FROM load.sources")
    for source in clinic.sources:
        last, count = one_row(
            con, "SELECT max(exported_at), count(DISTINCT file_id) FROM load.files WHERE source = ?", [source.name]
        )
        every = source.every.total_seconds() / 3600 if source.every else None
        facts = {
            "source": source.name,
            "format": source.format.name,
            "last_exported_at": last,
            "file_count": count,
            "read_otherwise_count": read_otherwise.get(source.name) or 0,
        }
        late = every is not None and (last is None or (as_of - last).total_seconds() / 3600 > every + LATE_AFTER_HOURS)
        enter(con, "load.sources", {**facts, "every_hours": every, "is_late": late})


def facts_of_repeat(con: duckdb.DuckDBPyConnection, file_id: str) -> dict[str, object]:
    """Return the books' facts about a file that came again byte for byte: its loaded records count as unchanged.

    Its future appointments begin at the same time, so the copy is read again at the same time as the first.
    """
    kept = ("header_count", "blank_or_footer_count", "ignored_count", "duplicate_count", "quarantined_count")
    record_count, rereads_at, *counts = one_row(
        con,
        f"SELECT record_count, rereads_at, {', '.join(kept)} FROM load.files "
        "WHERE file_id = ? ORDER BY load_id DESC LIMIT 1",
        [file_id],
    )
    gone = {"unchanged_count": record_count - sum(counts), "record_count": record_count, "rereads_at": rereads_at}
    return {**dict(zip(kept, counts, strict=True)), **gone}


@dataclass(frozen=True)
class Reading:
    """The books' facts about one reading of a file."""

    file_id: str
    content: str
    byte_count: int
    modified: int
    exported_at: datetime
    reading: str
    rules: str
    rereads_at: datetime | None


def last_reading(con: duckdb.DuckDBPyConnection, source: str, name_id: str) -> Reading | None:
    """Return the latest reading of a file, by its keyed name; None before the first."""
    return next(iter(_readings(con, "name_id = ? ORDER BY load_id DESC, exported_at DESC", source, name_id)), None)


def latest_export(con: duckdb.DuckDBPyConnection, source: str) -> Reading | None:
    """Return the latest reading of a source's latest export; None before the first, and where several exports were made
    at the same time."""
    newest = "exported_at = (SELECT max(exported_at) FROM load.files WHERE source = ?) ORDER BY load_id DESC"
    readings = _readings(con, newest, source, source)
    return readings[0] if len({reading.file_id for reading in readings}) == 1 else None


def _readings(con: duckdb.DuckDBPyConnection, wanted: str, *given: str) -> list[Reading]:
    columns = ", ".join(each.name for each in fields(Reading)[1:])
    asked = f"SELECT file_id::VARCHAR, {columns} FROM load.files WHERE source = ? AND {wanted}"
    return [Reading(*found) for found in con.execute(asked, given).fetchall()]


def late_sources(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the sources whose latest export is late."""
    return [name for (name,) in con.sql("SELECT source FROM load.sources WHERE is_late ORDER BY source").fetchall()]

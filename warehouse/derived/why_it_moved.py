"""Why a number changed: the rows that each load added, changed and removed, and their effect on the headlines.

Every change of a row has one cause: a new record of its client, a corrected one, a vanished one, an erasure, or a
changed definition. An erasure removes the amounts of all earlier loads from the books; the values after it are entered
with the cause `standing`. Where a client has several causes in one night, an added row counts as new, a removed row as
vanished, and a changed row as corrected.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import duckdb

from rapport.warehouse.schema.records import CORRECTED, DEFINITION, ERASED, GONE, NEW, STANDING
from rapport.warehouse.schema.tables import Table
from rapport.warehouse.store.one_row import is_so, number, one_row

_HELD = "status IN ('attended', 'no_show', 'late_cancel')"


@dataclass(frozen=True)
class Headline:
    """A number that people follow: a sum over rows of one table, or such a sum divided by another."""

    name: str
    table: str
    numerator: str
    denominator: str | None
    parts: tuple[str, ...] = ()
    rows: str = "true"
    reads: tuple[str, ...] = ()  # the columns in these expressions, without the parts

    @property
    def part(self) -> str:
        """SQL of the group that the number is about."""
        return f"concat_ws(' ', {', '.join(self.parts)})" if self.parts else "''"

    @property
    def sums(self) -> str:
        """SQL of each row's amount in the two sums."""
        return f"({self.numerator})::DOUBLE AS numerator, ({self.denominator or 'NULL'})::DOUBLE AS denominator"


HEADLINES = (
    Headline("clients", "clients", "1", None),
    Headline("sessions", "sessions", "1", None),
    Headline("responses", "responses", "1", None),
    Headline("attendance_share", "appointments", "(status = 'attended')::INTEGER", "1", rows=_HELD, reads=("status",)),
    Headline("no_show_share", "appointments", "(status = 'no_show')::INTEGER", "1", rows=_HELD, reads=("status",)),
    Headline(
        "mean_alliance_pomp", "alliance", "pomp", "1", ("instrument", "rater"), "scale = 'total'", ("pomp", "scale")
    ),
)


def columns_noted(table: Table) -> list[str]:
    """Return the columns of a table that are needed to book a change of a row."""
    asked = [("client_id", *each.parts, *each.reads) for each in HEADLINES if each.table == table.name]
    return list(dict.fromkeys((*table.key, *(column for columns in asked for column in columns))))


def list_causes(con: duckdb.DuckDBPyConnection) -> None:
    """Make staged.causes: the causes of each client touched tonight."""
    flags = ", ".join(f"bool_or(cause = '{cause}') AS is_{cause}" for cause in (ERASED, NEW, CORRECTED, GONE))
    con.execute(f"CREATE OR REPLACE TABLE staged.causes AS SELECT client_id, {flags} FROM staged.touched GROUP BY ALL")


def note_changes(con: duckdb.DuckDBPyConnection, table: Table, come: str, gone: str, cause: str | None = None) -> None:
    """Book the rows added to a table and the rows removed from it. `come` and `gone`: relations of these rows, with
    `columns_noted`. Without a `cause` each row takes the cause of its client."""
    has_gone = is_so(con, f"SELECT EXISTS (FROM {gone})")
    counts = _counts(table, come, gone) if has_gone else f"SELECT count(*), 0, 0 FROM {come}"
    con.execute(f"INSERT INTO temp.changes SELECT '{table.name}', * FROM ({counts})")
    for headline in (each for each in HEADLINES if each.table == table.name):
        moved = _both_ways(table, headline, come, gone) if has_gone else _came(headline, come)
        _note_movement(con, headline, moved, cause)


def _counts(table: Table, come: str, gone: str) -> str:
    key = ", ".join(table.key)
    return f"""
        SELECT count(*) FILTER (came AND NOT went), count(*) FILTER (came AND went), count(*) FILTER (went AND NOT came)
        FROM (SELECT bool_or(came) AS came, bool_or(NOT came) AS went FROM (
                SELECT {key}, true AS came FROM {come} UNION ALL SELECT {key}, false FROM {gone}) GROUP BY {key})"""


def _came(headline: Headline, come: str) -> str:
    """Return a query of the headline's amounts in added rows, where no row was removed."""
    return f"""
        SELECT client_id, {headline.part} AS part, {headline.sums}, 1 AS sign, false AS both_ways
        FROM {come} WHERE {headline.rows}"""


def _both_ways(table: Table, headline: Headline, come: str, gone: str) -> str:
    """Return a query of the headline's amounts in added and removed rows. both_ways: a changed row, removed and
    added."""
    key = ", ".join(table.key)
    rows = f"{key}, client_id, {headline.part} AS part, {headline.sums}"
    return f"""
        WITH moved AS (
            SELECT {rows}, 1 AS sign FROM {come} WHERE {headline.rows}
            UNION ALL SELECT {rows}, -1 FROM {gone} WHERE {headline.rows}),
        went AS (SELECT {key} FROM moved WHERE sign < 0),
        both_ways AS (SELECT {key} FROM moved SEMI JOIN went USING ({key}) WHERE sign > 0)
        FROM moved LEFT JOIN (SELECT *, true AS both_ways FROM both_ways) USING ({key})"""


def _note_movement(con: duckdb.DuckDBPyConnection, headline: Headline, moved: str, cause: str | None) -> None:
    con.execute(f"""
        INSERT INTO temp.movements
        WITH told AS (
            SELECT part, sign * numerator AS numerator, sign * denominator AS denominator,
                {f"'{cause}'" if cause else _CAUSE_OF_ROW} AS cause
            FROM ({moved}) LEFT JOIN staged.causes USING (client_id))
        SELECT '{headline.name}', part, cause, sum(numerator), sum(denominator) FROM told GROUP BY part, cause""")


_OF_FILE = "load_id = (SELECT load_id FROM load.current)"
_CAUSE_OF_ROW = f"""CASE WHEN is_{ERASED} THEN '{ERASED}'
    WHEN both_ways THEN CASE WHEN is_{CORRECTED} THEN '{CORRECTED}' WHEN is_{NEW} THEN '{NEW}' ELSE '{GONE}' END
    WHEN sign > 0 THEN CASE WHEN is_{NEW} THEN '{NEW}' WHEN is_{CORRECTED} THEN '{CORRECTED}' ELSE '{GONE}' END
    WHEN is_{GONE} THEN '{GONE}' WHEN is_{CORRECTED} THEN '{CORRECTED}' ELSE '{NEW}' END"""


def note_taken_down(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Book the removal of a table's headlines, because the table will be made anew with other columns."""
    for headline in (each for each in HEADLINES if each.table == table.name):
        with suppress(duckdb.BinderException):  # the old table lacks a column of the headline
            whole = f"main.{table.name}"
            moved = _both_ways(table, headline, f"(FROM {whole} LIMIT 0)", whole)
            _note_movement(con, headline, moved, DEFINITION)


def write_movements(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Enter the night's changes and movements into the books."""
    con.execute(f"""
        INSERT INTO load.changes BY NAME
        SELECT {load_id} AS load_id, table_name, sum(added)::INTEGER AS added_count,
            sum(changed)::INTEGER AS changed_count, sum(removed)::INTEGER AS removed_count
        FROM temp.changes GROUP BY table_name HAVING sum(added + changed + removed) > 0""")
    con.execute(f"""
        INSERT INTO load.movements BY NAME
        SELECT {load_id} AS load_id, headline, part, cause, sum(numerator) AS numerator_change,
            sum(denominator) AS denominator_change
        FROM temp.movements GROUP BY headline, part, cause
        HAVING numerator_change <> 0 OR coalesce(denominator_change, 0) <> 0""")


def changed_tables(con: duckdb.DuckDBPyConnection, load_id: int) -> set[str]:
    """Return the tables of main that a load changed."""
    booked = con.sql(f"SELECT table_name FROM load.changes WHERE load_id = {load_id}").fetchall()
    return {name for (name,) in booked}


def begin_movements(con: duckdb.DuckDBPyConnection) -> None:
    """Make empty tables of changes and movements. They are temporary: a transaction writes to one database and to
    temporary tables only."""
    con.execute("CREATE OR REPLACE TEMP TABLE changes "
                "(table_name VARCHAR, added BIGINT, changed BIGINT, removed BIGINT)")  # fmt: skip
    con.execute("CREATE OR REPLACE TEMP TABLE movements "
                "(headline VARCHAR, part VARCHAR, cause VARCHAR, numerator DOUBLE, denominator DOUBLE)")  # fmt: skip


def unbalanced(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the headlines whose booked movements do not add up to their current value."""
    return [each.name for each in HEADLINES if _differs(con, each)]


@contextmanager
def without_movements(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Book rows that change in the meantime in load.changes, without movements. `settle` enters these at the end."""
    last = number(con, "SELECT coalesce(max(rowid), -1) FROM temp.movements")
    yield
    con.execute(f"DELETE FROM temp.movements WHERE rowid > {last}")


def settle(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Enter the remaining difference between the booked movements and the tables' values, as a change of definition."""
    for each in HEADLINES:
        con.execute(f"""
            INSERT INTO load.movements BY NAME
            SELECT {load_id} AS load_id, '{each.name}' AS headline, part, '{DEFINITION}' AS cause,
                sum(numerator) AS numerator_change, sum(denominator) AS denominator_change
            FROM (SELECT {each.part} AS part, {each.sums} FROM main.{each.table} WHERE {each.rows}
                  UNION ALL SELECT part, -numerator_change, -denominator_change FROM load.movements
                  WHERE headline = '{each.name}')
            GROUP BY part HAVING abs(numerator_change) > 1e-6 OR abs(coalesce(denominator_change, 0)) > 1e-6""")


def withhold_amounts(con: duckdb.DuckDBPyConnection, load_id: int | None = None) -> None:
    """Remove the amounts of all changes and movements so far from the books: an erased person is part of them. Load and
    cause stay. The current values are entered as `standing` under the load, by default the file's own, so that the
    headlines still add up."""
    con.execute("UPDATE load.changes SET added_count = NULL, changed_count = NULL, removed_count = NULL")
    con.execute(f"DELETE FROM load.movements WHERE cause = '{STANDING}'")
    con.execute("UPDATE load.movements SET numerator_change = NULL, denominator_change = NULL")
    load = "(SELECT load_id FROM load.current)" if load_id is None else str(load_id)
    for each in HEADLINES:
        con.execute(f"""
            INSERT INTO load.movements BY NAME
            SELECT {load} AS load_id, '{each.name}' AS headline, part, '{STANDING}' AS cause,
                sum(numerator) AS numerator_change, sum(denominator) AS denominator_change
            FROM (SELECT {each.part} AS part, {each.sums} FROM main.{each.table} WHERE {each.rows}) GROUP BY part""")


def _differs(con: duckdb.DuckDBPyConnection, headline: Headline) -> bool:
    booked = one_row(
        con,
        "SELECT coalesce(sum(numerator_change), 0), coalesce(sum(denominator_change), 0) FROM load.movements "
        "WHERE headline = ?",
        [headline.name],
    )
    said = one_row(
        con,
        f"SELECT coalesce(sum({headline.numerator}), 0), coalesce(sum({headline.denominator or 0}), 0) "
        f"FROM main.{headline.table} WHERE {headline.rows}",
    )
    return any(
        abs(float(one) - float(other)) > 1e-6 * max(1.0, abs(float(other)))
        for one, other in zip(booked, said, strict=True)
    )

"""The order of what came about one record. A file's name and an id decide nothing.

First the time of the message (HL7 MSH-7), then the time of the export, then the file's time when it was first loaded,
then the load that first read it. The last two are `arrived`: they stay when a file is read again or copied.
"""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from rapport.warehouse.schema.records import RecordKind
from rapport.warehouse.store.one_row import is_so

_ARRIVED = "{first_modified: first_modified, first_load_id: first_load_id}"


def order_earlier_files(con: duckdb.DuckDBPyConnection) -> None:
    """Enter when each file came that an earlier version of Rapport loaded. Files of one time keep their loading order,
    a nanosecond apart."""
    if not is_so(con, "SELECT EXISTS (FROM load.files WHERE first_load_id IS NULL)"):
        return
    con.execute("""
        UPDATE load.files AS f SET first_load_id = o.first_load_id, first_modified = o.modified + o.turn - 1
        FROM (
            SELECT *, row_number() OVER (PARTITION BY modified ORDER BY first_load_id, place) AS turn
            FROM (SELECT file_id, min(load_id) AS first_load_id, min(rowid) AS place,
                      coalesce(arg_min(modified, load_id), 0) AS modified FROM load.files GROUP BY file_id)) AS o
        WHERE f.file_id = o.file_id AND f.first_load_id IS NULL""")


def list_arrivals(con: duckdb.DuckDBPyConnection) -> None:
    """Make staged.arrivals: of every file, also of tonight's, when it came (`arrived`). Tonight's files are staged."""
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.arrivals AS
        SELECT file_id, arg_max({_ARRIVED}, load_id) AS arrived
        FROM (SELECT file_id, load_id, first_modified, first_load_id FROM load.files
              UNION ALL SELECT file_id, load_id, first_modified, first_load_id FROM staged.files)
        GROUP BY file_id""")


def has_messages(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> bool:
    """Return whether tonight's rows of a kind have times of messages."""
    return is_so(con, f"SELECT EXISTS (FROM staged.{kind.name} WHERE sent_at IS NOT NULL)")


class Came(NamedTuple):
    """When something came, in SQL. A message without a time has that of its export."""

    exported_at: str
    arrived: str
    sent_at: str = ""

    def sent(self, sent_at: str) -> Came:
        """The same of a message."""
        return self._replace(sent_at=sent_at)

    @property
    def said(self) -> str:
        """The time of the message, or else of the export."""
        return f"coalesce({self.sent_at}, {self.exported_at})" if self.sent_at else self.exported_at

    @property
    def order(self) -> str:
        """One value that orders what came. To compare many rows, comes_before is faster."""
        return f"{{said: {self.said}, exported_at: {self.exported_at}, arrived: {self.arrived}}}"


def comes_before(one: Came, other: Came) -> str:
    """Return the SQL condition that one came before the other."""
    earlier = (
        f"({one.exported_at} < {other.exported_at} OR ({one.exported_at} = {other.exported_at} "
        f"AND {one.arrived} < {other.arrived}))"
    )
    if not one.sent_at:
        return earlier
    return f"({one.said} < {other.said} OR ({one.said} = {other.said} AND {earlier}))"

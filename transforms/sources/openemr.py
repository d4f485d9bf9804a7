"""OpenEMR's calendar, the table openemr_postcalendar_events. A recurring series is one row there; here it becomes a row
a day.

A row without a client (pc_pid blank, 0 or NULL) is the clinic's own time. A site's own codes are in clinic.toml
(status.words).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

import polars as pl

from rapport.transforms.sources import table
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import LOST, NUMBER
from rapport.transforms.sources.structures.openemr_series import NO_VALUE, Unread, series, taken_out
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused

COLUMNS = {
    "appointment_id": "pc_eid",
    "client_id": "pc_pid",
    "therapist_id": "pc_aid",
    "starts_at": "starts_at",
    "duration_minutes": "duration_minutes",
    "service": "pc_catid",
    "site": "pc_facility",
}
NEEDED = ("pc_eid", "pc_pid", "pc_aid", "pc_eventDate", "pc_startTime", "pc_duration", "pc_apptstatus")
OPTIONAL = ("pc_catid", "pc_facility", "pc_endDate", "pc_recurrtype", "pc_recurrspec")
FARTHEST = timedelta(days=366)  # after the night, for a series without an end
MOST = 1_000  # days of a series, four years of working days; what has more was entered wrongly
AT_ONCE = 500  # series that become their days together
_DAY = "day"


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments, each day of a series one. Raises Refused for a series of more than MOST days."""
    export.need(NEEDED)
    absent = [name for name in OPTIONAL if name not in export.want(list(OPTIONAL))]
    days = (part for chunk in export.chunks for part in _expanded(_with_absent(chunk, absent), tallies))
    made = Export(export.path, [*NEEDED, *OPTIONAL, "starts_at", "duration_minutes"], days)
    yield from table.read_known(made, source, tallies, COLUMNS)


def _with_absent(chunk: pl.DataFrame, absent: list[str]) -> pl.DataFrame:
    return chunk.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)


def _expanded(chunk: pl.DataFrame, tallies: Tallies) -> Iterator[pl.DataFrame]:
    """The appointments of the chunk's clients. A series becomes a row a day, with the day in its id."""
    of_clients = chunk.filter(~pl.col("pc_pid").str.strip_chars().is_in([*NO_VALUE, "0"]).fill_null(True))
    recurs = pl.col("pc_recurrtype").str.strip_chars().is_in(["1", "2", "3"]).fill_null(False)
    yield _booked(of_clients.filter(~recurs))
    last = tallies.as_of.date() + FARTHEST
    for some in of_clients.filter(recurs).iter_slices(AT_ONCE):
        days = [each for row in some.iter_rows(named=True) for each in _days(row, last)]
        told = pl.DataFrame(days, schema={NUMBER: pl.Int32, _DAY: pl.String, LOST: pl.List(pl.String)})
        yield _booked(
            some.join(told, on=NUMBER, maintain_order="left")
            .with_columns(
                pl.concat_str("pc_eid", _DAY, separator="/", ignore_nulls=True).alias("pc_eid"),
                pc_eventDate=pl.coalesce(_DAY, "pc_eventDate"),
            )
            .drop(_DAY)
        )


def _booked(rows: pl.DataFrame) -> pl.DataFrame:
    seconds = pl.col("pc_duration").str.strip_chars().replace(dict.fromkeys(NO_VALUE))
    minutes = (seconds.cast(pl.Int64, strict=False) // 60).cast(pl.String)
    return rows.with_columns(
        starts_at=pl.concat_str("pc_eventDate", "pc_startTime", separator=" "),
        duration_minutes=pl.coalesce(minutes, seconds),  # other texts stay, and are named as unreadable
    )


def _days(row: dict[str, str | None], last: date) -> list[dict[str, object]]:
    """A row for each day of a series. Where a column cannot be read, the series itself with that column's name."""
    number = row[NUMBER]
    try:
        found, without = list(islice(series(row, last), MOST + 1)), taken_out(row)
    except Unread as unread:
        return [{NUMBER: number, _DAY: None, LOST: [str(unread)]}]
    if len(found) > MOST:
        raise Refused(
            f"has a series of more than {MOST:,} days in record {number}; correct its end (pc_endDate), or leave it out"
        )
    return [{NUMBER: number, _DAY: f"{day}", LOST: None} for day in found if f"{day:%Y%m%d}" not in without]

"""SimplePractice's client attendance report: names for ids, a day for a time, and a control total as its first record.

    230 clients,9 clinicians,807 appointments,1 office,5 statuses

What is read must come to that total. The same names on the same day are told apart by their order. Its appointment
status report, in spite of its name, does not say who came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources import table
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused

COLUMNS = {
    "client_id": "client_name",
    "therapist_id": "clinician_name",
    "starts_at": "date_of_service",
    "site": "office_name",
}
# The counts of the summary: of the different values of a column; of appointments, the records themselves.
COUNTED = {"client_name": "client", "clinician_name": "clinician", "date_of_service": "appointment", "status": "status"}
_STATUS_REPORT = "Progress Note Status"


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments; their number and their people must be those of the report's summary. Raises Refused."""
    if export.has(_STATUS_REPORT):
        raise Refused(
            "is SimplePractice's appointment status report, which does not say who attended; "
            "export the client attendance report"
        )
    export.need(COUNTED)
    export.chunks = _checked(export.chunks)
    yield from table.read_known(export, source, tallies, COLUMNS)


def _checked(chunks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The chunks without the summary. At the end the totals must agree."""
    totals: dict[str, int] = {}
    seen: dict[str, set[str]] = {column: set() for column in COUNTED}
    count = 0
    for chunk in chunks:
        records = chunk if totals else chunk.slice(1)
        totals = totals or _totals(chunk)
        count += records.height
        for column, values in seen.items():
            values.update(records[column].drop_nulls().str.strip_chars())
        yield records
    found = {column: len(values) for column, values in seen.items()} | {"date_of_service": count}
    for column, total in totals.items():
        if found[column] != total:
            raise Refused(
                f"says that it has {total} {COUNTED[column]} values and has {found[column]}: it is truncated or was "
                "edited; export it again"
            )


def _totals(chunk: pl.DataFrame) -> dict[str, int]:
    first = chunk.row(0, named=True) if chunk.height else {}
    totals = {}
    for column, word in COUNTED.items():
        match = re.fullmatch(rf"\s*([0-9]{{1,9}}) {word}\w*\s*", first.get(column) or "")
        if not match:
            raise Refused("has no summary as its first record, as a client attendance report has; export it as it is")
        totals[column] = int(match[1])
    return totals

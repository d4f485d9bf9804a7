"""The clinicians' worklist: `python -m flows.worklist --warehouse DIR --clinic FILE`; every night writes it too.

It holds record numbers, so it lies in the private tree alone (mode 0600), and nothing of it is printed or logged.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.crosswalk import open_crosswalk
from transforms.worklist import worklist
from warehouse.building import open_published
from warehouse.clinic import Clinic, read_clinic
from warehouse.errors import RapportError, Unusable
from warehouse.folders import Folders, night_lock, prepare
from warehouse.frames import lazy_table

if TYPE_CHECKING:
    import duckdb
from warehouse.publishing import as_of_published

HEADING = """\
# Rapport's worklist as of {as_of}. Rapport does not monitor risk: nobody is on this list, or off it, because of an
# answer about suicide or self-harm. A reason is a score or a gap to think about before the next session, no finding.
"""
LINES_ABOVE = 3  # the heading and the columns' names
_GIVEN = ("clinic", "as_of")


def worklist_text(con: duckdb.DuckDBPyConnection, clinic: Clinic, as_of: datetime, people: pl.DataFrame) -> str:
    """The worklist of a warehouse's tables as CSV under a heading; `people` is the crosswalk."""
    tables = [name for name in inspect.signature(worklist).parameters if name not in _GIVEN]
    lines = worklist(
        **{name: lazy_table(con, f"main.{name}", is_under_way=True) for name in tables}, clinic=clinic, as_of=as_of
    )
    listed = _with_numbers(lines.collect(), people, clinic, as_of)
    local = f"{as_of.astimezone(clinic.zone):%Y-%m-%d %H:%M}"
    return HEADING.format(as_of=local) + listed.write_csv()


def _with_numbers(lines: pl.DataFrame, people: pl.DataFrame, clinic: Clinic, as_of: datetime) -> pl.DataFrame:
    """Record numbers in place of pseudonyms, and how old each reason is."""
    known = people.select("id_space", "number", id=pl.col("pseudonym").str.decode("hex"))
    clients = known.select("id_space", record_number="number", client_id="id")
    therapists = known.select(therapist="number", therapist_id="id")
    today = clinic.day_of(as_of)
    return (
        lines.join(clients, on="client_id")
        .join(therapists, on="therapist_id", how="left")
        .with_columns(data_age_days=(pl.lit(today) - pl.col("data_on")).dt.total_days())
        .select(
            *("therapist", "id_space", "record_number", "what", "instrument", "rater", "score"),
            since="since_on",
            data_age_days="data_age_days",
        )
        .sort("therapist", "id_space", "record_number", "what", "instrument", "rater", nulls_last=True)
    )


def main(arguments: list[str] | None = None) -> int:
    """Write the worklist of what is published, as of its night."""
    given = _arguments(arguments)
    try:
        clinic, folders = read_clinic(given.clinic), Folders(given.warehouse)
        if not folders.published.exists():
            raise Unusable(f"{given.warehouse} holds no published warehouse; run a night first")
        with night_lock(folders), open_published(folders.published) as con:
            text = worklist_text(con, clinic, as_of_published(con), open_crosswalk(folders.crosswalk))
            prepare(folders.building / folders.worklist.name, text).replace(folders.worklist)
    except RapportError as error:
        print(error.told, file=sys.stderr)
        return 2
    count = len(text.splitlines()) - LINES_ABOVE
    print(f"{folders.worklist}: {count} {'line' if count == 1 else 'lines'}. Rapport does not monitor risk.")
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flows.worklist", description="Write the clinicians' worklist.")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE", help="the clinic's file, clinic.toml")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

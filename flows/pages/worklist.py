"""The clinicians' worklist: `rapport worklist --warehouse DIR --clinic FILE`; every night writes it too.

It contains record numbers. So it is only in the private tree (mode 0600), and nothing of it is printed or logged.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from rapport import transforms
from rapport.flows.messages.spreadsheet_csv import csv_lines
from rapport.flows.order import Order, place_change
from rapport.flows.pages.draw import show_warnings_if_behind
from rapport.flows.private.crosswalk import crosswalk_of
from rapport.flows.terminal import arguments, finish
from rapport.transforms.worklist import worklist
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.identifiers import identified
from rapport.warehouse.errors import DidNotRun
from rapport.warehouse.places.folders import prepare
from rapport.warehouse.places.publication import published_version, writing
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import load_of, set_folder_aside
from rapport.warehouse.store.building_file import open_published, table_names, with_other_columns
from rapport.warehouse.store.frames import UNDER_WAY, lazy_table
from rapport.warehouse.store.seal import as_of_published

if TYPE_CHECKING:
    import duckdb

# The name of the last column, whose cells are empty. So every reader of the file sees it, and the first line still has
# only column names.
NOTICE = (
    "Rapport does not monitor risk. Nobody is on this list, or off it, because of an answer about suicide or "
    "self-harm. A reason is a score or a gap to think about before the next session, no finding."
)
_GIVEN = ("clinic", "as_of")


def worklist_text(con: duckdb.DuckDBPyConnection, clinic: Clinic, as_of: datetime, people: pl.DataFrame) -> str:
    """The worklist of a warehouse's tables as CSV; `people` is the crosswalk."""
    return _csv(_listed(con, clinic, as_of, people))


def _listed(con: duckdb.DuckDBPyConnection, clinic: Clinic, as_of: datetime, people: pl.DataFrame) -> pl.DataFrame:
    tables = {name: lazy_table(con, f"main.{name}", UNDER_WAY) for name in _table_names()}
    lines = worklist(**tables, clinic=clinic, as_of=as_of)
    named = _with_numbers(lines.collect(engine="in-memory"), people, clinic, as_of)
    local = f"{as_of.astimezone(clinic.zone):%Y-%m-%d %H:%M}"
    return named.with_columns(pl.lit(local).alias("as_of"), pl.lit(None).alias(NOTICE))


def _table_names() -> list[str]:
    return [name for name in inspect.signature(worklist).parameters if name not in _GIVEN]


def _csv(listed: pl.DataFrame) -> str:
    return csv_lines([listed.columns, *listed.iter_rows()])


def _with_numbers(lines: pl.DataFrame, people: pl.DataFrame, clinic: Clinic, as_of: datetime) -> pl.DataFrame:
    """Record numbers in place of pseudonyms, and how old each reason is."""
    listed = pl.concat([lines["client_id"], lines["therapist_id"]]).unique().bin.encode("hex")
    shown = people.filter(pl.col("pseudonym").is_in(listed.implode()))
    names = {space: clinic.spaces.name_of(clinic.spaces.counts_as(space)) for space in shown["id_space"].unique()}
    shown = shown.with_columns(pl.coalesce(identified(shown["number"]).ids, "number").alias("number"))
    shown = shown.with_columns(pl.col("id_space").replace(names)).unique(["kind", "pseudonym", "id_space", "number"])
    shown = shown.sort("id_space", "number")
    joined = shown.group_by("pseudonym").agg(pl.col("id_space", "number").str.join(" + "))
    known = joined.select("id_space", "number", id=pl.col("pseudonym").str.decode("hex"))
    clients = known.select("id_space", record_number="number", client_id="id")
    therapists = known.select(therapist="number", therapist_id="id")
    today = clinic.day_of(as_of)
    return (
        lines.join(clients, on="client_id")
        .join(therapists, on="therapist_id", how="left")
        .with_columns(data_age_days=(pl.lit(today) - pl.col("data_on")).dt.total_days())
        .select(
            *("therapist", "id_space", "record_number", "what", "instrument", "rater", "rater_number", "score"),
            since="since_on",
            data_age_days="data_age_days",
        )
        .sort("therapist", "id_space", "record_number", "what", "instrument", "rater", "rater_number", nulls_last=True)
    )


def _listed_of_published(order: Order) -> pl.DataFrame:
    """The worklist of the version that is published now. An interrupted publication may have been finished since the
    order was placed."""
    version = published_version(order.folders)
    people = crosswalk_of(order.folders, load_of(version))
    with open_published(version) as con:
        _refuse_other_columns(con)
        return _listed(con, order.clinic, as_of_published(version), people)


def _refuse_other_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Raise DidNotRun where another version of Rapport wrote the tables of the worklist."""
    needed = [table for table in transforms.tables() if table.name in _table_names()]
    if with_other_columns(con, needed) or {table.name for table in needed} - {*table_names(con)}:
        raise DidNotRun(
            "another version of Rapport wrote the published file, with other columns, so the worklist cannot be "
            "made; run a night, which makes it"
        )


def main(argv: list[str] | None = None) -> int:
    """Write the worklist of the published load, at the time of its night."""
    options = arguments("worklist", "Write the clinicians' worklist.").parse_args(argv)

    def run() -> None:
        order = place_change(options.clinic, options.warehouse)
        where = order.folders
        with writing(where), scratch_folder(where.building, "worklist") as scratch:
            with suppress(Exception):  # the worklist matters more
                show_warnings_if_behind(order)
            listed = _listed_of_published(order)
            made = prepare(scratch / where.worklist.name, _csv(listed))
            set_folder_aside(where.worklist)
            made.replace(where.worklist)
        count = f"{listed.height} {'line' if listed.height == 1 else 'lines'}"
        print(f"{where.worklist}: {count}. Rapport does not monitor risk.")

    return finish(run, options.warehouse)

"""Visits: the lines of sources that say `lines = "visits"`, such as a line for each service or for each therapist.

Lines of one source, client and start are one visit where their ends are the same, or not told. A line without an end
belongs to the visit of the first loaded line with one.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

# Of the lines of one visit those with the first of these statuses count. A line that tells what happened goes before
# one that nobody brought up to date; an appointment to come is scheduled on every line.
STATUSES_BY_WEIGHT = (
    *("attended", "no_show", "late_cancel", "cancelled_by_client", "cancelled_by_clinic"),
    *("rescheduled", "scheduled"),
)
_WHEN = ("source", "client_id", "starts_at")
_VISIT = (*_WHEN, "end")
_NAMES = ("session_id", "appointment_id", "loaded_number")  # of the visit: those of its first line


def by_visit(
    booked: pl.DataFrame, former: pl.DataFrame, sources: Collection[str], not_treatment: Collection[str]
) -> dict[str, pl.DataFrame]:
    """Appointment records with one row for each visit of the `sources` whose lines are visits, and `visit_lines`: the
    lines of visits that have several. Rows of other sources stay as they are.

    `former`: the last version of lines that are no longer known. They give a visit its ids, and nothing else: an id
    stays when its line goes. `visit_lines`: session_id (of the visit), line_id, therapist_id (null for a line that does
    not count), loaded_number.

    Ids are those of the line that was loaded first. Of the lines with the weightiest status: the first therapist, which
    the table appointments replaces by the lead; the first service that is treatment, else the first one; the latest
    cancellation; the first modality and site that are told.
    """
    of_visits = pl.col("source").is_in(list(sources))
    lines, others = (booked.filter(of_visits), booked.filter(~of_visits)) if sources else (booked.clear(), booked)
    placed = _placed(lines, former)
    visits = _visits(placed, not_treatment).select(booked.columns)
    return {"appointment_records": pl.concat([others, visits]), "visit_lines": _several(placed)}


def _placed(lines: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Lines, the first loaded first, each with the end and the ids of its visit, and whether it counts. A former line
    whose visit has no other line is left out."""
    known = [lines.with_columns(is_current=True), former.select(lines.columns).with_columns(is_current=False)]
    ends = lines.select(*_WHEN, "duration_minutes").drop_nulls("duration_minutes").unique()
    weight = pl.col("status").replace_strict(
        list(STATUSES_BY_WEIGHT), range(len(STATUSES_BY_WEIGHT)), default=None, return_dtype=pl.Int32
    )
    of_current = pl.col("duration_minutes").filter("is_current")
    return (
        pl.concat(known)
        .sort("loaded_number")
        .join(ends.with_columns(is_end=True), on=[*_WHEN, "duration_minutes"], how="left", maintain_order="left")
        .with_columns(first_end=of_current.drop_nulls().first().over(_WHEN))
        .with_columns(end=pl.when("is_end").then("duration_minutes").otherwise("first_end"))
        .filter(pl.col("is_current").any().over(_VISIT))
        .with_columns(*(pl.col(name).first().over(_VISIT).alias(f"visit {name}") for name in _NAMES))
        .with_columns(
            counts=pl.col("is_current") & (weight == weight.filter("is_current").min().over(_VISIT)),
            line_count=pl.len().over(_VISIT),
        )
    )


def _visits(placed: pl.DataFrame, not_treatment: Collection[str]) -> pl.DataFrame:
    service, basis = pl.col("service"), pl.col("status_basis")
    is_treatment = ~service.is_in(list(not_treatment)).fill_null(False)
    by_rule = {
        **{name: pl.col(f"visit {name}").first() for name in _NAMES},
        "service": pl.when(is_treatment.any())
        .then(service.filter(is_treatment).drop_nulls().first())
        .otherwise(service.first()),
        "status_basis": pl.when((basis == "stated").any()).then(pl.lit("stated")).otherwise(basis.first()),
        "cancelled_at": pl.col("cancelled_at").max(),
        "exported_at": pl.col("exported_at").max(),
    }
    own = (*by_rule, *_VISIT, "duration_minutes", "is_current", "counts", "line_count")
    told = [name for name in placed.columns if name not in own]
    made = (
        placed.filter("counts")
        .group_by(_VISIT, maintain_order=True)
        .agg(*(pl.col(name).drop_nulls().first() for name in told), **by_rule)
    )
    return made.rename({"end": "duration_minutes"})


def _several(placed: pl.DataFrame) -> pl.DataFrame:
    return placed.filter(pl.col("line_count") > 1).select(
        session_id="visit session_id",
        line_id="session_id",
        therapist_id=pl.when("counts").then("therapist_id"),
        loaded_number="loaded_number",
    )


def therapists_of(visit_lines: pl.LazyFrame) -> pl.DataFrame:
    """The therapists of each visit that has several lines: session_id, therapist_id, and the loaded_number of the first
    line that names the therapist. Usually empty, and then nothing more is to be done."""
    named = visit_lines.filter(pl.col("therapist_id").is_not_null())
    return named.group_by("session_id", "therapist_id").agg(pl.col("loaded_number").min()).collect()


def with_leads(booked: pl.LazyFrame, visit_lines: pl.LazyFrame) -> pl.LazyFrame:
    """Appointments with the lead as therapist_id: of the therapists of a visit the one whom the client saw in most
    attended sessions of the episode before it, else the one of the first line as loaded.

    `booked`: session_id, therapist_id, episode_id, starts_at, loaded_number, status.
    """
    together = therapists_of(visit_lines).filter(pl.len().over("session_id") > 1)
    if together.is_empty():
        return booked
    of_visit = together.lazy().rename({"loaded_number": "turn"})
    known = booked.select(
        "session_id", "therapist_id", "episode_id", "starts_at", "loaded_number", seen=pl.col("status") == "attended"
    )
    led = known.drop("therapist_id").join(of_visit, on="session_id")
    alone = known.join(of_visit, on="session_id", how="anti").join(
        led.filter(pl.col("episode_id").is_not_null()), on="episode_id", how="semi"
    )
    leads = (
        pl.concat([led, alone], how="diagonal")
        .sort("starts_at", "loaded_number")
        .with_columns(pl.col("seen").cast(pl.Int32))
        .with_columns(before=pl.col("seen").cum_sum().over("episode_id", "therapist_id") - pl.col("seen"))
        .filter(pl.col("turn").is_not_null())
        .with_columns(before=pl.when(pl.col("episode_id").is_not_null()).then("before").otherwise(0))
        .sort("before", "turn", descending=[True, False])
        .unique("session_id", keep="first", maintain_order=True)
        .select("session_id", lead="therapist_id")
    )
    return (
        booked.join(leads, on="session_id", how="left", maintain_order="left")
        .with_columns(therapist_id=pl.coalesce("lead", "therapist_id"))
        .drop("lead")
    )

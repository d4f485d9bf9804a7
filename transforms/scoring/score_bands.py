"""The band of a score, and whether it is a case, by every scheme that applies to the client."""

from __future__ import annotations

import operator

import polars as pl

from rapport.transforms.sessions.age import years_on
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments.comparisons import Comparison
from rapport.warehouse.instruments.thresholds import Population, Threshold
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@table(
    key="response_id scale basis threshold",
    columns=[
        "client_id!",
        "response_id!",
        "session_id",
        "instrument!",
        "scale!",
        "rater!",
        "rater_number!",
        "basis!",
        "threshold!",
        "scheme!",
        "population!",
        "score!",
        Column("band", "text", "The scheme's name for the score's band; null where the scheme has no bands."),
        Column("is_case", "truth", "Whether the score is beyond the scheme's cut-off; null where it has none."),
        "is_used!",
    ],
)
def score_bands(scores: pl.LazyFrame, clients: pl.LazyFrame, birth_dates: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per score and threshold for the client's age on that day, the client's sex, and the rater. No row where a
    threshold needs an age or a sex that is not known. Recalled thresholds count only where clinic.toml accepts them. A
    score has one row per scheme: no scheme is the true one."""
    known = (
        scores.filter(pl.col("score").is_not_null())
        .join(clients.select("client_id", "sex"), on="client_id", how="left")
        .join(birth_dates, on="client_id", how="left")
        .with_columns(day=pl.coalesce("completed_on", pl.col("completed_at").dt.date()))
        .with_columns(years=years_on("day"))
    )
    present = scores.select(pl.col("instrument").unique()).collect()["instrument"].to_list()
    used = [
        _of_threshold(its, threshold)
        for name in sorted(set(present) & clinic.instruments.keys())
        for its in [known.filter(pl.col("instrument") == name).cache()]
        for threshold in clinic.instruments[name].thresholds
        if threshold.of == "score" and clinic.uses(clinic.instruments[name], threshold)
    ]
    return pl.concat([known.filter(False).with_columns(**_NOTHING), *used], how="diagonal_relaxed")


_NOTHING = {
    **{name: pl.lit(None, dtype=pl.String) for name in ("threshold", "scheme", "population", "band")},
    "is_case": pl.lit(None, dtype=pl.Boolean),
}


def _of_threshold(known: pl.LazyFrame, threshold: Threshold) -> pl.LazyFrame:
    score = pl.col("score")
    return known.filter(pl.col("scale") == threshold.scale, *is_of(threshold.population)).with_columns(
        threshold=pl.lit(threshold.name),
        scheme=pl.lit(threshold.scheme),
        population=pl.lit(threshold.population.text),
        band=band_of(score, threshold),
        is_case=holds(score, threshold.case) if threshold.case else pl.lit(None, dtype=pl.Boolean),
    )


def is_of(population: Population) -> list[pl.Expr]:
    """Return the conditions under which a row belongs to a population: by its years, sex and rater."""
    conditions = []
    if population.needs_age:
        conditions.append(pl.col("years").is_between(population.age_from or 0, population.age_to or 200))
    if population.sex:
        conditions.append(pl.col("sex") == population.sex)
    if population.respondents:
        conditions.append(pl.col("rater").is_in(population.respondents))
    return conditions


def band_of(score: pl.Expr, threshold: Threshold) -> pl.Expr:
    """Return the last band whose lower end the score reaches."""
    words = [pl.when(holds(score, at)).then(pl.lit(word)) for word, at in reversed(threshold.bands)]
    return pl.coalesce(*words) if words else pl.lit(None, dtype=pl.String)


def holds(score: pl.Expr, at: Comparison) -> pl.Expr:
    """Return whether a comparison is true of a score."""
    is_so: pl.Expr = _OPERATORS[at.operator](score, at.value)
    return is_so

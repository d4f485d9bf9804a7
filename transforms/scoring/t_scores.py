"""T-scores: a raw score compared with the client's sex and school grade, by the table that the clinic supplies."""

from __future__ import annotations

import polars as pl

from rapport.transforms.scoring.score_bands import band_of, is_of
from rapport.transforms.sessions.age import years_on
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

_KEY = ("response_id", "scale", "basis")
_BY = ("instrument", "scale", "rater", "sex", "score")


@table(
    key="response_id scale basis",
    columns=[
        "client_id!",
        "response_id!",
        "session_id",
        "instrument!",
        "scale!",
        "rater!",
        "rater_number!",
        "basis!",
        "sex",
        Column(
            "grades",
            "text",
            "The school grades of the table's row, such as 3-4, and not the client's own grade: over several sessions "
            "that would show the birthday. US grade = completed years - 6 (UCLA). Null where no row is found.",
        ),
        "score!",
        Column(
            "t_score",
            "number",
            "The T-score (mean 50, SD 10); null where the table has no row for this rater, sex, grade and raw score, "
            "and where sex or birth date is not known. Never extrapolated or rounded: a prorated 6.5 has none.",
        ),
        Column("t_shown", "text", "The T-score as it is displayed: '>80' above 80."),
        Column(
            "t_band",
            "text",
            "Borderline from 65, clinical from 70, as the instrument's file states; null below, and without a T-score.",
        ),
        "is_used!",
    ],
)
def t_scores(scores: pl.LazyFrame, clients: pl.LazyFrame, birth_dates: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per score of a scale in the clinic's T-score table. It is empty until clinic.toml names such a table by
    t_scores = "file.csv" (columns instrument, scale, rater, sex, grade_from, grade_to, raw, t). The clinic makes it
    from the norms that it holds: Rapport contains none."""
    norms = pl.LazyFrame(list(clinic.t_scores.rows), schema=_NORMS, orient="row")
    listed = sorted({row.instrument for row in clinic.t_scores.rows})
    known = (
        scores.filter(pl.col("instrument").is_in(listed), pl.col("score").is_not_null())
        .join(norms, on=["instrument", "scale"], how="semi")
        .join(clients.select("client_id", "sex"), on="client_id", how="left")
        .join(birth_dates, on="client_id", how="left")
        .with_columns(day=pl.coalesce("completed_on", pl.col("completed_at").dt.date()))
        .with_columns(years=years_on("day"))
    )
    found = (
        known.join(norms, on=_BY)
        .filter((pl.col("years") - 6).is_between(pl.col("grade_from"), pl.col("grade_to")))
        .select(*_KEY, "t_score", grades=_grades())
    )
    return known.join(found, on=_KEY, how="left").with_columns(t_shown=_shown(), t_band=_band(clinic))


_NORMS = {
    **dict.fromkeys(("instrument", "scale", "rater", "sex"), pl.String),
    **dict.fromkeys(("grade_from", "grade_to"), pl.Int32),
    **dict.fromkeys(("score", "t_score"), pl.Float64),
}


def _grades() -> pl.Expr:
    first, last = pl.col("grade_from").cast(pl.String), pl.col("grade_to").cast(pl.String)
    return pl.when(first == last).then(first).otherwise(pl.concat_str(first, last, separator="-"))


def _shown() -> pl.Expr:
    t = pl.col("t_score")
    return pl.when(t > 80).then(pl.lit(">80")).otherwise(t.cast(pl.String).str.strip_suffix(".0"))


def _band(clinic: Clinic) -> pl.Expr:
    bands = [
        pl.when(pl.col("instrument") == name, pl.col("scale") == at.scale, *is_of(at.population)).then(
            band_of(pl.col("t_score"), at)
        )
        for name in sorted({row.instrument for row in clinic.t_scores.rows})
        for at in clinic.instruments[name].thresholds
        if at.of == "t_score" and at.bands and clinic.uses(clinic.instruments[name], at)
    ]
    return pl.coalesce(*bands, pl.lit(None, dtype=pl.String))

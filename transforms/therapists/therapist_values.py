"""One value per client and therapist, for each measure on which therapists are compared."""

from __future__ import annotations

import polars as pl

from rapport.transforms.frames.computed_once import computed_once
from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.scoring.outcome_scores import lower_is_better
from rapport.transforms.sessions.raters import of_counted_raters
from rapport.transforms.statistics.estimates import first_of_clients
from rapport.warehouse.clinic_file.clinic import Clinic

GROUP = ("measure", "instrument", "rater", "scale")


@computed_once
def therapist_values(
    early_alliance: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    retention: pl.LazyFrame,
    clinic: Clinic,
) -> pl.DataFrame:
    """Return measure, instrument, rater, scale, therapist_id, client_id (as a number), value: total scales only, in the
    order of values. Of several episodes of a client with a therapist the first with a value counts, so that a
    therapist's values are from different people."""
    seen = of_counted_raters(early_alliance, other_raters)
    residuals = residual_outcomes(outcomes, other_raters, retention, clinic)
    values = pl.concat([_early(seen, retention), residuals])
    total = values.filter(pl.col("therapist_id").is_not_null(), pl.col("scale") == "total")
    of_different_people = first_of_clients(total, *GROUP, "therapist_id")
    return of_different_people.select(*GROUP, "therapist_id", "client_id", "value").sort(*GROUP, "value").collect()


def _early(early_alliance: pl.LazyFrame, retention: pl.LazyFrame) -> pl.LazyFrame:
    """Return early alliance as clients and caregivers see it. Therapists' own ratings are not compared."""
    seen = early_alliance.filter(pl.col("rater").is_in(["client", "caregiver"]))
    named = seen.select("episode_id", "therapist_id", "client_id", *GROUP[1:], value="pomp")
    numbered = retention.select("episode_id", "episode_number").with_columns(as_numbers("episode_id"))
    joined = named.with_columns(as_numbers("episode_id", "client_id")).join(numbered, on="episode_id")
    return _as_measure(joined, "early_alliance")


@computed_once
def residual_outcomes(
    outcomes: pl.LazyFrame, other_raters: pl.LazyFrame, retention: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """Return measure, instrument, rater, scale, therapist_id (the episode's first), client_id and episode_id (as
    numbers), episode_number and value. value: the latest score of an episode that is over, minus the score that the
    clinic's regression line predicts from the first score; turned so that above 0 is better."""
    line = ["instrument", "rater", "scale"]
    over = retention.filter("has_ended").select("episode_id", "episode_number", therapist_id="first_therapist_id")
    paired = (
        of_counted_raters(outcomes, other_raters)
        .filter(pl.col("last_score").is_not_null(), pl.col("compared") == "score", pl.col("basis") == "computed")
        .select("client_id", "episode_id", *line, "first_score", "last_score")
        .filter(pl.col("scale") == "total")
        .with_columns(as_numbers("client_id", "episode_id"))
        .join(over.with_columns(as_numbers("episode_id")), on="episode_id")
        .sort("first_score", "last_score")
        .with_columns(centred=pl.col("first_score") - pl.col("first_score").mean().over(line))
    )
    centred, last = pl.col("centred"), pl.col("last_score")
    slope = ((centred * last).sum() / (centred**2).sum()).over(line).fill_nan(0.0)
    better = pl.when(pl.col("instrument").is_in(lower_is_better(clinic))).then(-1.0).otherwise(1.0)
    residual = better * (last - last.mean().over(line) - slope * centred)
    return _as_measure(paired.with_columns(value=residual.round(9)), "residual_outcome").collect().lazy()


def _as_measure(valued: pl.LazyFrame, measure: str) -> pl.LazyFrame:
    columns = ("therapist_id", "client_id", "episode_id", "episode_number", "value")
    return valued.select(pl.lit(measure).alias("measure"), *GROUP[1:], *columns)

"""The people who rate: several of one kind are numbered, and one of them counts in the clinic's figures."""

from __future__ import annotations

import polars as pl

from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

PERSON = ("rater", "rater_number")  # the columns that tell the people around one client apart
_CARE = ("client_id", "episode_id", "rater")


def with_rater_numbers(responses: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return responses (with their session_id) with rater_number: people of one kind in an episode, in the order of
    their first response, else of loading. It is 1 where a source does not tell people apart, or names none."""
    if not clinic.sources_of_people:
        return responses.with_columns(rater_number=_ONE)
    is_person = pl.col("source").is_in(clinic.sources_of_people) & pl.col("rater_id").is_not_null()
    known = responses.join(sessions.select("session_id", "episode_id"), on="session_id", how="left").collect().lazy()
    at = pl.coalesce("completed_at", pl.col("completed_on").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    people = (
        known.filter(is_person)
        .with_columns(at=at)
        .sort("at", "loaded_number", nulls_last=True)
        .unique([*_CARE, "rater_id"], keep="first", maintain_order=True)
        .select(*_CARE, "rater_id", number=(pl.int_range(pl.len()) + 1).cast(pl.Int32).over(_CARE))
    )
    numbered = known.join(people, on=[*_CARE, "rater_id"], how="left", nulls_equal=True)
    number = pl.when(is_person).then("number").otherwise(_ONE)
    return numbered.with_columns(rater_number=number).drop("episode_id", "number")


_ONE = pl.lit(1, dtype=pl.Int32)


@table(
    key="episode_id rater rater_number",
    columns=[
        "client_id!",
        "episode_id!",
        "rater!",
        "rater_number!",
        Column(
            "rating_count", "integer", "The person's used responses in the episode.", required=True, between=(1, None)
        ),
        Column(
            "counted_rater_number",
            "integer",
            "The person of that kind whom the clinic's figures take in the episode.",
            required=True,
            between=(1, None),
        ),
    ],
)
def other_raters(responses: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """One row per episode and person whom the clinic's tables, figures and pages leave out: of several people of one
    kind they take the one with the most used responses in the episode (of equal ones the first). So no client counts
    more because two parents rate. Leave the same people out by ANTI JOIN other_raters USING (episode_id, rater,
    rater_number). It is empty where no source has rater_is_person."""
    several = responses.filter(pl.col("rater_number") > 1).select("client_id", "rater").unique()
    rated = responses.filter("is_used").join(several, on=["client_id", "rater"], how="semi")
    people = (
        rated.join(sessions.select("session_id", "episode_id"), on="session_id")
        .filter(pl.col("episode_id").is_not_null())
        .group_by(*_CARE, "rater_number")
        .agg(rating_count=pl.len().cast(pl.Int32))
    )
    order = pl.col("rater_number").sort_by("rating_count", "rater_number", descending=[True, False])
    counted = people.with_columns(counted_rater_number=order.first().over(_CARE))
    return counted.filter(pl.col("rater_number") != pl.col("counted_rater_number"))


def of_counted_raters(rated: pl.LazyFrame, other_raters: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows of the people who count: without those of other_raters, and outside episodes without those of
    second people."""
    counted = rated.filter((pl.col("rater_number") == 1) | pl.col("episode_id").is_not_null())
    others = other_raters.select("episode_id", *PERSON).collect()
    if others.is_empty():  # the usual case costs no join
        return counted
    return counted.join(others.lazy(), on=["episode_id", *PERSON], how="anti")

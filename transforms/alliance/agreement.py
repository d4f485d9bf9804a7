"""The agreement of two raters about the alliance: session by session, and over a dyad."""

from __future__ import annotations

import polars as pl

from rapport.transforms.frames.exact_sums import MILLION, about_means, millionths
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import RATERS, Column
from rapport.warehouse.schema.tables import table

_PERCENT = "percent of maximum"
LEAST_SHARED = 4  # sessions: with fewer a slope within one dyad means nothing


@table(
    key="session_id rater rater_number other_rater other_rater_number instrument other_instrument scale",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id",
        "therapist_id",
        "client_session_number!",
        "session_number",
        "session_date!",
        "rater!",
        "rater_number!",
        "other_rater!",
        "other_rater_number!",
        "instrument!",
        "other_instrument!",
        "scale!",
        "pomp!",
        Column(
            "other_pomp", "number", "The other rater's percent of maximum possible.", required=True, between=(0, 100)
        ),
        Column(
            "signed_difference",
            "number",
            "pomp - other_pomp: above 0, the rater sees the alliance more favourably than the other.",
            unit=_PERCENT,
            required=True,
            between=(-100, 100),
        ),
        Column(
            "absolute_difference",
            "number",
            "signed_difference without its sign: the distance between the two.",
            unit=_PERCENT,
            required=True,
            between=(0, 100),
        ),
    ],
)
def alliance_agreement(alliance: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per session, pair of people and scale that both rated, on one questionnaire or on parallel forms of it
    (instruments.family). Differences are in percent of maximum possible, so that forms with different ranges can be
    compared. Signed and absolute differences answer different questions. Neither is agreement over time: see
    alliance_congruence (Atzil-Slonim et al. 2015)."""
    families = {each.name: each.family for each in clinic.instruments.values()}
    order = {rater: place for place, rater in enumerate(RATERS)}
    rated = alliance.with_columns(
        family=pl.col("instrument").replace_strict(families, default=None, return_dtype=pl.String),
        place=pl.col("rater").replace_strict(order, return_dtype=pl.Int8),
    )
    other = rated.filter((pl.col("place") > 0) | (pl.col("rater_number") > 1)).select(
        "session_id", "family", "scale", *(pl.col(name).alias(f"other_{name}") for name in _OTHERS)
    )
    return (
        rated.join(other, on=["session_id", "family", "scale"])
        .filter(_comes_first)
        .with_columns(signed_difference=(pl.col("pomp") - pl.col("other_pomp")).round(6))
        .with_columns(absolute_difference=pl.col("signed_difference").abs())
    )


_OTHERS = ("rater", "rater_number", "instrument", "pomp", "place")
_same_kind = pl.col("place") == pl.col("other_place")
_comes_first = (pl.col("place") < pl.col("other_place")) | (
    _same_kind & (pl.col("rater_number") < pl.col("other_rater_number"))
)


@table(
    key="first_session_id rater rater_number other_rater other_rater_number instrument other_instrument scale",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "first_session_id!",
        "rater!",
        "rater_number!",
        "other_rater!",
        "other_rater_number!",
        "instrument!",
        "other_instrument!",
        "scale!",
        Column("shared_session_count", "integer", "Sessions that both rated.", required=True, between=(1, None)),
        Column(
            "directional_discrepancy",
            "number",
            "Mean of other_pomp minus mean of pomp over the shared sessions: below 0, the other rater sees the "
            "alliance less favourably, as therapists usually do. The bias b0 of West & Kenny 2011.",
            unit=_PERCENT,
            required=True,
            between=(-100, 100),
        ),
        Column(
            "mean_absolute_difference",
            "number",
            "Mean of absolute_difference over the shared sessions.",
            unit=_PERCENT,
            required=True,
            between=(0, 100),
        ),
        Column(
            "congruence_slope",
            "number",
            "Change of the other rater's view per point of change in the rater's, within the dyad: sum(W x V) / "
            "sum(W x W). W and V are the rater's and the other's deviations from their own means over the shared "
            "sessions. The truth force of West & Kenny 2011. Null below four shared sessions and where the rater's "
            "scores never vary.",
        ),
        Column(
            "congruence_correlation",
            "number",
            "sum(W x V) / sqrt(sum(W x W) x sum(V x V)): whether the two move together. Null below four shared "
            "sessions and where the scores of either never vary (the ceiling): then it is unknown, and not zero.",
            between=(-1, 1),
        ),
        Column(
            "why_no_congruence",
            "text",
            "Why there is no correlation; null where there is one.",
            one_of=("fewer than four shared sessions", "a rater never varies"),
        ),
    ],
)
def alliance_congruence(alliance_agreement: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dyad (episode and therapist), pair of people and scale: direction (who sees more) and temporal
    congruence (whether they move together). These differ: more congruent dyads had larger discrepancies in 213 clients
    of 49 therapists (Atzil-Slonim et al. 2015). The slope is the least-squares analogue, for one dyad, of the
    truth-and-bias model (West & Kenny 2011, Psychol Rev 118:357-378). With few sessions it is rough."""
    own, other = pl.col("x"), pl.col("y")
    difference = {"signed": "signed_difference", "absolute": "absolute_difference"}
    count = pl.col("shared_session_count")
    dyads = (
        alliance_agreement.filter(pl.col("episode_id").is_not_null())
        .with_columns(x=millionths("pomp"), y=millionths("other_pomp"))
        .with_columns(own=own * own, others=other * other, both=own * other)
        .with_columns(**{name: millionths(column) for name, column in difference.items()})
        .group_by(_DYAD)
        .agg(
            pl.col("x", "y", "own", "others", "both", *difference).sum(),
            first_session_id=pl.col("session_id").min_by("client_session_number"),
            shared_session_count=pl.len().cast(pl.Int32),
        )
        .with_columns(
            directional_discrepancy=(-pl.col("signed") / count / MILLION).round(6),
            mean_absolute_difference=(pl.col("absolute") / count / MILLION).round(6),
            own=_about("own", "x", "x"),
            others=_about("others", "y", "y"),
            both=_about("both", "x", "y"),
        )
    )
    enough = pl.col("shared_session_count") >= LEAST_SHARED
    varies = (pl.col("own") > 0) & (pl.col("others") > 0)
    correlation = pl.col("both") / (pl.col("own") * pl.col("others")).sqrt()
    return dyads.with_columns(
        congruence_slope=pl.when(enough, pl.col("own") > 0).then((pl.col("both") / pl.col("own")).round(6)),
        congruence_correlation=pl.when(enough, varies).then(correlation.clip(-1, 1).round(6)),
        why_no_congruence=pl.when(~enough)
        .then(pl.lit("fewer than four shared sessions"))
        .when(~varies)
        .then(pl.lit("a rater never varies")),
    )


def _about(products: str, one: str, other: str) -> pl.Expr:
    """Return the sum of products about the means, by the exact sums of the columns."""
    return (about_means(products, one, other, "shared_session_count") / MILLION**2).round(6)


_DYAD = (
    *("client_id", "episode_id", "therapist_id", "rater", "rater_number", "other_rater", "other_rater_number"),
    *("instrument", "other_instrument", "scale"),
)

"""The working alliance per session, as each rater sees it, and each person's own mean."""

from __future__ import annotations

import polars as pl

from rapport.transforms.frames.exact_sums import MILLION, about_means, millionths
from rapport.transforms.sessions.raters import of_counted_raters
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

_DYAD, _KIND = ("client_id", "episode_id", "therapist_id"), ("rater", "rater_number", "instrument", "scale")
LINE = (*_DYAD, *_KIND)  # the columns that identify one person's scores in a dyad
_OF_SESSION = (*_DYAD, "client_session_number", "session_number", "dyad_session_number", "session_date")


@table(
    key="session_id rater rater_number instrument scale",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id",
        "therapist_id",
        "client_session_number!",
        "session_number",
        "dyad_session_number",
        "session_date!",
        "instrument!",
        "rater!",
        "rater_number!",
        "scale!",
        "score!",
        "pomp!",
        Column(
            "previous_score",
            "number",
            "The rater's last score before this one in the dyad, also across a missed session.",
        ),
        Column("change", "number", "Score minus previous_score."),
        Column(
            "gap_sessions",
            "integer",
            "Treatment sessions since the previous score; 1 is the session before.",
            unit="sessions",
            between=(0, None),
        ),
        Column(
            "expanding_mean",
            "number",
            "Mean of the rater's scores in the dyad up to and including this session, never of later ones.",
        ),
        Column(
            "within_deviation",
            "number",
            "Score minus expanding_mean: above or below this person's scores so far; 0 at the first score.",
        ),
    ],
)
def alliance(scores: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per session, person, alliance instrument and scale that has a computed score. Change is from the same
    person's last score in the same dyad (episode and therapist): a new therapist is a new alliance. A row never changes
    when later sessions are added. The person's mean over all sessions is in alliance_means."""
    held = _by_dyad(sessions).collect()
    rated = _rated(scores, clinic).join(held.lazy().select("session_id", "dyad", "place"), on="session_id")
    ordered = (
        rated.with_columns(kind=pl.concat_str(*_KIND, separator="\n").cast(pl.Categorical).to_physical())
        .sort("dyad", "kind", "place")
        .with_row_index("row")
        .with_columns(is_first=pl.any_horizontal(pl.col(name).ne(pl.col(name).shift()) for name in ("dyad", "kind")))
        .with_columns(pl.col("is_first").fill_null(True))
        .with_columns(line=pl.col("is_first").cum_sum(), first=pl.when("is_first").then("row").forward_fill())
        .collect()
    )
    in_order = pl.concat([ordered, held.select(pl.col(_OF_SESSION).gather(ordered["place"]))], how="horizontal").lazy()
    number = pl.col("dyad_session_number")
    rank = pl.col("row") - pl.col("first") + 1
    so_far = millionths("score").cum_sum()  # over all lines; the sum before the line is subtracted
    before = pl.when("is_first").then(so_far - millionths("score")).forward_fill()
    return in_order.with_columns(
        previous_score=pl.when(~pl.col("is_first")).then(pl.col("score").shift()),
        gap_sessions=pl.when(~pl.col("is_first")).then(number - number.shift()),
        expanding_mean=((so_far - before) / rank / MILLION).round(6),
    ).with_columns(
        change=(pl.col("score") - pl.col("previous_score")).round(6),
        within_deviation=(pl.col("score") - pl.col("expanding_mean")).round(6),
    )


def _by_dyad(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return sessions in the order of dyads and of time, with a number for each: scores are sorted by these cheaply."""
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in _DYAD)
    narrow = sessions.select("session_id", *_OF_SESSION)
    return narrow.sort(*_DYAD, "client_session_number").with_row_index("place").with_columns(dyad=is_new.cum_sum())


def _rated(scores: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return the computed scores of alliance questionnaires, without responses that are not used."""
    is_computed = pl.col("is_used") & (pl.col("basis") == "computed") & pl.col("score").is_not_null()
    is_alliance = pl.col("instrument").is_in(alliance_instruments(clinic))
    return scores.filter(is_computed, is_alliance).select("session_id", *_KIND, "score", "pomp")


def alliance_instruments(clinic: Clinic) -> list[str]:
    """Return the names of the questionnaires about the alliance."""
    return [each.name for each in clinic.instruments.values() if each.construct == "alliance"]


@table(
    key="first_session_id rater rater_number instrument scale",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "first_session_id!",
        "rater!",
        "rater_number!",
        "instrument!",
        "scale!",
        "score_count!",
        Column("person_mean", "number", "Mean of the rater's scores over the dyad, so far.", required=True),
        Column("person_sd", "number", "Standard deviation (n - 1) of these scores; null below two."),
    ],
)
def alliance_means(alliance: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dyad, person, alliance instrument and scale: the person's own mean, which every new session changes.
    A session's score minus this mean is the within-person part (W). This mean minus the clinic's mean is the
    between-person part (B). View alliance_parts has both."""
    return (
        alliance.filter(pl.col("episode_id").is_not_null())
        .with_columns(x=millionths("score"))
        .with_columns(xx=pl.col("x") ** 2)
        .group_by(LINE)
        .agg(
            first_session_id=pl.col("session_id").min_by("client_session_number"),
            score_count=pl.len().cast(pl.Int32),
            sum=pl.col("x").sum(),
            squares=pl.col("xx").sum(),
        )
        .with_columns(person_mean=(pl.col("sum") / pl.col("score_count") / MILLION).round(6), person_sd=_sd())
    )


def _sd() -> pl.Expr:
    n = pl.col("score_count")
    spread = (about_means("squares", "sum", "sum", "score_count") / MILLION**2).round(6).clip(0, None)
    return pl.when(n > 1).then((spread / (n - 1)).sqrt().round(6))


@table(
    per="clinic",
    key="rater instrument scale",
    columns=[
        "rater!",
        "instrument!",
        "scale!",
        Column("dyad_count", "integer", "Dyads, each with its rater's mean.", required=True, between=(1, None)),
        "client_count!",
        Column(
            "grand_mean",
            "number",
            "Mean over the clinic of person_mean: each dyad counts once, for any number of rated sessions.",
            required=True,
        ),
        Column("between_sd", "number", "Standard deviation (n - 1) of person_mean; null below two."),
    ],
)
def alliance_grand_means(alliance_means: pl.LazyFrame, other_raters: pl.LazyFrame) -> pl.LazyFrame:
    """One row per rater, alliance instrument and scale: the clinic's mean over dyads, not over sessions. A client with
    two therapists is in two dyads. Of several people of a kind the one with the most ratings counts (other_raters)."""
    return (
        of_counted_raters(alliance_means, other_raters)
        .group_by("rater", "instrument", "scale")
        .agg(
            dyad_count=pl.len().cast(pl.Int32),
            client_count=pl.col("client_id").n_unique().cast(pl.Int32),
            grand_mean=(millionths("person_mean").sum() / pl.len() / MILLION).round(6),
            between_sd=pl.col("person_mean").sort().std().round(6),
        )
    )

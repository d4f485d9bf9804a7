"""How alike two people see the alliance: session by session, and over a dyad."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.tables import table


@table(
    key="session_id rater other_rater instrument other_instrument scale",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id",
        "therapist_id",
        "session_number",
        "session_date!",
        "rater!",
        "other_rater!",
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
            unit="percent of maximum",
            required=True,
            between=(-100, 100),
        ),
        Column(
            "absolute_difference",
            "number",
            "signed_difference without its sign: how far apart the two are.",
            unit="percent of maximum",
            required=True,
            between=(0, 100),
        ),
    ],
)
def alliance_agreement(alliance: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per session, pair of raters and scale that both rated, on one questionnaire or on parallel forms of it.
    Differences are in percent of maximum possible, so that forms with different ranges compare. Signed and absolute
    answer different questions, and neither is agreement over time: see alliance_congruence (Atzil-Slonim et al. 2015)."""
    return nothing(alliance_agreement, alliance)


@table(
    key="first_session_id rater other_rater instrument other_instrument scale",
    columns=[
        "client_id!",
        "episode_id",
        "therapist_id",
        "first_session_id!",
        "rater!",
        "other_rater!",
        "instrument!",
        "other_instrument!",
        "scale!",
        Column("shared_session_count", "integer", "Sessions that both rated.", required=True, between=(1, None)),
        Column(
            "directional_discrepancy",
            "number",
            "Mean of other_pomp minus mean of pomp over the shared sessions: below 0, the other rater sees the "
            "alliance less favourably; therapists usually do. The bias b0 of West & Kenny 2011.",
            unit="percent of maximum",
            required=True,
            between=(-100, 100),
        ),
        Column(
            "mean_absolute_difference",
            "number",
            "Mean of absolute_difference over the shared sessions.",
            unit="percent of maximum",
            required=True,
            between=(0, 100),
        ),
        Column(
            "congruence_slope",
            "number",
            "How many points the other rater's view moves when the rater's moves by one, within the dyad: "
            "sum(Wr x Wo) / sum(Wr x Wr), W being deviations from the dyad's own means over the shared sessions. The "
            "truth force of West & Kenny 2011. Null below four shared sessions and where the rater never varies.",
        ),
        Column(
            "congruence_correlation",
            "number",
            "The correlation of the two raters' deviations within the dyad. Null below four shared sessions and where "
            "either never varies (the ceiling!): that is not known, and not zero.",
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
    """One row per dyad (episode and therapist), pair of raters and scale: direction (who sees more) and temporal
    congruence (do they move together), which are different things: more congruent dyads had larger discrepancies in
    213 clients of 49 therapists (Atzil-Slonim et al. 2015). The slope is the single dyad's least-squares analogue of the
    truth-and-bias model (West & Kenny 2011, Psychol Rev 118:357-378); with few sessions it is rough."""
    return nothing(alliance_congruence, alliance_agreement)

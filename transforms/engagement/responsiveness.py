"""The therapist's responsiveness in the first two sessions, with the client's early engagement."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.raters import PERSON, of_counted_raters
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

# Each factor: its scale in warehouse/instruments/elkin_responsiveness.toml, and its description.
FACTORS = {
    "positive_atmosphere": (
        "positive_atmosphere",
        "Positive therapeutic atmosphere, observed; predicted staying and the client's view.",
    ),
    "attentiveness": ("attentiveness", "Therapist attentiveness, observed; predicted neither."),
    "early_empathic_responding": (
        "early_empathic_responding",
        "Early empathic responding, observed; predicted neither.",
    ),
    "negative_behaviour": (
        "negative_behaviour",
        "Negative therapist behaviour, observed (higher is worse); predicted leaving early.",
    ),
    "global_responsiveness": (
        "global",
        "The global responsiveness item, observed; predicted staying and the client's view.",
    ),
}
SRS_LINES = (1, 3)  # relationship; approach (Duncan et al. 2003)
PROXIES = {"srs": None, "blri": "empathic_understanding", "pear": "total"}
_ORDER = {name: place for place, name in enumerate(PROXIES)}


@table(
    key="episode_id",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        *(
            Column(name, "number", f"{text} Mean of sessions 1 and 2, null unless both are rated.")
            for name, (_, text) in FACTORS.items()
        ),
        Column(
            "observed_session_count",
            "integer",
            "The number of sessions 1 and 2 that an observer rated.",
            required=True,
            between=(0, 2),
        ),
        Column(
            "responsiveness_proxy",
            "number",
            "A PROXY, the client's own view and not Elkin's measure: mean over sessions 1 and 2 of the percent of "
            "maximum of the SRS lines relationship and approach, else of the Barrett-Lennard scale empathic "
            "understanding, else of the PEAR total. Null unless both sessions are rated.",
            unit="percent of maximum",
            between=(0, 100),
        ),
        Column("proxy_instrument", "text", "The questionnaire that the proxy is taken from."),
        Column(
            "proxy_session_count",
            "integer",
            "The number of sessions 1 and 2 with that questionnaire.",
            required=True,
            between=(0, 2),
        ),
        Column(
            "relationship_after_second",
            "number",
            "Outcome 1: the client's own view of the alliance at session 2, total, percent of maximum.",
            unit="percent of maximum",
            between=(0, 100),
        ),
        Column("relationship_instrument", "text", "The questionnaire of that view: of several the first by name."),
        Column(
            "attended_session_count",
            "integer",
            "Treatment sessions attended in the episode so far.",
            required=True,
            between=(1, None),
        ),
        Column(
            "is_past_four",
            "truth",
            "Outcome 2: true from the fifth session on. Null before: whether it can still happen depends on today "
            "(table retention), and so does outcome 3, leaving early.",
        ),
    ],
)
def responsiveness(
    sessions: pl.LazyFrame,
    scores: pl.LazyFrame,
    alliance: pl.LazyFrame,
    responses: pl.LazyFrame,
    response_records: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per episode with a treatment session: Elkin's four factors and the global item, as observers rated its
    sessions 1 and 2 from tape, never a later one (Elkin et al. 2014, Psychother Res 24:52-66). Factor scores are as
    given: their range is not in the abstract. The row also has the client's three outcomes of early engagement, as far
    as they are known. therapist_id is null where sessions 1 and 2 had different therapists."""
    first_two = sessions.filter(pl.col("session_number") <= 2).cache()
    episodes = sessions.filter(pl.col("session_number").is_not_null()).group_by("client_id", "episode_id")
    joined = episodes.agg(attended_session_count=pl.len().cast(pl.Int32))
    proxies = _proxies(first_two, scores, responses, response_records, other_raters, clinic)
    observed = _observed(first_two, scores, other_raters)
    relationships = _relationships(of_counted_raters(alliance, other_raters))
    for known in (_therapists(first_two), observed, proxies, relationships):
        joined = joined.join(known, on="episode_id", how="left")
    return joined.with_columns(
        pl.col("observed_session_count", "proxy_session_count").fill_null(0),
        is_past_four=pl.when(pl.col("attended_session_count") > 4).then(pl.lit(True)),
    )


def _therapists(first_two: pl.LazyFrame) -> pl.LazyFrame:
    """Return the therapist of sessions 1 and 2; null where there were two therapists."""
    whose = pl.col("therapist_id")
    return first_two.group_by("episode_id").agg(therapist_id=pl.when(whose.n_unique() == 1).then(whose.first()))


def _observed(first_two: pl.LazyFrame, scores: pl.LazyFrame, other_raters: pl.LazyFrame) -> pl.LazyFrame:
    """Return Elkin's factors, only where both sessions are rated. A computed score is preferred to a given one."""
    rated = (
        scores.filter(pl.col("instrument") == "elkin_responsiveness", pl.col("rater") == "observer", "is_used")
        .filter(pl.col("score").is_not_null())
        .select("session_id", *PERSON, "scale", "score", "basis")
        .join(first_two.select("session_id", "episode_id"), on="session_id")
        .pipe(of_counted_raters, other_raters)
        .sort("basis")
        .unique(["session_id", "scale"], keep="first", maintain_order=True)
    )
    return rated.group_by("episode_id").agg(
        observed_session_count=pl.col("session_id").n_unique().cast(pl.Int32),
        **{name: _of_both(pl.col("score").filter(pl.col("scale") == scale)) for name, (scale, _) in FACTORS.items()},
    )


def _of_both(score: pl.Expr) -> pl.Expr:
    return pl.when(score.len() == 2).then(score.mean()).round(6)


def _proxies(
    first_two: pl.LazyFrame,
    scores: pl.LazyFrame,
    responses: pl.LazyFrame,
    response_records: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """Return the client's own view, from the first questionnaire of PROXIES in both sessions, else in one of them."""
    ways = [_proxy_scores(scores)]
    if srs := clinic.instruments.get("srs"):
        ways.append(_srs_lines(responses, response_records, srs, is_used=clinic.why_not_used(srs) is None))
    told = pl.concat(ways)
    return (
        told.filter(pl.col("pomp").is_not_null())
        .join(first_two.select("session_id", "episode_id"), on="session_id")
        .pipe(of_counted_raters, other_raters)
        .group_by("episode_id", proxy_instrument="instrument")
        .agg(proxy_session_count=pl.len().cast(pl.Int32), responsiveness_proxy=_of_both(pl.col("pomp")))
        .sort("proxy_session_count", pl.col("proxy_instrument").replace_strict(_ORDER), descending=[True, False])
        .unique("episode_id", keep="first", maintain_order=True)
    )


def _srs_lines(
    responses: pl.LazyFrame, response_records: pl.LazyFrame, srs: Instrument, *, is_used: bool
) -> pl.LazyFrame:
    """Return two lines of the SRS in percent of maximum, where the clinic holds its licence."""
    is_srs = (pl.col("instrument") == "srs") & pl.lit(is_used)
    parts = [pl.col("answers").list.get(line - 1, null_on_oob=True).cast(pl.Float64) for line in SRS_LINES]
    mean = (parts[0] + parts[1]) / 2
    line = srs.range_of_item(SRS_LINES[0])
    pomp = 100 * (mean - line.minimum) / (line.maximum - line.minimum)
    lines = response_records.filter(is_srs).select("source", "response_id", pomp=pomp.round(6))
    return (
        responses.filter(is_srs, pl.col("rater") == "client", "is_used")
        .join(lines, on=["source", "response_id"])
        .select("session_id", *PERSON, "instrument", "pomp")
    )


def _proxy_scores(scores: pl.LazyFrame) -> pl.LazyFrame:
    meant = [(pl.col("instrument") == name) & (pl.col("scale") == scale) for name, scale in PROXIES.items() if scale]
    return (
        scores.filter(pl.any_horizontal(meant), pl.col("rater") == "client", "is_used")
        .sort("basis")
        .unique(["session_id", *PERSON, "instrument"], keep="first", maintain_order=True)
        .select("session_id", *PERSON, "instrument", "pomp")
    )


def _relationships(alliance: pl.LazyFrame) -> pl.LazyFrame:
    """Return the client's view of the alliance at the second session."""
    seen = alliance.filter(pl.col("session_number") == 2, pl.col("rater") == "client", pl.col("scale") == "total")
    return (
        seen.sort("instrument")
        .unique("episode_id", keep="first", maintain_order=True)
        .select("episode_id", relationship_after_second="pomp", relationship_instrument="instrument")
    )

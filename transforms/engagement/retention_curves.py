"""Clients still in therapy by number of sessions: survival, and incidence with planned endings as a competing event."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.frames.typed_rows import empty
from rapport.transforms.sessions.age import band
from rapport.transforms.statistics.estimates import Z_95, first_of_clients, with_width
from rapport.warehouse.schema.columns import NO_WIDTH, Column
from rapport.warehouse.schema.tables import table

CURVES = ("judged", "unilateral", "missed_last")
GROUPINGS = ("all", "age_band", "program", "presenting_problem", "referral_source")
CENSORED, DROPOUT, PLANNED = 0, 1, 2


@table(
    per="clinic",
    key="curve grouping group_name session_number",
    columns=[
        Column("curve", "text", "The definition of dropout: see table retention.", required=True, one_of=CURVES),
        Column("grouping", "text", "The variable that forms the groups.", required=True, one_of=GROUPINGS),
        Column("group_name", "text", "The group; 'all' for all clients; 'unknown' where not known.", required=True),
        "session_number!",
        Column(
            "at_risk_count",
            "integer",
            "Clients with at least this number of sessions.",
            required=True,
            between=(0, None),
        ),
        Column("dropout_count", "integer", "Dropouts after exactly this number.", required=True, between=(0, None)),
        Column(
            "planned_count", "integer", "Planned endings after exactly this number.", required=True, between=(0, None)
        ),
        Column(
            "censored_count",
            "integer",
            "Censored after exactly this number: still in therapy, transferred, or an end of unknown kind.",
            required=True,
            between=(0, None),
        ),
        Column(
            "staying_share",
            "number",
            "Kaplan-Meier: the share without dropout after this number of sessions, with planned endings as censored; "
            "S = product of (1 - d/n). Clients censored at a number are still at risk at it.",
            required=True,
            between=(0, 1),
        ),
        Column(
            "staying_error",
            "number",
            "Greenwood's standard error of it, S x sqrt(sum of d / (n (n - d))); null before the first dropout and "
            "once nobody is left.",
            between=(NO_WIDTH, None),
        ),
        "low",
        "high",
        Column(
            "dropout_incidence_share",
            "number",
            "Aalen-Johansen: the share that has dropped out by this number of sessions, where a planned ending ends "
            "the risk (1 - Kaplan-Meier would be too high).",
            required=True,
            between=(0, 1),
        ),
        Column(
            "dropout_incidence_error",
            "number",
            "Its standard error; null before the first dropout.",
            between=(NO_WIDTH, None),
        ),
        Column(
            "planned_incidence_share",
            "number",
            "Aalen-Johansen: the share that has ended as planned by this number of sessions.",
            required=True,
            between=(0, 1),
        ),
        Column(
            "planned_incidence_error",
            "number",
            "Its standard error; null before the first planned ending.",
            between=(NO_WIDTH, None),
        ),
    ],
)
def retention_curves(retention: pl.LazyFrame, episodes: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dropout definition, group of clients and number of treatment sessions up to the group's largest. Each
    client counts once, with the first episode in which treatment began. Time is its number of attended treatment
    sessions. The interval is around staying_share, on the scale of log(-log S), so that it stays within 0 to 1. Derived
    episodes have no closure, so only the curve of 'missed_last' has them. The others use the first given episode."""
    described = episodes.select(
        "episode_id", *GROUPINGS[2:], all=pl.lit("all"), age_band=band(pl.col("age_at_opening"))
    )
    followed = retention.filter(pl.col("treatment_session_count") > 0).join(described, on="episode_id")
    events = {name: _event(name).alias(f"{name} event") for name in CURVES}
    keep = ["client_id", "episode_number", "treatment_session_count", "is_derived", *GROUPINGS]
    frame = followed.select(*keep, *events.values()).with_columns(as_numbers("client_id")).collect().lazy()
    firsts = {name: _firsts(frame, name) for name in CURVES}
    curves = [curve for name in CURVES for grouping in GROUPINGS for curve in _curves(firsts[name], name, grouping)]
    return pl.concat([empty(retention_curves), *curves], how="vertical").lazy()


def _event(curve: str) -> pl.Expr:
    dropped = pl.col(f"is_dropout_{curve}").fill_null(False)
    planned = pl.col("has_ended") & ~dropped if curve == "missed_last" else pl.col("closure").eq_missing("planned")
    return pl.when(dropped).then(DROPOUT).when(planned).then(PLANNED).otherwise(CENSORED).cast(pl.Int8)


def _firsts(frame: pl.LazyFrame, curve: str) -> pl.DataFrame:
    """Return each client's first episode among those that the curve can include."""
    whose = frame if curve == "missed_last" else frame.filter(~pl.col("is_derived"))
    return first_of_clients(whose).collect()


def _curves(firsts: pl.DataFrame, curve: str, grouping: str) -> Iterator[pl.DataFrame]:
    """Yield one frame per group, in the order of names."""
    told = firsts.select(
        time="treatment_session_count", event=f"{curve} event", group_name=pl.col(grouping).fill_null("unknown")
    )
    for (name,), group in sorted(told.partition_by("group_name", as_dict=True).items()):
        made = survival(group).with_columns(
            curve=pl.lit(curve), grouping=pl.lit(grouping), group_name=pl.lit(name, dtype=pl.String)
        )
        yield made.select(retention_curves.column_names)


def survival(followed: pl.DataFrame) -> pl.DataFrame:
    """Return one row per time up to the largest: counts, Kaplan-Meier with Greenwood's error, and the cumulative
    incidence of both events. `followed`: `time` (from 1) and `event` (0 censored, 1 dropout, 2 planned)."""
    counts = followed.group_by("time").agg(
        dropout_count=(pl.col("event") == DROPOUT).sum(),
        planned_count=(pl.col("event") == PLANNED).sum(),
        censored_count=(pl.col("event") == CENSORED).sum(),
    )
    every = pl.DataFrame({"time": range(1, max(followed["time"].to_list()) + 1)}, schema={"time": pl.Int32})
    ended = pl.sum_horizontal("dropout_count", "planned_count", "censored_count")
    timed = (
        every.join(counts.with_columns(pl.col("time").cast(pl.Int32)), on="time", how="left")
        .with_columns(pl.col("^.*_count$").fill_null(0).cast(pl.Int32))
        .sort("time")
        .with_columns(at_risk_count=ended.reverse().cum_sum().reverse().cast(pl.Int32))
    )
    estimated = timed.join(_kaplan_meier(followed), on="time", how="left").join(
        _incidences(followed), on="time", how="left"
    )
    shares = pl.col("staying_share").forward_fill().fill_null(1.0)
    incidences = pl.col("dropout_incidence_share", "planned_incidence_share").forward_fill().fill_null(0.0)
    error = pl.col("staying_error").forward_fill().fill_null(0.0)
    filled = estimated.with_columns(shares, error, incidences, pl.col("^.*_incidence_error$").forward_fill())
    return _bounded(filled).rename({"time": "session_number"})


def _kaplan_meier(followed: pl.DataFrame) -> pl.DataFrame:
    from statsmodels.duration.survfunc import SurvfuncRight  # noqa: PLC0415  costly to import

    found = SurvfuncRight(followed["time"].to_numpy(), (followed["event"] == DROPOUT).to_numpy().astype(int))
    made = {"time": found.surv_times, "staying_share": found.surv_prob, "staying_error": found.surv_prob_se}
    return pl.DataFrame(made).with_columns(pl.col("time").cast(pl.Int32))


def _incidences(followed: pl.DataFrame) -> pl.DataFrame:
    from statsmodels.duration.survfunc import CumIncidenceRight  # noqa: PLC0415  costly to import

    with np.errstate(divide="ignore", invalid="ignore"):  # after the last event its variance may divide by 0
        found = CumIncidenceRight(followed["time"].to_numpy(), followed["event"].to_numpy().astype(int))
    made = {"time": found.times}
    for event, name in ((DROPOUT, "dropout"), (PLANNED, "planned")):
        has_some = len(found.cinc) >= event
        made[f"{name}_incidence_share"] = found.cinc[event - 1] if has_some else 0.0
        made[f"{name}_incidence_error"] = found.cinc_se[event - 1] if has_some else 0.0
    return pl.DataFrame(made).with_columns(pl.col("time").cast(pl.Int32))


def _bounded(curve: pl.DataFrame) -> pl.DataFrame:
    """Return the 95 % interval by log(-log S) (Kalbfleisch & Prentice): null before the first dropout, and once all
    have dropped out. An error of 0 becomes null."""
    share, error = pl.col("staying_share"), pl.col("staying_error")
    spread = (Z_95 * error / (share * share.log())).abs()
    ends = {"low": share ** spread.exp(), "high": share ** (-spread).exp()}
    errors = pl.col("^.*_error$").fill_nan(None)
    with_errors = curve.with_columns(pl.when(errors > NO_WIDTH).then(errors))
    made = with_errors.with_columns(**with_width({name: pl.when(share < 1).then(end) for name, end in ends.items()}))
    return made.with_columns(pl.col(pl.Float64).fill_nan(None).round(9)).with_columns(pl.col("^.*_share$").clip(0, 1))

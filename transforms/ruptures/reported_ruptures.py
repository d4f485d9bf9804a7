"""Ruptures reported by client or therapist after a session (PSQ, Muran et al. 2009)."""

from __future__ import annotations

import polars as pl

from rapport.transforms.ruptures.counted_rules import instruments_of, is_used
from rapport.transforms.sessions.raters import PERSON
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.rupture_rules import RuptureRule

_LINE = ("client_id", "episode_id", "therapist_id", *PERSON, "instrument")
_PARTS = ("rupture", "intensity", "resolution")


def reported(scores: pl.LazyFrame, sessions: pl.LazyFrame, rule: RuptureRule, clinic: Clinic) -> pl.LazyFrame:
    """Return runs of rated sessions after which a rupture is reported. A session of the run with enough resolution is
    the repair. Without one, a next report of no rupture means not repaired."""
    runs = _runs(_reports(scores, sessions, rule, clinic))
    resolved = pl.col("resolution") >= rule.resolved_from
    found = runs.group_by(*_LINE, "run", maintain_order=True).agg(
        start_session_id=pl.col("session_id").first(),
        start_session_number=pl.col("dyad_session_number").first(),
        started_on=pl.col("session_date").first(),
        nadir_value=pl.col("intensity").max(),
        nadir_session_id=pl.col("session_id").filter(pl.col("intensity") == pl.col("intensity").max()).first(),
        length=pl.len().cast(pl.Int32),
        repair_session_id=pl.col("session_id").filter(resolved).first(),
        repair_session_count=resolved.fill_null(False).arg_max().cast(pl.Int32),
        is_over=pl.col("has_next").last(),
    )
    is_resolved = pl.col("repair_session_id").is_not_null()
    return found.with_columns(
        rupture_rule=pl.lit(rule.name),
        scale=pl.lit(_PARTS[0]),
        compared=pl.lit("report"),
        pre_value=pl.lit(None, dtype=pl.Float64),
        depth=pl.lit(None, dtype=pl.Float64),
        repair_session_count=pl.when(is_resolved).then("repair_session_count"),
        is_repaired=pl.when(is_resolved).then(pl.lit(True)).when("is_over").then(pl.lit(False)),
    )


def _reports(scores: pl.LazyFrame, sessions: pl.LazyFrame, rule: RuptureRule, clinic: Clinic) -> pl.LazyFrame:
    """Return one row per report: session, person, and the three answers."""
    meant = [each.name for each in instruments_of(rule, clinic) if is_used(rule, each, clinic)]
    given = scores.filter(pl.col("instrument").is_in(meant), "is_used", pl.col("basis") == "computed")
    answers = given.group_by("session_id", *PERSON, "instrument").agg(
        **{part: pl.col("score").filter(pl.col("scale") == part).first() for part in _PARTS}
    )
    return (
        answers.filter(pl.col("rupture").is_not_null())
        .join(sessions, on="session_id")
        .filter(pl.col("dyad_session_number").is_not_null())
        .sort(*_LINE, "dyad_session_number")
    )


def _runs(reports: pl.LazyFrame) -> pl.LazyFrame:
    """Return the reports of a rupture, numbered by run; `has_next` where a later report has no rupture."""
    is_rupture = pl.col("rupture") > 0
    return (
        reports.with_columns(is_rupture=is_rupture)
        .with_columns(
            run=(~pl.col("is_rupture")).cum_sum().over(_LINE),
            has_next=(~pl.col("is_rupture").shift(-1).over(_LINE)).fill_null(False),
        )
        .filter("is_rupture")
    )

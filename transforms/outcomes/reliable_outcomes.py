"""The outcome of an episode's symptoms by the two national schemes of the NHS in England."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.raters import PERSON
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

STATUSES = ("reliable improvement", "no reliable change", "reliable deterioration", "not assessable")
SCHEMES = ("talking_therapies", "under_18")
# The scheme's measures, each with the names of its change and cut-off in the instrument's file.
_ADULT = {"phq9": ("nhs", "caseness"), "gad7": ("nhs", "talking_therapies")}
_TWO_SCORES = "PHQ-9 and GAD-7 are not both scored twice"
_OTHER_LIMITS = "this clinic's change or cut-off is not the scheme's"
_NO_MEASURE = "no measure of the scheme is scored twice"


@table(
    key="episode_id outcome_scheme rater rater_number",
    columns=[
        "client_id!",
        "episode_id!",
        Column(
            "outcome_scheme",
            "text",
            "talking_therapies: PHQ-9 and GAD-7 together. under_18: any measure of one rater with a change in the "
            "MHSDS; clients below 18 at the episode's opening.",
            required=True,
            one_of=SCHEMES,
        ),
        "rater!",
        "rater_number!",
        Column("measure_count", "integer", "Measures with two scores.", required=True, between=(0, None)),
        Column(
            "contact_count",
            "integer",
            "Attended sessions of the episode so far: treatment sessions (talking_therapies) or all (under_18). The "
            "schemes count episodes with at least two.",
            required=True,
            between=(0, None),
        ),
        "closed_on",
        Column(
            "outcome_status",
            "text",
            "talking_therapies: reliable improvement where either measure improved reliably and the other did not "
            "worsen reliably; deterioration likewise, with the opposite direction. under_18: deterioration where any "
            "measure worsened reliably, else improvement where any improved reliably.",
            required=True,
            one_of=STATUSES,
        ),
        Column(
            "is_case_at_start",
            "truth",
            "PHQ-9 at least 10 or GAD-7 at least 8 at the first scores. Null for under_18 and where not assessable.",
        ),
        Column(
            "is_recovered",
            "truth",
            "Below both cut-offs at the latest scores. Null where it was no case at first (not in the denominator), "
            "for under_18, and where not assessable.",
        ),
        Column("is_reliably_recovered", "truth", "is_recovered with reliable improvement; null where that is null."),
        Column(
            "why_not_assessable",
            "text",
            "Why there is no status; null where there is one.",
            one_of=(_TWO_SCORES, _OTHER_LIMITS, _NO_MEASURE),
        ),
    ],
)
def reliable_outcomes(
    outcomes: pl.LazyFrame, sessions: pl.LazyFrame, episodes: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """One row per episode, national scheme and person with a score of the scheme's measures, from first to latest score
    so far. The schemes count finished courses only: episodes that have ended (closed_on) with a contact_count of at
    least two. Sources: NHS England, Talking Therapies (NCT05134103) and MHSDS code. Without all scores an episode is
    not assessable, which is not the same as no change. The rule that one measure is enough if the other does not worsen
    is recalled."""
    measure = [*_EPISODE, *PERSON, "instrument", "scale", "compared"]
    preferred = outcomes.sort(_has_two, "basis", descending=[True, False]).unique(
        measure, keep="first", maintain_order=True
    )
    about = episodes.select("episode_id", "closed_on", "age_at_opening")
    attended = sessions.group_by("episode_id").agg(
        any_kind=pl.len().cast(pl.Int32), of_treatment=pl.col("is_treatment").sum().cast(pl.Int32)
    )
    known = preferred.join(about, on="episode_id", how="left").join(attended, on="episode_id", how="left")
    return pl.concat([_talking_therapies(known), _under_18(known, clinic)], how="diagonal_relaxed")


_EPISODE = ("client_id", "episode_id")
_improved, _worse = pl.col("reliable_class") == "improved", pl.col("reliable_class") == "deteriorated"
_has_two = pl.col("last_score").is_not_null()


def _talking_therapies(known: pl.LazyFrame) -> pl.LazyFrame:
    """Return rows of talking_therapies (M18): both measures, rated by the client."""
    meant = [
        (pl.col("instrument") == name) & (pl.col("change_name") == change) & (pl.col("cut_off_name") == cut_off)
        for name, (change, cut_off) in _ADULT.items()
    ]
    both = (
        known.filter(pl.col("instrument").is_in(list(_ADULT)), pl.col("rater") == "client", pl.col("scale") == "total")
        .group_by(*_EPISODE, *PERSON, "closed_on", contact_count="of_treatment")
        .agg(
            measure_count=_has_two.sum().cast(pl.Int32),
            is_meant=pl.any_horizontal(meant).fill_null(False).all(),
            **_moved(),
            was_case=pl.col("is_case_first").any(),
            is_case=pl.col("is_case_last").any(),
        )
    )
    why = (
        pl.when(pl.col("measure_count") < len(_ADULT))
        .then(pl.lit(_TWO_SCORES))
        .when(~pl.col("is_meant"))
        .then(pl.lit(_OTHER_LIMITS))
    )
    up, down = pl.col("is_up"), pl.col("is_down")
    judged = both.with_columns(outcome_scheme=pl.lit(SCHEMES[0]), why_not_assessable=why)
    judged = judged.with_columns(outcome_status=_status(up & ~down, down & ~up), is_case_at_start=_if_known("was_case"))
    recovered = pl.when("is_case_at_start").then(~pl.col("is_case"))
    return judged.with_columns(is_recovered=recovered).with_columns(
        is_reliably_recovered=pl.when(pl.col("is_recovered").is_not_null()).then(
            pl.col("is_recovered") & (pl.col("outcome_status") == STATUSES[0])
        )
    )


def _under_18(known: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return rows of under_18 (M18b): each rater's measures, by the changes in the MHSDS code."""
    stated = pl.LazyFrame(
        [
            (each.name, change.name)
            for each in clinic.instruments.values()
            for change in each.changes
            if "MHSDS" in change.origin.source
        ],
        schema={"instrument": pl.String, "change_name": pl.String},
        orient="row",
    )
    raters = (
        known.filter(pl.col("age_at_opening") < 18)
        .join(stated, on=["instrument", "change_name"], how="semi")
        .group_by(*_EPISODE, *PERSON, "closed_on", contact_count="any_kind")
        .agg(measure_count=_has_two.sum().cast(pl.Int32), **_moved())
    )
    why = pl.when(pl.col("measure_count") == 0).then(pl.lit(_NO_MEASURE))
    judged = raters.with_columns(outcome_scheme=pl.lit(SCHEMES[1]), why_not_assessable=why)
    unknown = pl.lit(None, dtype=pl.Boolean)
    return judged.with_columns(
        outcome_status=_status(pl.col("is_up") & ~pl.col("is_down"), pl.col("is_down")),
        is_case_at_start=unknown,
        is_recovered=unknown,
        is_reliably_recovered=unknown,
    )


def _moved() -> dict[str, pl.Expr]:
    return {"is_up": _improved.fill_null(False).any(), "is_down": _worse.fill_null(False).any()}


def _if_known(column: str) -> pl.Expr:
    return pl.when(pl.col("why_not_assessable").is_null()).then(column)


def _status(improved: pl.Expr, deteriorated: pl.Expr) -> pl.Expr:
    better, same, worse, unknown = map(pl.lit, STATUSES)
    known = pl.when(improved).then(better).when(deteriorated).then(worse).otherwise(same)
    return pl.when(pl.col("why_not_assessable").is_null()).then(known).otherwise(unknown)

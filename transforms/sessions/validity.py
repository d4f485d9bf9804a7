"""Flags of doubtful responses. They hide no score and remove none. domain.md, M02."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from rapport.transforms.sessions.age import years_on
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.columns import Column

# Insufficient effort: nobody reads an item in less than two seconds (Huang, Curran, Keeney, Poposki & DeShon 2012, J
# Bus Psychol 27:99-114; recalled).
SECONDS_PER_ITEM = 2
# Fewer equal answers than these may be honest. The number is Rapport's own.
STRAIGHT_FROM = 5

FLAGS = (
    Column(
        "is_straight_lined",
        "truth",
        f"True when at least {STRAIGHT_FROM} items are answered and all alike, on an instrument with reversed items; "
        "null where the instrument has none.",
    ),
    Column(
        "is_implausibly_fast",
        "truth",
        f"True when it took less than {SECONDS_PER_ITEM} seconds per answered item (Huang et al. 2012); null where "
        "the export does not say how long it took, or nothing is answered.",
    ),
    Column(
        "is_wrong_age",
        "truth",
        "True when the client's age on that day, for any rater, is outside the instrument's ages; null where either is "
        "not known. A CORS at 13 stays a CORS: it does not become an ORS.",
    ),
    Column(
        "has_age_caution",
        "truth",
        "True when the instrument's file warns of this rater's answers about a client of that age (TASC-r: a child's "
        "own view below 11); null where it warns of none, or the age is not known.",
    ),
    Column(
        "is_duplicate_submission",
        "truth",
        "True when the same rater answered the same instrument about the same client earlier on that local day, for "
        "example on tablet and on paper; both are kept. One without a time counts as later. Null where no day is "
        "known.",
    ),
)


def is_straight_lined(clinic: Clinic) -> pl.Expr:
    """Return is_straight_lined from raw answers, before items are reversed: equal answers to a statement and its
    opposite."""
    answers = pl.col("answers").list
    alike = (answers.agg(pl.element().count()) >= STRAIGHT_FROM) & (answers.min() == answers.max())
    has_reversed = [name for name, instrument in clinic.instruments.items() if instrument.reversed]
    return pl.when(pl.col("instrument").is_in(has_reversed)).then(alike.fill_null(False))


def flagged(responses: pl.LazyFrame, birth_dates: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return responses with the other flags of FLAGS."""
    dated = responses.with_columns(day=pl.coalesce("completed_on", pl.col("completed_at").dt.date())).collect().lazy()
    born = dated.select("client_id", "day").join(birth_dates, on="client_id", how="left", maintain_order="left")
    aged = pl.concat([dated, born.select(years=years_on("day"))], how="horizontal")
    doubted = aged.with_columns(
        is_implausibly_fast=_is_implausibly_fast(),
        is_wrong_age=_is_wrong_age(clinic),
        has_age_caution=_has_age_caution(clinic),
        may_repeat=pl.col("day").is_not_null() & is_repeated(["client_id", "instrument", "rater", "day"]),
    )
    known = doubted.collect().lazy()
    alone = known.filter(~pl.col("may_repeat")).with_columns(
        is_duplicate_submission=pl.when(pl.col("day").is_not_null()).then(pl.lit(False))
    )
    repeated = known.filter("may_repeat").with_columns(is_duplicate_submission=_is_duplicate_submission())
    return pl.concat([alone, repeated])


def _is_implausibly_fast() -> pl.Expr:
    too_fast = pl.col("seconds") < SECONDS_PER_ITEM * pl.col("answered_count")
    return pl.when(pl.col("answered_count") > 0).then(too_fast)


def _is_wrong_age(clinic: Clinic) -> pl.Expr:
    """Return is_wrong_age, for all raters: the ages of a caregiver's form are the child's too."""
    has_ages = [each for each in clinic.instruments.values() if (each.age_from, each.age_to) != (None, None)]
    low = _of_instrument(has_ages, lambda each: each.age_from or 0)
    high = _of_instrument(has_ages, lambda each: 200 if each.age_to is None else each.age_to)
    return (pl.col("years") < low) | (pl.col("years") > high)


def _has_age_caution(clinic: Clinic) -> pl.Expr:
    warned = [
        pl.when((pl.col("instrument") == each.name) & pl.col("rater").is_in(each.caution.respondents)).then(
            pl.col("years") < each.caution.below_age
        )
        for each in clinic.instruments.values()
        if each.caution
    ]
    return pl.coalesce(*warned, pl.lit(None, dtype=pl.Boolean))


def _of_instrument(instruments: list[Instrument], fact: Callable[[Instrument], int]) -> pl.Expr:
    facts = {each.name: fact(each) for each in instruments}
    return pl.col("instrument").replace_strict(facts, default=None, return_dtype=pl.Int32)


def _is_duplicate_submission() -> pl.Expr:
    """Return is_duplicate_submission. Two caregivers, or two therapists, are two raters where the export names them."""
    person = (
        pl.when(pl.col("rater") == "therapist").then(pl.coalesce("rater_id", "therapist_id"))
        .when(pl.col("rater") != "client").then("rater_id")
    )  # fmt: skip
    first = pl.col("response_id").sort_by("completed_at", "loaded_number", nulls_last=True).first()
    same = ["client_id", "instrument", "rater", person, "day"]
    return pl.when(pl.col("day").is_not_null()).then(pl.col("response_id") != first.over(same))


def is_repeated(columns: list[str]) -> pl.Expr:
    """Return false only where no other row has the same values. It compares hashes, so true must still be checked."""
    return pl.struct(columns).hash().is_duplicated()

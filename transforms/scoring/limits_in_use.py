"""The reliable change and the cut-off that apply to a client and rater, among those in an instrument's file."""

from __future__ import annotations

import polars as pl

from rapport.transforms.scoring.reliable_changes import changes_of
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.thresholds import Threshold

_WHOM = {"age_from": pl.Int32, "age_to": pl.Int32, "for_sex": pl.String, "for_raters": pl.String}
_ABOUT = {"instrument": pl.String, "scale": pl.String, "compared": pl.String}
_CHANGE = {"change_name": pl.String, "change_amount": pl.Float64, "is_from": pl.Boolean}
_CUT_OFF = {"cut_off_name": pl.String, "operator": pl.String, "cut_off_value": pl.Float64}


def with_limits_of_change(lines: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return `lines` (with age_at_opening, sex, rater), each with change_name, change_amount and is_from. is_from: a
    change of exactly the amount counts."""
    rows = [
        (*(each[name] for name in (*_ABOUT, *_WHOM, "change_name", "used_amount")), each["used_criterion"] == ">=")
        for instrument in _measures(clinic)
        for each in changes_of(instrument, clinic)
        if each["used"] != "none"
    ]
    return _with_best(lines, rows, _CHANGE)


def with_cut_offs(lines: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return `lines`, each with cut_off_name, operator and cut_off_value."""
    rows = [
        (instrument.name, at.scale, at.of, *_population(at), at.name, at.case.operator, at.case.value)
        for instrument in _measures(clinic)
        for at in instrument.thresholds
        if at.case and clinic.uses(instrument, at)
    ]
    return _with_best(lines, rows, _CUT_OFF)


def _measures(clinic: Clinic) -> list[Instrument]:
    return [each for each in clinic.instruments.values() if each.construct == "outcome"]


def _population(at: Threshold) -> tuple[object, ...]:
    whom = at.population
    return (whom.age_from, whom.age_to, whom.sex or None, " ".join(whom.respondents) or None)


def _with_best(
    lines: pl.LazyFrame, rows: list[tuple[object, ...]], found: dict[str, type[pl.DataType]]
) -> pl.LazyFrame:
    """Return `lines`, each with the fact for the most specific population that includes it, else the first stated."""
    facts = pl.LazyFrame(rows, schema={**_ABOUT, **_WHOM, **found}, orient="row").with_row_index("stated")
    said = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int8) for name in _WHOM)
    best = (
        lines.select("line", *_ABOUT, "rater", "sex", "age_at_opening")
        .join(facts.with_columns(said=said), on=list(_ABOUT))
        .filter(_is_meant())
        .sort("line", "said", "stated", descending=[False, True, False])
        .unique("line", keep="first", maintain_order=True)
        .select("line", *found)
    )
    return lines.join(best, on="line", how="left")


def _is_meant() -> pl.Expr:
    age, raters = pl.col("age_at_opening"), pl.col("for_raters")
    old_enough = pl.col("age_from").is_null() | (age >= pl.col("age_from")).fill_null(False)
    young_enough = pl.col("age_to").is_null() | (age <= pl.col("age_to")).fill_null(False)
    sex = pl.col("for_sex").is_null() | (pl.col("for_sex") == pl.col("sex")).fill_null(False)
    return old_enough & young_enough & sex & (raters.is_null() | raters.str.split(" ").list.contains(pl.col("rater")))

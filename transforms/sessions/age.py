"""Age from a birth date. The warehouse holds no birth dates, only age bands and whole years at an episode's opening."""

from __future__ import annotations

import polars as pl


def years_on(day: str, birth_date: str = "birth_date") -> pl.Expr:
    """Return completed years on a day; null without a birth date, or before it."""
    on, born = pl.col(day), pl.col(birth_date)
    had_birthday = _place_in_year(on) >= _place_in_year(born)
    years = on.dt.year() - born.dt.year() - pl.when(had_birthday).then(0).otherwise(1)
    return pl.when(years >= 0).then(years).cast(pl.Int32)


def _place_in_year(day: pl.Expr) -> pl.Expr:
    # polars keeps months in eight bits: without the cast 3 * 100 would give 44
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day()


def band(years: pl.Expr) -> pl.Expr:
    """Return the age band: child 6-12, teen 13-17, young_adult 18-25, other; null without an age."""
    return (
        pl.when(years.is_null()).then(None)
        .when(years.is_between(6, 12)).then(pl.lit("child"))
        .when(years.is_between(13, 17)).then(pl.lit("teen"))
        .when(years.is_between(18, 25)).then(pl.lit("young_adult"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip

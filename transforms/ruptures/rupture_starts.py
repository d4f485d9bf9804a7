"""The starts of possible ruptures: a session meets a rule, and the rated session before it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from rapport.transforms.ruptures.counted_rules import compared, instruments_of, is_used, sd_of, threshold_of
from rapport.transforms.scoring.score_bands import holds
from rapport.transforms.statistics.students_t import critical_t
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.rupture_rules import RuptureRule
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.comparisons import Comparison

_value, _previous = pl.col("value"), pl.col("previous")
_NOTHING = pl.lit(None, dtype=pl.Float64)
_STARTED = (
    *("client_id", "episode_id", "therapist_id", "rater", "rater_number", "instrument", "scale", "compared"),
    *("session_id", "session"),
    *("session_date", "line", "row", "last_row", "value", "rupture_rule", "within", "pre_value", "level", "rise"),
    "is_above",
)


def with_limits(rated: pl.LazyFrame) -> pl.LazyFrame:
    """Return rated sessions (`line`, `row`, `session` = dyad_session_number, `value`) in order, each with figures of
    the rater's earlier scores in the line: previous, earlier_count, earlier_mean, earlier_sd, earlier_range (mean
    moving range)."""
    summed = {"sum": _value, "squares": _value**2, "ranges": (_value - beside(_value, 1)).abs().fill_null(0)}
    sums = rated.with_columns(**{name: each.alias(name) for name, each in summed.items()}).with_columns(
        pl.col(*summed).cum_sum().over("line")
    )
    known = sums.with_columns(
        previous=beside(_value, 1),
        earlier_count=(pl.col("row") - pl.col("row").min().over("line")).cast(pl.Int32),
        **{name: beside(pl.col(name), 1) for name in summed},
    )
    n = pl.col("earlier_count")
    mean = pl.col("sum") / n
    spread = ((pl.col("squares") - n * mean**2) / (n - 1)).clip(0, None)
    return known.with_columns(
        earlier_mean=pl.when(n > 0).then(mean).round(6),
        earlier_sd=pl.when(n > 1).then(spread.round(6).sqrt()).round(6),
        earlier_range=pl.when(n > 1).then(pl.col("ranges") / (n - 1)).round(6),
    ).drop(*summed)


def beside(values: pl.Expr, places: int) -> pl.Expr:
    """Return the values `places` rows before (after, where negative) in the same line. Rows are in the order of
    lines."""
    line = pl.col("line")
    return pl.when(line == line.shift(places)).then(values.shift(places))


def starts(rated: pl.LazyFrame, rule: RuptureRule, clinic: Clinic) -> pl.LazyFrame:
    """Return the starts by one rule, each with its condition of repair: a `level` to reach (or to exceed: is_above), or
    a `rise` from the lowest value."""
    meant = [each for each in instruments_of(rule, clinic) if is_used(rule, each, clinic)]
    met, repair = _CONDITIONS[rule.kind](rule, meant, clinic)
    is_meant = pl.concat_str("instrument", pl.lit(" "), "compared").is_in(
        [f"{each.name} {compared(rule, each)}" for each in meant]
    )
    is_met = (is_meant & met).fill_null(False)
    usual = {"pre_value": _previous, "level": _NOTHING, "rise": _NOTHING, "is_above": pl.lit(False)}
    return (
        (around(rated) if rule.kind == "sudden_loss" else rated)
        .with_columns(is_met=is_met)
        .filter(pl.col("is_met") & ~beside(pl.col("is_met"), 1).fill_null(False))
        .with_columns(rupture_rule=pl.lit(rule.name), within=pl.lit(rule.within, dtype=pl.Int32), **{**usual, **repair})
        .select(*_STARTED)
    )


_Condition = tuple[pl.Expr, dict[str, pl.Expr]]


def _below(rule: RuptureRule, meant: list[Instrument], _: Clinic) -> _Condition:
    cut_offs = _cases(rule, meant)
    met = [(pl.col("instrument") == name) & holds(_value, case) for name, case in cut_offs.items()]
    above = [name for name, case in cut_offs.items() if case.operator == "<="]
    level = _by_instrument({name: case.value for name, case in cut_offs.items()})
    return pl.any_horizontal(pl.lit(False), *met), {
        "level": level,
        "is_above": pl.col("instrument").is_in(above),
    }


def _cases(rule: RuptureRule, meant: list[Instrument]) -> dict[str, Comparison]:
    """Return by instrument the comparison of the rule's threshold."""
    return {each.name: _case(rule, each) for each in meant}


def _case(rule: RuptureRule, instrument: Instrument) -> Comparison:
    threshold = threshold_of(rule, instrument)
    assert threshold and threshold.case, f"{instrument.name} has no threshold {rule.threshold}"
    return threshold.case


def _fall(rule: RuptureRule, meant: list[Instrument], clinic: Clinic) -> _Condition:
    change = (_value - _previous).round(6)
    if rule.threshold:
        met = [(pl.col("instrument") == name) & holds(change, case) for name, case in _cases(rule, meant).items()]
        return pl.any_horizontal(pl.lit(False), *met), _regained(rule)
    sd = _by_instrument({each.name: sd_of(rule, each, clinic) for each in meant})
    if rule.least_earlier:  # "favour the stricter of the two values" (Gumz et al. 2012)
        sd = pl.when(pl.col("earlier_count") >= rule.least_earlier).then(pl.max_horizontal(sd, "earlier_sd"))
    return -change >= (rule.times * sd).round(6), _regained(rule)


def _regained(rule: RuptureRule) -> dict[str, pl.Expr]:
    fall = _previous - _value
    if rule.repair == "rise":
        return {"rise": fall.round(6)}
    return {"level": (_value + rule.share * fall).round(6)}


def _control_limit(rule: RuptureRule, _: list[Instrument], __: Clinic) -> _Condition:
    """Return the condition of a fall below an individuals chart's lower limit. The centre line is the earlier mean;
    values that never varied have no limits."""
    enough = (pl.col("earlier_count") >= rule.least_earlier) & (pl.col("earlier_range") > 0)
    limit = (pl.col("earlier_mean") - rule.width * pl.col("earlier_range")).round(6)
    centre = pl.col("earlier_mean")
    return enough & (_value < limit), {"pre_value": centre, "level": centre, "is_above": pl.lit(True)}


def _sudden_loss(rule: RuptureRule, meant: list[Instrument], clinic: Clinic) -> _Condition:
    sd = _by_instrument({each.name: sd_of(rule, each, clinic) for each in meant})
    assert rule.share_of_previous is not None, f"rule {rule.name} states no share_of_previous"
    return sudden_loss(rule.times * sd, rule.share_of_previous), _regained(rule)


_BEFORE, _AFTER = ("before 1", "before 2", "before 3"), ("value", "after 1", "after 2")


def around(rated: pl.LazyFrame) -> pl.LazyFrame:
    """Return rated sessions, each with the values of up to three sessions before and two after it, by the numbers in
    column `session`. They have the degrees of freedom for comparing the three before with the three from here on."""
    number = pl.col("session")
    before = (_if(number - beside(number, n) <= 3, beside(_value, n)) for n in (1, 2, 3))
    after = (_if(beside(number, -n) - number <= 2, beside(_value, -n)) for n in (1, 2))
    beside_it = dict(zip((*_BEFORE, *_AFTER[1:]), (*before, *after), strict=True))
    degrees = _counted(_BEFORE) + _counted(_AFTER) - 2
    return rated.with_columns(is_next=number - beside(number, 1) == 1, **beside_it).with_columns(degrees=degrees)


def sudden_loss(amount: pl.Expr, share: float) -> pl.Expr:
    """Return whether a session meets the criteria of Tang & DeRubeis 1999, as in the R package suddengains.

    The fall since the session before is at least `amount`, and at least `share` of the value before. The mean of up to
    three sessions before exceeds the mean of the three from here on by more than the critical t times their pooled SD.
    Null where the session before has no rating, or fewer than two sessions on either side have one. Rows are from
    `around`."""
    pooled = (_squares(_BEFORE) + _squares(_AFTER)) / pl.col("degrees")
    fall = (_previous - _value).round(6)
    difference = pl.mean_horizontal(_BEFORE) - pl.mean_horizontal(_AFTER)
    met = (
        (fall >= amount.round(6))
        & (fall >= (share * _previous).round(6))
        & (difference.round(6) > (critical_t(pl.col("degrees")) * pooled.sqrt()).round(6))
    )
    return _if(pl.col("is_next") & (_counted(_BEFORE) >= 2) & (_counted(_AFTER) >= 2), met)


def _if(condition: pl.Expr, then: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(then)


def _counted(values: tuple[str, ...]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(value).is_not_null().cast(pl.Int32) for value in values)


def _squares(values: tuple[str, ...]) -> pl.Expr:
    mean = pl.mean_horizontal(values)
    return pl.sum_horizontal((pl.col(value) - mean) ** 2 for value in values)


def _by_instrument(numbers: Mapping[str, float | None]) -> pl.Expr:
    return pl.col("instrument").replace_strict(numbers, default=None, return_dtype=pl.Float64)


_CONDITIONS: dict[str, Callable[[RuptureRule, list[Instrument], Clinic], _Condition]] = {
    "below": _below,
    "fall": _fall,
    "control_limit": _control_limit,
    "sudden_loss": _sudden_loss,
}

"""The conventions of every estimate of the clinic: who counts, from how many on, and what is no estimate.

The independent unit is the client. A client counts once, with the first episode that qualifies; where rows repeat,
errors are clustered by client. The guards are Rapport's own, but for the events of a logistic regression.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rapport.warehouse.schema.columns import NO_ESTIMATE, NO_WIDTH

Z_95 = 1.959964
ENOUGH_CLIENTS = 30  # that carry information
ENOUGH_OF_EACH = 10  # events, and non-events: Peduzzi et al. 1996, J Clin Epidemiol 49:1373-1379 (recalled)
ENOUGH_IN_CELL = 5  # clients, in each of the four cells of a predictor of two values and an event
MOST_OF_ONE = 0.5  # of the predictor's sum of squares
FEW, FEW_EVENTS, SMALL_CELL, CONSTANT, SEPARATED, DOMINATED, NO_ERROR = NO_ESTIMATE

Found = dict[str, float | str | None]


def first_of_clients(rows: pl.LazyFrame, *by: str) -> pl.LazyFrame:
    """Of each client (for each value of `by`) the row of the first episode, by episode_number."""
    return rows.sort("episode_number").unique(["client_id", *by], keep="first", maintain_order=True)


def largest_share(predictor: pl.Series) -> float | None:
    """The largest client's part of the sum of squares about the mean, of one value per client; null where it is 0."""
    if not varies(predictor):
        return None
    values = predictor.cast(pl.Float64).sort().to_numpy()  # in one order, so that the sums are the same in any
    squares = (values - values.mean()) ** 2
    return round(float(squares.max() / squares.sum()), 9)


def varies(values: pl.Series) -> bool:
    """Whether values differ by more than what is no width."""
    known = values.cast(pl.Float64).drop_nulls().to_numpy()
    return len(known) > 1 and bool(known.max() - known.min() > NO_WIDTH)


def why_none(client_count: int, share: float | None) -> str | None:
    """Why so many clients, with the largest one's share of the predictor's sum of squares, are no ground for an
    estimate; null where they are."""
    if client_count < ENOUGH_CLIENTS:
        return FEW
    if share is None:
        return CONSTANT
    return DOMINATED if share > MOST_OF_ONE else None


def why_no_odds(predictor: pl.Series, is_so: pl.Series) -> str | None:
    """Why there are no log-odds of an event, of one row per client, beside what `why_none` says; null where there
    are."""
    events = int(is_so.sum())
    if min(events, len(is_so) - events) < ENOUGH_OF_EACH:
        return FEW_EVENTS
    cells = pl.DataFrame({"predictor": predictor, "is_so": is_so}).group_by("predictor", "is_so").len()
    if predictor.n_unique() == 2 and (cells.height < 4 or min(cells["len"]) < ENOUGH_IN_CELL):
        return SMALL_CELL
    return SEPARATED if _separates(predictor, is_so) else None


def _separates(predictor: pl.Series, is_so: pl.Series) -> bool:
    """Whether all of one kind lie above (or at) all of the other: then no estimate is finite."""
    with_it, without = predictor.filter(is_so).to_list(), predictor.filter(~is_so).to_list()
    return bool(min(with_it) >= max(without) or max(with_it) <= min(without))


def estimated(estimate: float, error: float, low: float, high: float, **more: float) -> Found:
    """An estimate with its error and interval, to nine places; or why there is none, where it has no error."""
    if not (error > NO_WIDTH and high - low > NO_WIDTH):
        return {"why_no_estimate": NO_ERROR}
    made = {"estimate": estimate, "standard_error": error, "low": low, "high": high, **more}
    return {name: round(value, 9) for name, value in made.items()}


def with_width(ends: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """The two ends of an interval, in their order; both null where they do not differ."""
    (low, low_end), (high, high_end) = ends.items()
    is_wide = high_end - low_end > NO_WIDTH
    return {low: pl.when(is_wide).then(low_end), high: pl.when(is_wide).then(high_end)}

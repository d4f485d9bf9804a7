"""The conventions of every estimate of the clinic: the clients that count, least numbers, and missing estimates.

The independent unit is the client. A client counts once, with the first episode that qualifies. Where a client has
several rows, errors are clustered by client. The limits are Rapport's own, except the events of a logistic regression.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rapport.warehouse.schema.columns import NO_ESTIMATE, NO_WIDTH

Z_95 = 1.959964
ENOUGH_CLIENTS = 30  # clients that carry information
ENOUGH_OF_EACH = 10  # events, and non-events: Peduzzi et al. 1996, J Clin Epidemiol 49:1373-1379 (recalled)
ENOUGH_IN_CELL = 5  # clients, in each of the four cells of a predictor of two values and an event
MOST_OF_ONE = 0.5  # one client's largest share of the predictor's sum of squares
FEW, FEW_EVENTS, SMALL_CELL, CONSTANT, SEPARATED, DOMINATED, NO_ERROR = NO_ESTIMATE

Found = dict[str, float | str | None]


def first_of_clients(rows: pl.LazyFrame, *by: str) -> pl.LazyFrame:
    """Return of each client (for each value of `by`) the row of the first episode, by episode_number."""
    return rows.sort("episode_number").unique(["client_id", *by], keep="first", maintain_order=True)


def largest_share(predictor: pl.Series) -> float | None:
    """Return the largest client's share of the sum of squares about the mean, for one value per client; None where the
    sum is 0."""
    if not varies(predictor):
        return None
    values = predictor.cast(pl.Float64).sort().to_numpy()  # sorted: the sums do not depend on the order of rows
    squares = (values - values.mean()) ** 2
    return round(float(squares.max() / squares.sum()), 9)


def varies(values: pl.Series) -> bool:
    """Return whether values differ by more than NO_WIDTH."""
    known = values.cast(pl.Float64).drop_nulls().to_numpy()
    return len(known) > 1 and bool(known.max() - known.min() > NO_WIDTH)


def why_none(client_count: int, share: float | None) -> str | None:
    """Return why there is no estimate from this number of clients and the largest client's share of the predictor's sum
    of squares; None where there is one."""
    if client_count < ENOUGH_CLIENTS:
        return FEW
    if share is None:
        return CONSTANT
    return DOMINATED if share > MOST_OF_ONE else None


def why_no_odds(predictor: pl.Series, is_so: pl.Series) -> str | None:
    """Return why there are no log-odds of an event, for one row per client, after the checks of `why_none`; None where
    there are."""
    events = int(is_so.sum())
    if min(events, len(is_so) - events) < ENOUGH_OF_EACH:
        return FEW_EVENTS
    cells = pl.DataFrame({"predictor": predictor, "is_so": is_so}).group_by("predictor", "is_so").len()
    if predictor.n_unique() == 2 and (cells.height < 4 or min(cells["len"]) < ENOUGH_IN_CELL):
        return SMALL_CELL
    return SEPARATED if _separates(predictor, is_so) else None


def _separates(predictor: pl.Series, is_so: pl.Series) -> bool:
    """Return whether the predictor separates the two groups: then no estimate is finite."""
    with_it, without = predictor.filter(is_so).to_list(), predictor.filter(~is_so).to_list()
    return bool(min(with_it) >= max(without) or max(with_it) <= min(without))


def estimated(estimate: float, error: float, low: float, high: float, **more: float) -> Found:
    """Return an estimate with its error and interval, to nine places; or why_no_estimate where it has no error."""
    if not (error > NO_WIDTH and high - low > NO_WIDTH):
        return {"why_no_estimate": NO_ERROR}
    made = {"estimate": estimate, "standard_error": error, "low": low, "high": high, **more}
    return {name: round(value, 9) for name, value in made.items()}


def with_width(ends: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Return the two ends of an interval, in order; both null where they are equal."""
    (low, low_end), (high, high_end) = ends.items()
    is_wide = high_end - low_end > NO_WIDTH
    return {low: pl.when(is_wide).then(low_end), high: pl.when(is_wide).then(high_end)}

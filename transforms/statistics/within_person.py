"""Effects within persons: least squares after every episode's own mean is taken out of all variables (dummies)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from rapport.warehouse.schema.columns import NO_WIDTH


@dataclass(frozen=True)
class Within:
    """A coefficient and its standard error (0 or NaN where there is none). `largest_share`: the largest client's share
    of the predictor's sum of squares after the other terms are taken out."""

    estimate: float
    standard_error: float
    largest_share: float


def centred(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the columns minus their means within the `episode`, and `client` as a number from 0."""
    episodes = (rows["episode"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    counts = np.bincount(episodes)

    def own_mean(values: np.ndarray) -> np.ndarray:
        return np.asarray((np.bincount(episodes, weights=values) / counts)[episodes])

    values = {name: rows[name].cast(pl.Float64).to_numpy() for name in names}
    client = rows["client"].rank("dense").cast(pl.Int64) - 1
    return pl.DataFrame({"client": client} | {name: each - own_mean(each) for name, each in values.items()})


def within(told: pl.DataFrame, outcome: str, cause: str, others: Sequence[str] = ()) -> Within | None:
    """Return the coefficient of `cause` on `outcome`, with `others` in the model, all `centred`. Errors are clustered
    by client, with the usual correction for few clusters (Cameron & Miller 2015, J Hum Resour 50:317-372, VI.D): the
    dummies are nested in the clusters and do not count. None with fewer than two clients or too few rows, and where the
    cause does not vary given the others."""
    client_count, terms = told["client"].n_unique(), 1 + len(others)
    if client_count < 2 or told.height <= terms:
        return None
    effect, predictor = told[outcome].to_numpy(), told[cause].to_numpy()
    beside = _of_unit_length(told.select(others).to_numpy()) if others else np.empty((told.height, 0))
    own = _left_of(predictor, beside)
    squares = own @ own
    if not squares > NO_WIDTH * max(1.0, predictor @ predictor):
        return None
    estimate = own @ effect / squares
    left = _left_of(effect, beside) - estimate * own
    clients = told["client"].to_numpy()
    scores = np.bincount(clients, weights=own * left)
    few = client_count / (client_count - 1) * (told.height - 1) / (told.height - terms)
    share = np.bincount(clients, weights=own * own).max() / squares
    return Within(float(estimate), float(np.sqrt(few * scores @ scores) / squares), float(share))


def _of_unit_length(columns: np.ndarray) -> np.ndarray:
    """Return columns scaled to unit length, so that products lose no digits. A column without variance stays 0."""
    length = np.sqrt((columns**2).sum(axis=0))
    return columns / np.where(length > 0, length, 1.0)


def _left_of(values: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Return the residuals of a column's regression on the other terms (Frisch & Waugh 1933, Econometrica
    1:387-401)."""
    inverse = np.linalg.pinv(beside.T @ beside, rcond=1e-12, hermitian=True)
    return np.asarray(values - beside @ (inverse @ (beside.T @ values)))

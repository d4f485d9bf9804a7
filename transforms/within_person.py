"""Effects within persons: least squares after every person's own mean is taken out of everything (person dummies)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl


def centred(rows: pl.DataFrame, names: Sequence[str], person: str) -> pl.DataFrame:
    """The columns less their persons' means; `person` as a number."""
    number = rows[person].rank("dense").cast(pl.Int64) - 1
    places = number.to_numpy()
    counts = np.bincount(places)

    def own_mean(values: np.ndarray) -> np.ndarray:
        return (np.bincount(places, weights=values) / counts)[places]

    values = {name: rows[name].cast(pl.Float64).to_numpy() for name in names}
    return pl.DataFrame({"person": number} | {name: each - own_mean(each) for name, each in values.items()})


def within(told: pl.DataFrame, outcome: str, effects: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Coefficient and standard error of each of `effects` on `outcome`, both `centred`; errors are clustered by person,
    with the usual correction for few of them (Cameron & Miller 2015, J Hum Resour 50:317-372). Empty where they cannot
    be estimated: too few rows, or nothing varies within persons."""
    persons = told["person"].n_unique()
    varied = all((told[name].abs().max() or 0) > 1e-9 for name in effects)
    if not varied or persons < 2 or told.height <= len(effects):
        return {}
    cause, effect = told.select(effects).to_numpy(), told[outcome].to_numpy()
    spread = np.sqrt((cause**2).sum(axis=0))
    cause = cause / spread  # in like units, so that products lose no digits
    inverse = np.linalg.pinv(cause.T @ cause, rcond=1e-12, hermitian=True)
    found = inverse @ (cause.T @ effect)
    left = effect - cause @ found
    places = told["person"].to_numpy()
    scores = np.column_stack([np.bincount(places, weights=each * left) for each in cause.T])
    few = persons / (persons - 1) * (told.height - 1) / (told.height - len(effects))
    errors = np.sqrt(few * np.diag(inverse @ (scores.T @ scores) @ inverse))
    return {
        name: (float(one), float(error))
        for name, one, error in zip(effects, found / spread, errors / spread, strict=True)
    }

"""Effects within persons: least squares after every person's own mean is taken out of everything (person dummies)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def within(rows: pl.DataFrame, outcome: str, effects: Sequence[str], person: str) -> dict[str, tuple[float, float]]:
    """Coefficient and standard error of each of `effects` on `outcome`, person dummies taken into account; errors are
    clustered by person. Empty where they cannot be estimated: too few rows, or nothing varies within persons."""
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415  costly to import

    names = [outcome, *effects]
    centred = rows.select(
        pl.col(person).rank("dense").alias("person"), *(pl.col(n) - pl.col(n).mean().over(person) for n in names)
    )
    varied = [name for name in effects if (centred[name].abs().max() or 0) > 1e-9]
    if len(varied) < len(effects) or centred["person"].n_unique() < 2:
        return {}
    groups = centred["person"].to_numpy()
    fitted = OLS(centred[outcome].to_numpy(), centred.select(effects).to_numpy()).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True}
    )
    return {name: (float(fitted.params[at]), float(fitted.bse[at])) for at, name in enumerate(effects)}

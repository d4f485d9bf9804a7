"""The crosswalk: whose pseudonym is whose, and when clients were born. It lives in the private tree alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl

CROSSWALK = {
    "kind": pl.String,
    "id_space": pl.String,
    "number": pl.String,
    "pseudonym": pl.String,
    "birth_date": pl.Date,
    "born_at_export": pl.Datetime("us", "UTC"),
}


def open_crosswalk(link: Path) -> pl.DataFrame:
    """Everybody met so far: kind, id_space, number (the raw id), pseudonym, birth_date; empty at first."""
    return pl.read_parquet(link) if link.exists() else pl.DataFrame(schema=CROSSWALK)


def add_people(known: pl.DataFrame, met: pl.DataFrame, births: list[pl.DataFrame]) -> pl.DataFrame:
    """The crosswalk with the people met tonight, and with the birth date of each that the newest export gives."""
    born = pl.concat([known.select("pseudonym", "birth_date", "born_at_export"), *births])
    newest = born.drop_nulls("birth_date").sort("born_at_export", maintain_order=True).unique("pseudonym", keep="last")
    people = pl.concat([known.select(list(CROSSWALK)[:4]), met])
    numbers = ["kind", "id_space", "number"]
    return (
        people.unique(numbers, keep="last", maintain_order=True)
        .sort("pseudonym", *numbers)
        .join(newest, on="pseudonym", how="left")
    )


def birth_dates(crosswalk: pl.DataFrame) -> pl.LazyFrame:
    """client_id and birth_date, as the tables read them."""
    people = crosswalk.lazy().unique("pseudonym", keep="first", maintain_order=True)
    return people.select("birth_date", client_id=pl.col("pseudonym").str.decode("hex"))

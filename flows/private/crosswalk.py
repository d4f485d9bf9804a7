"""The crosswalk: the pseudonym of each number, and the birth dates of clients. It is in the private tree only."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import polars as pl

from rapport.warehouse.clinic_file.identifiers import identified
from rapport.warehouse.errors import Damaged
from rapport.warehouse.places.digests import is_as_written
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import damaged, kept_versions, load_of, version_of
from rapport.warehouse.store.parquet import read_parquet

CROSSWALK: dict[str, type[pl.DataType] | pl.DataType] = {
    "kind": pl.String,
    "id_space": pl.String,
    "number": pl.String,
    "pseudonym": pl.String,
    "birth_date": pl.Date,
    "born_at_export": pl.Datetime("us", "UTC"),
}


def read_crosswalk(version: Path) -> pl.DataFrame:
    """Read one version of the crosswalk. Raises Damaged."""
    if not is_as_written(version):
        raise damaged(version)
    try:
        with version.open("rb") as file:
            return read_parquet(file).select(pl.col(name).cast(kind) for name, kind in CROSSWALK.items())
    except (ValueError, pl.exceptions.PolarsError):
        raise damaged(version) from None


def crosswalk_of(folders: Folders, load_id: int) -> pl.DataFrame:
    """Return all people up to a load: kind, id_space (its first name), number (the raw id), pseudonym, birth_date.
    Empty before the first load. Raises Damaged where the file is damaged or was not kept."""
    if load_id == 0:
        return pl.DataFrame(schema=CROSSWALK)
    version = version_of(folders.crosswalk, load_id)
    if version is None:
        raise Damaged(
            f"the crosswalk of load {load_id} is missing in private/versions; publish a kept version again (restore "
            "lists them), or bring the file back from a backup",
            folders.crosswalk.parent / "versions",
        )
    return read_crosswalk(version)


def everybody_kept(folders: Folders) -> pl.DataFrame:
    """The people of every kept crosswalk that can be read. A restored load may know fewer people than others."""
    kept = [pl.DataFrame(schema=CROSSWALK)]
    for version in kept_versions(folders.crosswalk):
        with suppress(Damaged):
            kept.append(read_crosswalk(version))
    return pl.concat(kept).unique(["kind", "id_space", "number", "pseudonym"])


def numbers_of(people: pl.DataFrame, first: str) -> set[str]:
    """The clients' numbers of a space in a crosswalk, as Rapport reads them now."""
    found = people.filter(pl.col("kind") == "client", pl.col("id_space") == first)["number"].str.strip_chars()
    return set(pl.select(pl.coalesce(identified(found).ids, found)).to_series())


def damaged_crosswalks(folders: Folders) -> list[Damaged]:
    """An error for each kept crosswalk that cannot be read. A person may be in that file only."""
    found = []
    for version in kept_versions(folders.crosswalk):
        try:
            read_crosswalk(version)
        except Damaged as damaged_one:
            found.append(damaged_one)
    return found


def crosswalk_restored(folders: Folders, known: pl.DataFrame, current: int) -> tuple[pl.DataFrame, bool]:
    """Return the crosswalk for a load that is published again, and whether the current load's crosswalk was used.
    People of later loads are added. The people of the old load keep their old birth dates. Where the current crosswalk
    is damaged, the newest one that can be read is used."""
    for version in reversed(kept_versions(folders.crosswalk)):
        if load_of(version) <= current:
            with suppress(Damaged):
                return _with_birth_dates_of(known, read_crosswalk(version)), load_of(version) == current
    return known, False


def _with_birth_dates_of(known: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    born = _one_each(known).select("pseudonym", "birth_date", "born_at_export")
    since = met.join(born, on="pseudonym", how="anti", maintain_order="left")
    again = met.drop("birth_date", "born_at_export").join(born, on="pseudonym", maintain_order="left")
    return pl.concat([again.select(list(CROSSWALK)), since])


def add_people(known: pl.DataFrame, met: pl.DataFrame, births: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The crosswalk with tonight's people, and with the birth dates of the newest export."""
    born = pl.concat([known.select("pseudonym", "birth_date", "born_at_export"), *births])
    newest = born.drop_nulls("birth_date").sort("born_at_export", maintain_order=True).unique("pseudonym", keep="last")
    people = pl.concat([known.select(list(CROSSWALK)[:4]), met])
    numbers = ["kind", "id_space", "number"]
    return (
        people.unique(numbers, keep="last", maintain_order=True)
        .sort("pseudonym", *numbers)
        .join(newest, on="pseudonym", how="left")
    )


def _one_each(crosswalk: pl.DataFrame) -> pl.DataFrame:
    """One row per person: the first of their numbers."""
    return crosswalk.unique("pseudonym", keep="first", maintain_order=True)


def birth_dates(crosswalk: pl.DataFrame) -> pl.DataFrame:
    """client_id and birth_date, for the tables."""
    return _one_each(crosswalk).select("birth_date", client_id=pl.col("pseudonym").str.decode("hex"))


def born_otherwise(before: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    """The people whose birth date has changed: a second source, or a link between two numbers, decides it now."""
    both = birth_dates(crosswalk).join(before, on="client_id", suffix="_before")
    return both.filter(pl.col("birth_date").ne_missing(pl.col("birth_date_before"))).select("client_id")

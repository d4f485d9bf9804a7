"""Qualtrics: three header rows (name, text, ImportId), or the older two. Previews and tests are no responses.

The text is in the user's language, so nothing is matched by it. Columns are found by name, or by ImportId, which stays
when a column is renamed: endDate, _recordId, QID1. The zone of the times is in the ImportId row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from rapport.transforms.sources import wide
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import Header
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused

NO_RESPONSE = ["1", "2", "survey preview", "survey test"]
# The legacy export's second row names the columns V1 to V10.
LEGACY = {
    "ResponseID": "_recordId",
    "StartDate": "startDate",
    "EndDate": "endDate",
    "Finished": "finished",
    "Status": "status",
    "ExternalDataReference": "externalDataReference",
}


def header(heads: list[list[str]]) -> Header:
    """The names, with the ImportIds as other names of the same columns. Raises Refused for any other header."""
    names = heads[0]
    imports = [_import(cell) for cell in heads[2]] if len(heads) > 2 else []
    if any(imports):
        aliases = {found["ImportId"]: place for place, found in enumerate(imports) if found}
        zones = {str(found["timeZone"]) for found in imports if found and found.get("timeZone")}
        if len(zones) > 1:
            raise Refused("has times in several zones (its ImportId row); export it in one")
        return Header(names, 3, aliases, _zone(zones.pop()) if zones else None)
    second = heads[1] if len(heads) > 1 else []
    if "ResponseID" in second:
        return Header(names, 2, {LEGACY[cell]: place for place, cell in enumerate(second) if cell in LEGACY})
    raise Refused("has neither the ImportId row of a Qualtrics export nor the two header rows of a legacy one")


def _import(cell: str) -> dict[str, Any] | None:
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("ImportId"), str) else None


def _zone(told: str) -> str:
    return "UTC" if told in ("Z", "UTC") else told


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Responses. Previews and tests are ignored, and counted as ignored."""
    if export.has("status"):
        export.need(["status"])
        export.chunks = map(_answered, export.chunks)
    yield from wide.read(export, replace(source, time_zone=export.time_zone or source.time_zone), tallies)


def _answered(chunk: pl.DataFrame) -> pl.DataFrame:
    word = pl.col("status").str.strip_chars().str.to_lowercase()
    return chunk.filter(~word.is_in(NO_RESPONSE).fill_null(False))

"""Looks up records by former texts of their ids, so that each stays one record.

The history keeps a keyed hash of a record's id, and not its text. So the possible former texts are hashed again, where
a source has records from before its ids were read in the present way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from rapport.flows.steps.changed_definitions import how_ids_are_read
from rapport.flows.workbench import Workbench
from rapport.transforms.pseudonyms import former_references, former_text_ids
from rapport.warehouse.clinic_file.identifiers import other_writings
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.derived.definitions import used_since
from rapport.warehouse.history import former_ids

OF_RECORDS = {
    "appointments": ("appointment",),
    "responses": ("response", "appointment", "rater"),
    "episodes": ("episode",),
    "clients": (),
}


def stage_former_texts(
    bench: Workbench,
    source: Source,
    kind: str,
    frame: pl.DataFrame,
    client_ids: pl.Series,
    texts: Mapping[str, Sequence[pl.DataFrame]],
) -> None:
    """Stage the former ids of a reader's rows. `texts`: by kind of id, the texts now and before, from the reader."""
    former = dict(_former(bench, source, kind, frame, texts))
    if not former or not _has_older(bench, source):
        return
    names = bench.pseudonyms
    former_ids.stage(bench.con, source.name, kind, former_text_ids(kind, frame, client_ids, source, former, names))
    if kind == "responses":
        named = former_references(frame, client_ids, source, former, names)
        former_ids.stage_references(bench.con, source.name, named)


def _former(
    bench: Workbench, source: Source, kind: str, frame: pl.DataFrame, texts: Mapping[str, Sequence[pl.DataFrame]]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """For each kind of id of the rows: its texts now and before. Where people of the space were known by other texts,
    its records may have been too, whatever tonight's file writes."""
    first = bench.order.clinic.spaces.first_name(source.id_space)
    may_differ = any(space == first for space, _ in bench.pseudonyms.aliases.numbers)
    for of in OF_RECORDS[kind]:
        known = [*texts.get(of, ())]
        if may_differ:
            known.append(_others(frame[f"{of}_id"]))
        if known and (both := pl.concat(known).unique()).height:
            yield of, both


def _others(ids: pl.Series) -> pl.DataFrame:
    pairs = [(each, other) for each in ids.unique().drop_nulls() for other in other_writings(each)]
    return pl.DataFrame(pairs, {"now": pl.String, "before": pl.String}, orient="row")


def _has_older(bench: Workbench, source: Source) -> bool:
    since = used_since(bench.con, "ids", source.name, how_ids_are_read(source), bench.load_id)
    return former_ids.has_older(bench.con, source.name, since)

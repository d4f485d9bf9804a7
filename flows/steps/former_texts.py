"""Records that are known under another text of their ids: they are looked up under it, and stay one record each.

Of a record nobody keeps the id's text, only a keyed hash: what it may have been is hashed again, where a source has
something from before its ids were read as they are now.
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
    """Stage by which ids a reader's rows were known. `texts`: by kind of id, now and before, as the reader met them."""
    told = dict(_told(bench, source, kind, frame, texts))
    if not told or not _has_older(bench, source):
        return
    names = bench.pseudonyms
    former_ids.stage(bench.con, source.name, kind, former_text_ids(kind, frame, client_ids, source, told, names))
    if kind == "responses":
        named = former_references(frame, client_ids, source, told, names)
        former_ids.stage_references(bench.con, source.name, named)


def _told(
    bench: Workbench, source: Source, kind: str, frame: pl.DataFrame, texts: Mapping[str, Sequence[pl.DataFrame]]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Now and before, of each kind of id that the rows have. Where the space's people were known by other texts, so may
    its records have been, though tonight's file writes them otherwise."""
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

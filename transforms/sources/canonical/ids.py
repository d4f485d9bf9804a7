"""Ids, cast over a chunk's distinct texts. A record whose id names nobody is held.

Every id of every reader goes through `with_ids`. Earlier versions of Rapport only stripped an id's text. Their text is
kept beside the new one, because the record may be known under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from rapport.transforms.sources.canonical.casts import Dialect, words
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.shape import LOST, cell
from rapport.warehouse.clinic_file.identifiers import PLAIN, identified
from rapport.warehouse.schema.records import held_by

SEPARATOR = "\x1f"  # between the parts of an id from several columns
KIND_OF = {
    f"{kind}_id": kind for kind in ("client", "therapist", "rater", "appointment", "response", "episode")
}  # the kind of an id, by its canonical column


def with_ids(
    chunk: pl.DataFrame, wanted: Mapping[str, tuple[str, Iterable[str]]], dialect: Dialect, tallies: Tallies
) -> pl.DataFrame:
    """The chunk with columns of ids; the same chunk where nothing changes.

    `wanted`: new column -> the canonical column, and the columns that it comes from. Where a part is missing there is
    no id. A refused id is named in LOST.
    """
    for name, (canonical, columns) in wanted.items():
        raw = [chunk[column] for column in columns]
        writing = dialect.writing if canonical == "client_id" else PLAIN
        made = [identified(each, writing, may_be_local=dialect.has_local_references) for each in raw]
        ids = _without(_joined([each.ids for each in made]), words(dialect))
        if any(each.ids is not text for each, text in zip(made, raw, strict=True)):
            note_former(tallies, KIND_OF[canonical], ids, _joined([text.str.strip_chars() for text in raw]))
            if writing != PLAIN:
                note_former(tallies, KIND_OF[canonical], ids, _joined([identified(text).ids for text in raw]))
        if ids is not raw[0] or name not in columns:
            chunk = chunk.with_columns(ids.alias(name))
        for each in made:
            if each.refusals is not None:
                chunk = _with_refused(chunk, each.refusals, canonical)
    return chunk


def formerly(columns: Iterable[str], dialect: Dialect) -> pl.Expr:
    """The id of a record's client for an earlier version of Rapport, which only stripped the text."""
    parts = [cell(column).str.strip_chars() for column in columns]
    known = [pl.when(~part.is_in(["", *words(dialect)])).then(part) for part in parts]
    return known[0] if len(known) == 1 else pl.concat_str(known, separator=SEPARATOR)


def with_made_id(
    rows: pl.DataFrame,
    name: str,
    kind: str,
    made: Callable[[pl.Expr], pl.Expr],
    client: pl.Expr,
    before: pl.Expr,
    tallies: Tallies,
) -> pl.DataFrame:
    """Rows with an id for records that have none of their own, made from the client's id.

    The old made id is noted for those whose client had another text before.
    """
    rows = rows.with_columns(made(client).alias(name))
    changed = rows.filter(before.ne_missing(client))
    if changed.height:
        note_former(tallies, kind, changed[name], changed.select(made(before).alias(name)).to_series())
    return rows


def own_ids(names: Iterable[str]) -> dict[str, tuple[str, tuple[str]]]:
    """`with_ids` for columns that have their canonical names already."""
    return {name: (name, (name,)) for name in names if name in KIND_OF}


def note_former(tallies: Tallies, kind: str, ids: pl.Series, before: pl.Series) -> None:
    """Note the other texts under which ids were known."""
    told = pl.DataFrame({"now": ids, "before": before}).drop_nulls()
    told = told.filter(pl.col("now") != pl.col("before"))
    if told.height:
        tallies.former_texts.setdefault(kind, []).append(told.unique())


def _joined(parts: list[pl.Series]) -> pl.Series:
    if len(parts) == 1:
        return parts[0]
    frame = pl.DataFrame({str(place): part for place, part in enumerate(parts)})
    return frame.select(pl.concat_str(pl.all(), separator=SEPARATOR)).to_series()


def _without(ids: pl.Series, nulls: list[str]) -> pl.Series:
    return ids.replace(nulls, [None] * len(nulls)) if nulls and ids.is_in(nulls).any() else ids


def _with_refused(chunk: pl.DataFrame, refusals: pl.Series, canonical: str) -> pl.DataFrame:
    told = refusals.to_frame("refusal").select(
        pl.when(pl.col("refusal").is_not_null())
        .then(pl.concat_list(pl.format(held_by("{}", canonical), "refusal")))
        .alias("refused")
    )
    before = pl.col(LOST) if LOST in chunk.columns else pl.lit(None, pl.List(pl.String))
    refused = told.to_series()
    return chunk.with_columns(
        pl.when(before.is_null())
        .then(refused)
        .when(pl.lit(refused).is_null())
        .then(before)
        .otherwise(pl.concat_list(before, refused))
        .alias(LOST)
    )

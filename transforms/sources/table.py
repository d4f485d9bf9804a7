"""Any system's table. clinic.toml or a preset names its columns and translates its words; then it is the plain format.

A canonical column may be several columns of the export, joined by a blank (date and time; last and first name), or one
value for every record (constants). Missing ids of appointments and responses are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import polars as pl
from polars import selectors as cs

from rapport.transforms.sources.canonical import dates
from rapport.transforms.sources.canonical.appointment_rows import with_minutes
from rapport.transforms.sources.canonical.casts import Dialect
from rapport.transforms.sources.canonical.ids import KIND_OF, SEPARATOR, note_former, own_ids, with_ids
from rapport.transforms.sources.canonical.midnights import WRITTEN
from rapport.transforms.sources.canonical.status_words import plain
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import BESIDE, MARK, cell
from rapport.transforms.sources.plain import NEEDED, OPTIONAL, TIMES, canonical
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused

_NO_TIME = r"(?i)[ T]+(00:00|0:00|12:00)(:00)?(\.0+)?\s*(am)?$"
_NO_DATE = r"^(1899-12-3[01]|1900-01-0[01]|(12/)?3[01][/.]1?2?[/.]?1899|1/[01]/1900)[ T]+"
ALSO: dict[str, tuple[str, ...]] = {"appointments": ("ends_at",)}
# The parts of a made id, for a record without its own.
MADE = {
    "appointment_id": ("client_id", "therapist_id", "starts_at"),
    "response_id": ("client_id", "instrument", "rater", "completed_at"),
    "episode_id": ("client_id", "opened_on"),
}


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Canonical rows of a mapped table. Raises Refused when a column is missing."""
    if not export.header:
        return
    mapped = _mapped(export, source)
    needed = {name for name in mapped if name in NEEDED[source.only_kind]}
    export.need(column for name in mapped if name in needed for column in mapped[name])
    export.need(source.status.columns if source.status else ())
    export.need_mapped(column for name in mapped if name not in needed for column in mapped[name])
    parts = {MARK + name: mapped[name] for name in TIMES & mapped.keys() if len(mapped[name]) > 1}
    mapped |= {name.removeprefix(MARK): (name,) for name in parts}
    times = [mapped[name][0] for name in TIMES & mapped.keys()]
    dialect = Dialect(source.time_zone, source.nulls, source.decimal, source.writing)
    whole = _with_whole_times(export, parts) if parts else export
    named = (
        _named(_with_written(chunk, mapped, parts), mapped, source)
        for chunk in dates.in_iso(whole, times, source.dates, dialect)
    )
    chunks = (_with_ids(chunk, source, dialect, tallies) for chunk in named)
    yield from canonical(source.only_kind, chunks, dialect, tallies, source.status)


def read_known(
    export: Export, source: Source, tallies: Tallies, columns: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments of a system whose columns a module knows. The columns in clinic.toml win.

    `columns`: the plain format's names = the export's, without status. The fact sheet names the status column in
    [source.status] where it has another name.
    """
    known = {name: (column,) for name, column in columns.items() if name not in source.constants}
    yield from read(export, replace(source, columns={**known, **source.columns}), tallies)


def _with_whole_times(export: Export, parts: dict[str, tuple[str, ...]]) -> Export:
    """The file with one column for a time that has several: a date, and a time of day, also with AM or PM."""
    joined = [_whole_time(columns).alias(name) for name, columns in parts.items()]
    chunks = (chunk.with_columns(joined) for chunk in export.chunks)
    made = Export(export.path, [*export.header, *parts], chunks, aliases=export.aliases, lines=export.lines)
    made.absent = export.absent
    if again := export.again:
        made.again = lambda: _with_whole_times(_needing(again(), export.wanted), parts)
    return made


def _needing(export: Export, columns: Iterable[str]) -> Export:
    export.need(columns)
    return export


def _whole_time(columns: tuple[str, ...]) -> pl.Expr:
    """A date and a time of day together, without the midnight that a program adds to a date, or the date that it adds
    to a time of day.
    """
    day, *others = (cell(column).str.strip_chars().replace("", None) for column in columns)
    of_day = [other.str.replace(_NO_DATE, "") for other in others]
    is_told = pl.any_horizontal(other.is_not_null() for other in of_day)
    bare = pl.when(is_told).then(day.str.replace(_NO_TIME, "")).otherwise(day)
    return pl.concat_str([bare, *of_day], separator=" ", ignore_nulls=True).replace("", None)


def _with_written(
    chunk: pl.DataFrame, mapped: dict[str, tuple[str, ...]], parts: dict[str, tuple[str, ...]]
) -> pl.DataFrame:
    """With the text of each time from which ids are made: an id must not change with the way times are read."""
    made = {}
    for name in TIMES & mapped.keys():
        column = mapped[name][0]
        if column in parts:
            others = (cell(other).str.strip_chars().replace("", None) for other in parts[column][1:])
            made[WRITTEN + name] = pl.concat_str(
                [cell(column).str.slice(0, 10), *others], separator=" ", ignore_nulls=True
            )
        elif WRITTEN + column in chunk.columns:
            made[WRITTEN + name] = cell(WRITTEN + column)
    return chunk.with_columns(**made)


def _mapped(export: Export, source: Source) -> dict[str, tuple[str, ...]]:
    """The export's columns of each canonical column. Raises Refused for a needed one."""
    kind = source.only_kind
    known = [name for name in (*NEEDED[kind], *OPTIONAL[kind], *ALSO.get(kind, ())) if name != "status"]
    if wrong := sorted({*source.columns, *source.constants} - {*known, "status"}):
        raise Refused(f"cannot fill '{wrong[0]}': {kind} have {', '.join(known)}; correct clinic.toml (columns)")
    mapped = {name: source.columns.get(name) or (name,) for name in known if name not in source.constants}
    needed = {name for name in (*source.columns, *NEEDED[kind]) if name in source.columns or name not in MADE}
    return {name: columns for name, columns in mapped.items() if name in needed or export.want(columns) == [*columns]}


def _named(chunk: pl.DataFrame, mapped: dict[str, tuple[str, ...]], source: Source) -> pl.DataFrame:
    """The chunk with canonical names; the words of a status beside it, not translated."""
    made = {name: _joined(columns) for name, columns in mapped.items()}
    made |= {name: pl.lit(value) for name, value in source.constants.items()}
    for name, words in source.words.items():
        if name in made:
            made[name] = _translated(made[name], words)
    if source.status:
        made |= {f"status {place}": cell(column) for place, column in enumerate(source.status.columns)}
    return with_minutes(chunk.select(BESIDE, cs.starts_with(WRITTEN), **made))


def _joined(columns: tuple[str, ...]) -> pl.Expr:
    if len(columns) == 1:
        return cell(columns[0])
    joined = pl.concat_str((cell(each).str.strip_chars() for each in columns), separator=" ", ignore_nulls=True)
    return joined.str.strip_chars()


def _translated(column: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    """A word in the clinic's terms. A word without a translation stays as it is."""
    bare = column.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    known = {plain(word): meaning for word, meaning in words.items()}
    return pl.coalesce(bare.replace_strict(known, default=None, return_dtype=pl.String), column)


def _with_ids(named: pl.DataFrame, source: Source, dialect: Dialect, tallies: Tallies) -> pl.DataFrame:
    """Ids as they are read. A record without an id gets a made one: source, client, time, and its number among equal
    ones.
    """
    read = with_ids(named, own_ids(named.columns), dialect, tallies)
    has_changed = read is not named
    for name in MADE:
        if name in NEEDED[source.only_kind] and name not in named.columns:
            read = read.with_columns(_made_id(name, read, source))
            if has_changed:
                note_former(tallies, KIND_OF[name], read[name], _made_id(name, named, source).str.strip_chars())
    return read.drop(cs.starts_with(WRITTEN))


def _made_id(name: str, named: pl.DataFrame, source: Source) -> pl.Series:
    told = (WRITTEN + each if WRITTEN + each in named.columns else each for each in MADE[name])
    parts = [cell(each).fill_null("") for each in told if each in named.columns]
    made = named.select(pl.concat_str(pl.lit(source.name), *parts, separator=SEPARATOR).alias(name))
    if name != "response_id":
        turn = pl.int_range(pl.len()).over(name).cast(pl.String)
        made = made.select(pl.concat_str(name, turn, separator=SEPARATOR))
    return made.to_series()

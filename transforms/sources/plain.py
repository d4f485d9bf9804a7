"""The plain format, which every system can export: one file of appointments, responses, episodes or clients.

Times are ISO 8601 with an offset, or local times of the source's zone. Numbers have a decimal point. Empty means null.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources.canonical import answers, appointment_rows
from rapport.transforms.sources.canonical.appointment_rows import count_texts
from rapport.transforms.sources.canonical.bounds import out_of_time
from rapport.transforms.sources.canonical.casts import (
    Dialect,
    day,
    listed,
    of_records,
    typed,
    unreadable,
    word,
)
from rapport.transforms.sources.canonical.dates import in_iso
from rapport.transforms.sources.canonical.ids import own_ids, with_ids
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.clinic_file.statuses import Statuses
from rapport.warehouse.schema.columns import CLOSURES, SEXES

NEEDED = {
    "appointments": ["appointment_id", "client_id", "starts_at", "status"],
    "responses": ["response_id", "client_id", "instrument", "rater", "completed_at", "item", "value"],
    "episodes": ["episode_id", "client_id", "opened_on"],
    "clients": ["client_id"],
}
OPTIONAL = {
    "appointments": ["therapist_id", "duration_minutes", "cancelled_at", "service", "modality", "site"],
    "responses": ["rater_id", "therapist_id", "appointment_id", "seconds", "about"],
    "episodes": ["closed_on", "closure", "presenting_problem", "program", "referral_source"],
    "clients": ["birth_date", "sex"],
}

TIMES = {"starts_at", "ends_at", "cancelled_at", "completed_at", "opened_on", "closed_on", "birth_date"}


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Canonical rows of a plain file. Raises Refused when a needed column is missing."""
    kind = source.only_kind
    export.need(NEEDED[kind])
    present = {*NEEDED[kind], *export.want(OPTIONAL[kind])}
    dialect = Dialect(source.time_zone, source.nulls, source.decimal, source.writing)
    told = in_iso(export, TIMES & present, "iso", dialect)
    chunks = (with_ids(chunk, own_ids(chunk.columns), dialect, tallies) for chunk in told)
    yield from canonical(kind, chunks, dialect, tallies)


def canonical(
    kind: str, chunks: Iterator[pl.DataFrame], dialect: Dialect, tallies: Tallies, statuses: Statuses | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Canonical rows of chunks whose columns have the plain format's names; those that are optional may be absent. Ids
    are read already (canonical/ids.py).

    With statuses, their columns stand beside as `status 0` and so on.

    >>> from datetime import UTC, datetime
    >>> from rapport.transforms.sources.opening.shape import NUMBER
    >>> chunk = pl.DataFrame({NUMBER: [1], "client_id": ["0017"], "birth_date": ["2010-05-06"], "sex": ["Female"]})
    >>> tallies = Tallies(datetime(2026, 1, 31, tzinfo=UTC), lists={}, instruments={})
    >>> [(kind, rows)] = canonical("clients", iter([chunk]), Dialect("Europe/London"), tallies)
    >>> rows.select("record_number", "client_id", "birth_date", "sex", "unreadable").row(0)
    (1, '0017', datetime.date(2010, 5, 6), 'female', None)
    """
    chunks = (_with_absent(chunk, OPTIONAL[kind]) for chunk in chunks)
    if kind == "responses":
        yield from answers.from_items(chunks, dialect, tallies)
        return
    for chunk in chunks:
        if kind == "appointments":
            yield kind, appointment_rows.read(chunk, dialect, tallies, statuses)
        else:
            yield kind, {"episodes": _episodes, "clients": _clients}[kind](chunk, dialect, tallies)


def _with_absent(chunk: pl.DataFrame, optional: list[str]) -> pl.DataFrame:
    absent = [name for name in optional if name not in chunk.columns]
    return chunk.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent) if absent else chunk


def _episodes(chunk: pl.DataFrame, dialect: Dialect, tallies: Tallies) -> pl.DataFrame:
    texts = ["presenting_problem", "program", "referral_source"]
    columns = {
        **of_records(chunk),
        "episode_id": pl.col("episode_id"),
        "client_id": pl.col("client_id"),
        "opened_on": day("opened_on", dialect),
        "closed_on": day("closed_on", dialect),
        "closure": word("closure", CLOSURES, dialect),
        **{name: listed(name, tallies.lists[name], dialect) for name in texts},
    }
    days = {name: day(name, dialect) for name in ("opened_on", "closed_on")}
    flags = {name: unreadable(name, read_as, dialect) for name, read_as in days.items()} | out_of_time(days, tallies)
    frame = typed(chunk.lazy(), columns, flags)
    count_texts(frame, chunk, texts, tallies)
    return frame


def _clients(chunk: pl.DataFrame, dialect: Dialect, tallies: Tallies) -> pl.DataFrame:
    birth = birth_date(day("birth_date", dialect), tallies)
    columns = {
        **of_records(chunk),
        "client_id": pl.col("client_id"),
        "birth_date": birth,
        "sex": word("sex", SEXES, dialect),
    }
    return typed(chunk.lazy(), columns, {"birth_date": unreadable("birth_date", birth, dialect)})


def birth_date(read: pl.Expr, tallies: Tallies) -> pl.Expr:
    """A birth date between 1900 and today. Any other is an error, and is not read."""
    return pl.when((read.dt.year() >= 1900) & (read <= tallies.as_of.date())).then(read)

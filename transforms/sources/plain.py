"""The plain format: what anyone can export. One file of appointments, responses, episodes or clients.

Times are ISO 8601 with an offset, or local times of the source's zone; decimal point; empty means null.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.sources import answers, quick
from transforms.sources.casts import (
    Dialect,
    day,
    identifier,
    listed,
    text,
    typed,
    unreadable,
    word,
)
from transforms.sources.door import RECORD, Opened
from transforms.sources.task import Task
from warehouse.clinic import Source
from warehouse.columns import CLOSURES, SEXES, STATUSES

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


def read(opened: Opened, source: Source, task: Task) -> Iterator[tuple[str, pl.DataFrame]]:
    """Canonical rows of a plain file. Raises Refused when a needed column is missing."""
    kind = source.records
    opened.need(NEEDED[kind])
    present = set(opened.want(OPTIONAL[kind]))
    dialect = Dialect(source.time_zone, source.nulls, source.decimal)
    chunks = (_with_absent(chunk, OPTIONAL[kind], present) for chunk in opened.chunks)
    if kind == "responses":
        yield from answers.from_items(chunks, dialect, task)
        return
    one_row_each = {"appointments": _appointments, "episodes": _episodes, "clients": _clients}[kind]
    for chunk in chunks:
        yield kind, one_row_each(chunk, dialect, task)


def _with_absent(chunk: pl.DataFrame, optional: list[str], present: set[str]) -> pl.DataFrame:
    return chunk.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in optional if name not in present)


_one_record = {RECORD: pl.col(RECORD), "record_count": pl.lit(1, dtype=pl.Int32)}


def _appointments(chunk: pl.DataFrame, dialect: Dialect, task: Task) -> pl.DataFrame:
    texts = ["service", "modality", "site"]
    starts, cancelled = (quick.time(chunk, name, dialect) for name in ("starts_at", "cancelled_at"))
    minutes = quick.number(chunk, "duration_minutes", dialect)
    columns = {
        **_one_record,
        "appointment_id": identifier("appointment_id", dialect),
        "client_id": identifier("client_id", dialect),
        "therapist_id": text("therapist_id", dialect),
        "starts_at": starts.at,
        "starts_local": starts.local,
        "duration_minutes": minutes.value.cast(pl.Int32, strict=False),
        "cancelled_at": cancelled.at,
        "stated": word("status", STATUSES, dialect),
        **{name: listed(name, task.lists[name], dialect) for name in texts},
        "clock_change": starts.change,
    }
    flags = {
        "starts_at": None if starts.is_read else unreadable("starts_at", starts.at, dialect),
        "cancelled_at": None if cancelled.is_read else unreadable("cancelled_at", cancelled.at, dialect),
        "duration_minutes": minutes.unreadable,
    }
    frame = task.counted(typed(chunk.lazy(), columns, flags))
    _count_texts(frame, chunk, texts, task)
    to_come = pl.col("starts_at") > task.as_of
    _remember_when_to_reread(frame.filter(to_come & (pl.col("stated") != "scheduled")), task)
    known = pl.col("stated").is_in(list(STATUSES))
    status = pl.when(to_come & known).then(pl.lit("scheduled")).otherwise(pl.col("stated"))
    return frame.with_columns(status=status).drop("stated")


def _episodes(chunk: pl.DataFrame, dialect: Dialect, task: Task) -> pl.DataFrame:
    texts = ["presenting_problem", "program", "referral_source"]
    columns = {
        **_one_record,
        "episode_id": identifier("episode_id", dialect),
        "client_id": identifier("client_id", dialect),
        "opened_on": day("opened_on", dialect),
        "closed_on": day("closed_on", dialect),
        "closure": word("closure", CLOSURES, dialect),
        **{name: listed(name, task.lists[name], dialect) for name in texts},
    }
    flags = {name: unreadable(name, day(name, dialect), dialect) for name in ("opened_on", "closed_on")}
    frame = typed(chunk.lazy(), columns, flags)
    _count_texts(frame, chunk, texts, task)
    return frame


def _clients(chunk: pl.DataFrame, dialect: Dialect, task: Task) -> pl.DataFrame:
    birth = birth_date(day("birth_date", dialect), task)
    columns = {
        **_one_record,
        "client_id": identifier("client_id", dialect),
        "birth_date": birth,
        "sex": word("sex", SEXES, dialect),
    }
    return typed(chunk.lazy(), columns, {"birth_date": unreadable("birth_date", birth, dialect)})


def birth_date(read: pl.Expr, task: Task) -> pl.Expr:
    """A birth date between 1900 and today; any other cannot be right and is not read."""
    return pl.when((read.dt.year() >= 1900) & (read <= task.as_of.date())).then(read)


def _count_texts(frame: pl.DataFrame, chunk: pl.DataFrame, columns: list[str], task: Task) -> None:
    for name in columns:
        other = chunk.filter(frame[name] == "other")[name].str.strip_chars()
        task.unlisted[name] += int((~other.is_in([*task.lists[name], "other"])).sum())


def _remember_when_to_reread(still_to_come: pl.DataFrame, task: Task) -> None:
    first = still_to_come["starts_at"].min()
    if first is not None:
        task.rereads_at = min(first, task.rereads_at or first)

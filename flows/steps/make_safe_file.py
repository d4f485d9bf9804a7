"""The safe file: what leaves the analysts' tree.

Its figures are made once a month, when a calendar month has closed, and again when the questions, the clinic file's
[shared] or the code that hides change. Until then every publication carries the same figures: from one to the next
nobody can be told by the difference, not somebody corrected, and not somebody whose data were taken out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rapport.dashboards.questions import Question
from rapport.flows.workbench import Load
from rapport.transforms.hiding.disclosure import hide
from rapport.warehouse.clinic_file.hiding import Sharing
from rapport.warehouse.code_marks import code_of, digest
from rapport.warehouse.errors import Damaged
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import current_load, kept_versions, load_of, told_place
from rapport.warehouse.published import safe_file
from rapport.warehouse.schema.questions import ALL, PLACES, Disclosure
from rapport.warehouse.store.frames import fetch

if TYPE_CHECKING:
    import duckdb

Shared = Sequence[tuple[Question, Disclosure]]


@dataclass(frozen=True)
class SafeFile:
    """Tonight's safe file, and sentences about damaged ones that it could not be made from."""

    path: Path
    damaged: tuple[str, ...]


def share(load: Load, con: duckdb.DuckDBPyConnection, questions: Iterable[Question]) -> SafeFile:
    """The safe file of tonight, made in the building folder; to be published after the warehouse."""
    where, sharing = load.order.folders, load.order.clinic.sharing
    shared = [(each, each.disclosure) for each in questions if each.audience == "shared" and each.disclosure]
    made, current = load.scratch / where.safe.name, _current(load, con, shared)
    last, damaged = _last_whole(where)
    before = last.current if last else {}
    if (
        last
        and load.purpose != "restore"
        and all(before.get(key) == current[key] for key in ("closed_to", "fingerprint"))
    ):
        safe_file.carry(last.path, made, current | {"made_by_load": before["made_by_load"]})
        return SafeFile(made, damaged)
    published = last.figures if last and before.get("profile") == sharing.profile.name else {}
    safe = safe_file.begin()
    if shared:
        _add_all(safe, con, sharing, shared, published)
    safe_file.finish(safe, current, made)
    return SafeFile(made, damaged)


@dataclass(frozen=True)
class _Before:
    """A safe file that is kept: what it says of itself, and its tables."""

    path: Path
    current: dict[str, object]
    figures: dict[str, pl.DataFrame]


def _last_whole(where: Folders) -> tuple[_Before | None, tuple[str, ...]]:
    """The safe file of what is published. Where it is damaged, the one before: until a month closes it has the same
    figures. And a sentence about each that is damaged."""
    damaged: list[str] = []
    current = current_load(where.published)
    for version in reversed([each for each in kept_versions(where.safe) if load_of(each) <= current]):
        try:
            found = _Before(version, safe_file.current_of(version), safe_file.tables_of(version))
            return found, tuple(damaged)
        except Damaged:
            damaged.append(
                f"{told_place(version)} is damaged, so the safe file has the figures of an older one, or new ones"
            )
    return None, tuple(damaged)


def _add_all(
    safe: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    sharing: Sharing,
    shared: Shared,
    published: Mapping[str, pl.DataFrame],
) -> None:
    audiences = audiences_of(con, sharing)
    with safe_file.placed_once(con):
        for each, disclosure in shared:
            before = _comparable(disclosure, published.get(each.name))
            outcome, rows = _figures(con, sharing, each, disclosure, audiences, before)
            _add(safe, each, outcome, rows)


def _current(load: Load, con: duckdb.DuckDBPyConnection, shared: Shared) -> dict[str, object]:
    sharing = load.order.clinic.sharing
    told = "SELECT data_to, (SELECT closed_to FROM load.closed) AS closed_to FROM load.current"
    [(data_to, closed_to)] = con.sql(told).fetchall()
    fingerprint = digest(sharing, [each for each, _ in shared], code_of(hide, audiences_of).mark)
    return {
        "load_id": load.load_id,
        "data_to": data_to,
        "closed_to": closed_to,
        "made_by_load": load.load_id,
        "profile": sharing.profile.name,
        "least_count": sharing.profile.least,
        "fingerprint": fingerprint,
    }


def audiences_of(con: duckdb.DuckDBPyConnection, sharing: Sharing) -> dict[str, list[str]]:
    """Sites and programs with enough clients for figures of their own; 'All' among them where the clinic has enough."""
    placed = fetch(con, "SELECT site, program, client_id FROM main.placed_episodes")
    found = {}
    for name in PLACES:
        counted = placed.group_by(name).agg(pl.col("client_id").n_unique())
        found[name] = sorted(counted.filter(pl.col("client_id") >= sharing.minimum_clients)[name])
    is_enough = placed["client_id"].n_unique() >= sharing.minimum_clients
    return {name: [ALL, *found[name]] if is_enough else [] for name in PLACES}


def _comparable(disclosure: Disclosure, published: pl.DataFrame | None) -> pl.DataFrame | None:
    """What was published last, if the question had these columns then."""
    columns = {*disclosure.keys, *disclosure.numbers}
    return published if published is not None and columns <= set(published.columns) else None


def _add(safe: duckdb.DuckDBPyConnection, asked: Question, outcome: str, rows: pl.DataFrame | None) -> None:
    if rows is not None:
        try:
            safe_file.add_table(
                safe, safe_file.ShownTable(asked.name, rows, asked.derived, asked.comment, asked.columns)
            )
        except Exception:  # a question that cannot be computed must not stop the night
            outcome = "failed"
    safe_file.enter_question(safe, asked.name, asked.question, outcome)


def _figures(
    con: duckdb.DuckDBPyConnection,
    sharing: Sharing,
    asked: Question,
    disclosure: Disclosure,
    audiences: dict[str, list[str]],
    before: pl.DataFrame | None,
) -> tuple[str, pl.DataFrame | None]:
    if disclosure.therapists and not sharing.therapists:
        return "off", None
    try:
        rows = fetch(con, asked.query)
        told = rows if all(audiences.values()) else rows.clear()
        shown = hide(told, disclosure, asked.filters, sharing, audiences, before)
    except Exception:  # as above
        return "failed", None
    if rows.is_empty():
        return "no_data", shown
    return ("shown" if shown.height else "hidden"), shown

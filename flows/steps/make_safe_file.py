"""The safe file: the only figures that leave the analysts' tree.

Its figures are computed once a month, when a calendar month has closed. They are computed again when the questions, the
clinic file's [shared] or the code that hides numbers change. Until then every publication has the same figures. So a
difference between two publications cannot reveal a person whose data were corrected or taken out.
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
from rapport.warehouse.clinic_file.hiding import SharedRules
from rapport.warehouse.code_marks import code_of, digest
from rapport.warehouse.errors import Damaged
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import current_load, kept_versions, load_of, tree_path
from rapport.warehouse.published import safe_file
from rapport.warehouse.schema.questions import ALL, PLACES, Disclosure
from rapport.warehouse.store.frames import fetch

if TYPE_CHECKING:
    import duckdb

Shared = Sequence[tuple[Question, Disclosure]]


@dataclass(frozen=True)
class SafeFile:
    """Tonight's safe file, and sentences about damaged older files that could not be used."""

    path: Path
    damaged: tuple[str, ...]


def make_safe_file(load: Load, con: duckdb.DuckDBPyConnection, questions: Iterable[Question]) -> SafeFile:
    """Make tonight's safe file in the load's scratch folder. It is published after the warehouse."""
    where, sharing = load.order.folders, load.order.clinic.sharing
    shared = [(each, each.disclosure) for each in questions if each.audience == "shared" and each.disclosure]
    made, current = load.scratch / where.safe.name, _facts(load, con, shared)
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
class _KeptSafeFile:
    """A kept safe file: its facts and its tables."""

    path: Path
    current: dict[str, object]
    figures: dict[str, pl.DataFrame]


def _last_whole(where: Folders) -> tuple[_KeptSafeFile | None, tuple[str, ...]]:
    """The newest undamaged safe file up to the published load, and a sentence about each damaged one. Within a month,
    the safe files have the same figures."""
    damaged: list[str] = []
    current = current_load(where.published)
    for version in reversed([each for each in kept_versions(where.safe) if load_of(each) <= current]):
        try:
            found = _KeptSafeFile(version, safe_file.current_of(version), safe_file.tables_of(version))
            return found, tuple(damaged)
        except Damaged:
            damaged.append(
                f"{tree_path(version)} is damaged, so the safe file has the figures of an older one, or new ones"
            )
    return None, tuple(damaged)


def _add_all(
    safe: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    sharing: SharedRules,
    shared: Shared,
    published: Mapping[str, pl.DataFrame],
) -> None:
    audiences = audiences_of(con, sharing)
    with safe_file.placed_once(con):
        for each, disclosure in shared:
            before = _comparable(disclosure, published.get(each.name))
            outcome, rows = _figures(con, sharing, each, disclosure, audiences, before)
            _add(safe, each, outcome, rows)


def _facts(load: Load, con: duckdb.DuckDBPyConnection, shared: Shared) -> dict[str, object]:
    sharing = load.order.clinic.sharing
    query = "SELECT data_to, (SELECT closed_to FROM load.closed) AS closed_to FROM load.current"
    [(data_to, closed_to)] = con.sql(query).fetchall()
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


def audiences_of(con: duckdb.DuckDBPyConnection, sharing: SharedRules) -> dict[str, list[str]]:
    """The sites and programs with enough clients for figures of their own, and 'All' where the clinic has enough."""
    placed = fetch(con, "SELECT site, program, client_id FROM main.placed_episodes")
    found = {}
    for name in PLACES:
        counted = placed.group_by(name).agg(pl.col("client_id").n_unique())
        found[name] = sorted(counted.filter(pl.col("client_id") >= sharing.minimum_clients)[name])
    is_enough = placed["client_id"].n_unique() >= sharing.minimum_clients
    return {name: [ALL, *found[name]] if is_enough else [] for name in PLACES}


def _comparable(disclosure: Disclosure, published: pl.DataFrame | None) -> pl.DataFrame | None:
    """The figures that were published last; None where the question had other columns then."""
    columns = {*disclosure.keys, *disclosure.numbers}
    return published if published is not None and columns <= set(published.columns) else None


def _add(safe: duckdb.DuckDBPyConnection, question: Question, outcome: str, rows: pl.DataFrame | None) -> None:
    if rows is not None:
        try:
            safe_file.add_table(
                safe, safe_file.ShownTable(question.name, rows, question.derived, question.comment, question.columns)
            )
        except Exception:  # a question that cannot be computed must not stop the night
            outcome = "failed"
    safe_file.enter_question(safe, question.name, question.question, outcome)


def _figures(
    con: duckdb.DuckDBPyConnection,
    sharing: SharedRules,
    question: Question,
    disclosure: Disclosure,
    audiences: dict[str, list[str]],
    before: pl.DataFrame | None,
) -> tuple[str, pl.DataFrame | None]:
    if disclosure.therapists and not sharing.therapists:
        return "off", None
    try:
        rows = fetch(con, question.query)
        allowed = rows if all(audiences.values()) else rows.clear()
        shown = hide(allowed, disclosure, question.filters, sharing, audiences, before)
    except Exception:  # a question that cannot be computed must not stop the night
        return "failed", None
    if rows.is_empty():
        return "no_data", shown
    return ("shown" if shown.height else "hidden"), shown

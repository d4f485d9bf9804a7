"""Publishing: views, comments and books; then a read-only version; then one symbolic link that points at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rapport import transforms
from rapport.dashboards.questions import load_questions
from rapport.flows.order import Order
from rapport.flows.pages.worklist import worklist_text
from rapport.flows.private.erasure import Cleaned, finish_erasures, without_erased
from rapport.flows.private.look_alikes import list_look_alikes
from rapport.flows.steps.compute import Computed, Kept
from rapport.flows.steps.make_safe_file import make_safe_file
from rapport.flows.steps.remembered_lines import keep_lines
from rapport.flows.stopping import check_stopped
from rapport.flows.workbench import Load, Workbench
from rapport.warehouse.derived import why_it_moved
from rapport.warehouse.history.erase import known_people
from rapport.warehouse.intake import ledger, match_book, staged_rows
from rapport.warehouse.places import publication
from rapport.warehouse.places.folders import prepare
from rapport.warehouse.places.load_facts import FORM, for_encryption
from rapport.warehouse.places.person_notes import noted_reports
from rapport.warehouse.places.private_files import begin_anew
from rapport.warehouse.places.publication import Made
from rapport.warehouse.places.versions import keep_newest, version_stamp
from rapport.warehouse.published import views_and_comments
from rapport.warehouse.store import compaction, encryption, seal
from rapport.warehouse.toml_files import refusing

if TYPE_CHECKING:
    import duckdb

    from rapport.expectations.suite_outcomes import Outcome

RAPPORT_VERSION = "0.1.0"


@dataclass(frozen=True)
class Published:
    """A published version, and the problems beside it."""

    version: Path
    tables: dict[str, int]  # rows of each table
    late_sources: list[str]
    failed_questions: list[str]
    damaged: tuple[str, ...]  # sentences about damaged files, and about failures after the publication
    cleaned: Cleaned


def publish(
    bench: Workbench,
    computed: Computed,
    outcomes: Iterable[Outcome],
    kept: Kept | None = None,
    *,
    reason: str | None = None,
    leaves_space_behind: bool = False,
) -> Published:
    """Make views and comments, close the books, and publish a read-only version.

    `kept`: the history step of a load that has read files. `reason`: why a load that is no night was made.
    `leaves_space_behind`: the file is compacted. It is also compacted after an erasure, because the empty space of a
    file still holds the erased rows."""
    con, load, where = bench.con, bench.load, bench.order.folders
    failed_questions = make_views(con, bench.order, kept.read_otherwise if kept else None)
    if bench.taken_out.row_count:  # the amounts of earlier loads include the rows of the person
        why_it_moved.withhold_amounts(con, load.load_id)
        match_book.withhold_totals(con, before=load.load_id)
    _write_outcomes(con, load, outcomes)
    _write_loads(bench, computed, reason or bench.taken_out.reason)
    late_sources = ledger.late_sources(con)
    tables = seal.table_counts(con, transforms.tables())
    seal.in_one_thread(con)
    listed = worklist_text(con, bench.order.clinic, bench.order.as_of, bench.crosswalk)
    worklist = prepare(load.scratch / where.worklist.name, listed)
    safe = make_safe_file(load, con, load_questions().values())
    people = _people(bench)
    crosswalk = _write_crosswalk(bench, people)
    facts = _facts(bench, late_sources, failed_questions)
    for cursor in load.connections[1:]:  # an open transaction of a cursor would block the checkpoint
        cursor.close()
    if seal.seal(con) or leaves_space_behind or bench.taken_out.reason:
        compaction.compact(load.building)
    check_stopped()
    version, unfinished = _publish(load, Made(load.building, safe.path, crosswalk, worklist), facts)
    unkept = keep_lines(where, kept.remembered) if kept else []
    unkept += list_look_alikes(bench.order, people)
    cleaned = finish_erasures(load, version, bench.taken_out.row_count)
    damaged = (*safe.damaged, *unfinished, *unkept, *cleaned.damaged)
    return Published(version, tables, late_sources, failed_questions, damaged, cleaned)


def make_views(
    con: duckdb.DuckDBPyConnection, order: Order, read_otherwise: Mapping[str, int] | None = None
) -> list[str]:
    """Make everything that analysts see beside the tables: views, macros, questions, comments, and overdue sources.
    Return the names of the questions that DuckDB refuses. Raises Unusable that names the file and the key of one that
    cannot be read."""
    with refusing("question", ""):
        questions = load_questions().values()
    con.begin()  # about a hundred statements, written to the disk once; a refused view does not end the transaction
    views_and_comments.make_views(con)
    views_and_comments.make_macros(con)
    views = {q.name: (q.view_query, q.comment, q.columns) for q in questions}
    refused = views_and_comments.make_question_views(con, views)
    views_and_comments.make_comments(con, transforms.tables())
    con.commit()
    ledger.write_sources(con, order.clinic, order.as_of, read_otherwise)
    return refused


def _write_outcomes(con: duckdb.DuckDBPyConnection, load: Load, outcomes: Iterable[Outcome]) -> None:
    rows: list[dict[str, object]] = [
        {
            "load_id": load.load_id,
            "suite": outcome.suite,
            "expectation": outcome.rule.name,
            "severity": outcome.rule.severity,
            "outcome": outcome.outcome,
            "checked_count": outcome.checked_count,
            "unexpected_count": outcome.unexpected_count,
        }
        for outcome in outcomes
    ]
    staged_rows.enter_all(con, "load.expectation_results", rows)


def _write_loads(bench: Workbench, computed: Computed, reason: str | None) -> None:
    order, con, load, taken_out = bench.order, bench.con, bench.load, bench.taken_out
    for attempt in bench.failed_attempts:
        staged_rows.enter(con, "load.loads", {**attempt, "outcome": "failed"})
    for made_at in noted_reports(order.folders):
        staged_rows.enter(con, "load.person_reports", {"load_id": load.load_id, "made_at": made_at})
    if taken_out.expired_clients:
        counts = {"client_count": taken_out.expired_clients, "episode_count": taken_out.expired_episodes}
        staged_rows.enter(con, "load.expiries", {"load_id": load.load_id, **counts})
    for place, step in enumerate(load.steps, start=1):
        cost = {"seconds": step.seconds, "cpu_seconds": step.cpu_seconds, "row_count": step.row_count}
        staged_rows.enter(con, "load.steps", {"load_id": load.load_id, "step": step.name, "position": place, **cost})
    facts = {
        "load_id": load.load_id,
        "purpose": load.purpose,
        "as_of": order.as_of,
        "started_at": load.started_at,
        "finished_at": datetime.now(UTC),
        "outcome": "published",
        "reason": reason,
        "client_count": computed.client_count,
        "is_full_build": computed.is_full_build,
    }
    current = {
        "load_id": load.load_id,
        "as_of": order.as_of,
        "time_zone": order.clinic.time_zone,
        "key_check": bench.key_check,
        "rapport_version": RAPPORT_VERSION,
        "polars_version": version("polars"),
    }
    seal.close_books(con, facts, current)


def _people(bench: Workbench) -> pl.DataFrame:
    """The crosswalk of the load."""
    known = known_people(bench.con) if bench.tombstones.days else ()
    return without_erased(bench.crosswalk, bench.tombstones, set(known))


def _write_crosswalk(bench: Workbench, people: pl.DataFrame) -> Path:
    made = bench.load.scratch / bench.order.folders.crosswalk.name
    made.touch(mode=0o600)
    people.write_parquet(made)
    return made


def _facts(bench: Workbench, late_sources: list[str], failed_questions: list[str]) -> dict[str, object]:
    """The facts of the load for load.json."""
    failed = [{name: attempt[name] for name in ("as_of", "reason")} for attempt in bench.failed_attempts]
    facts = {
        "form": FORM,
        "rapport": RAPPORT_VERSION,
        "load": bench.load_id,
        "as_of": bench.order.as_of,
        **ledger.facts_of_load(bench.con),
        "late_sources": late_sources,
        "failed_questions": failed_questions,
        "failed_since": failed,
    }
    return for_encryption(facts, is_encrypted=encryption.key() is not None)


def _publish(load: Load, made: Made, facts: Mapping[str, object]) -> tuple[Path, list[str]]:
    """Publish the version, then move the other links. A failure after the publication does not undo it. Return the
    version, and a sentence about each failure."""
    where, clinic = load.order.folders, load.order.clinic
    version = publication.publish(where, made, version_stamp(load.started_at, load.load_id), load.load_id, facts)
    try:
        publication.finish(where, load.load_id)
        begin_anew(where.attempts)
        begin_anew(where.person_reports)
        long_ago = load.started_at - timedelta(hours=clinic.keep_hours)
        for link in where.links:
            keep_newest(link, clinic.keep_versions, long_ago)
    except OSError as error:
        return version, [
            f"the load is published; the links that follow it could not be moved ({error.strerror}); the next night "
            "moves them"
        ]
    return version, []

"""Publishing: views, comments and books; then a read-only version, and one symlink moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import polars as pl

import transforms
from dashboards.questions import load_questions
from flows.known_lines import keep_lines
from flows.order import Tonight
from flows.sharing import share
from flows.tombstones import Tombstones, read_tombstones
from flows.worklist import worklist_text
from warehouse import compaction, folders, ledger, publishing, staging, views

RAPPORT_VERSION = "0.1.0"


def publish(tonight: Tonight) -> None:
    """Views, comments, the books closed; then a read-only version, and one symlink moved."""
    con = tonight.con
    dress(tonight)
    _write_outcomes(tonight)
    _write_loads(tonight)
    tonight.late_sources = ledger.late_sources(con)
    tonight.tables = publishing.table_counts(con, transforms.tables())
    publishing.in_one_thread(con)
    order = tonight.order
    where = order.folders
    listed = worklist_text(con, order.clinic, order.as_of, tonight.crosswalk)
    waiting = folders.prepare(where.building / where.worklist.name, listed)
    shared = share(tonight, load_questions().values())
    for cursor in tonight.cursors:  # an open transaction of theirs would hold up the checkpoint
        cursor.close()
    if publishing.seal(con) or tonight.leaves_space_behind:
        compaction.compact(tonight.building)
    _move_links(tonight, shared)
    keep_lines(tonight)
    waiting.replace(where.worklist)


def dress(tonight: Tonight) -> None:
    """What an analyst sees beside the tables: views, macros, questions, every comment, and how late sources are."""
    con, order = tonight.con, tonight.order
    con.begin()  # some hundred statements, written to the disk once; a view that is refused does not end it
    views.make_views(con)
    views.make_macros(con)
    asked = load_questions().values()
    refused = views.make_question_views(con, {q.name: (q.view_query, q.comment, q.columns) for q in asked})
    tonight.failed_questions += refused
    views.make_comments(con, transforms.tables())
    con.commit()
    ledger.write_sources(con, order.clinic, order.as_of)


def _write_outcomes(tonight: Tonight) -> None:
    rows = [
        {
            "load_id": tonight.load_id,
            "suite": outcome.suite,
            "expectation": outcome.rule.name,
            "severity": outcome.rule.severity,
            "outcome": outcome.outcome,
            "checked_count": outcome.checked_count,
            "unexpected_count": outcome.unexpected_count,
        }
        for outcome in tonight.outcomes
    ]
    staging.enter_all(tonight.con, "load.expectation_results", rows)


def _write_loads(tonight: Tonight) -> None:
    order, con = tonight.order, tonight.con
    for attempt in tonight.failed_attempts:
        staging.enter(con, "load.loads", {**attempt, "outcome": "failed"})
    for place, step in enumerate(tonight.steps, start=1):
        facts = {"seconds": step.seconds, "cpu_seconds": step.cpu_seconds, "row_count": step.row_count}
        staging.enter(con, "load.steps", {"load_id": tonight.load_id, "step": step.name, "position": place, **facts})
    load = {
        "load_id": tonight.load_id,
        "purpose": tonight.purpose,
        "as_of": order.as_of,
        "started_at": tonight.started_at,
        "finished_at": datetime.now(UTC),
        "outcome": "published",
        "reason": tonight.reason,
        "client_count": tonight.client_count,
        "is_full_build": tonight.is_full_build,
    }
    current = {
        "load_id": tonight.load_id,
        "as_of": order.as_of,
        "time_zone": order.clinic.time_zone,
        "key_check": tonight.key_check,
        "rapport_version": RAPPORT_VERSION,
        "polars_version": version("polars"),
    }
    publishing.close_books(con, load, current)


def _without_erased(crosswalk: pl.DataFrame, tombstones: Tombstones) -> pl.DataFrame:
    """The crosswalk without people who may not be read: an export may still name them."""
    if not tombstones.days:
        return crosswalk
    gone = [person for person in crosswalk["pseudonym"] if tombstones.stands_for(person)]
    return crosswalk.filter(~pl.col("pseudonym").is_in(gone))


def _move_links(tonight: Tonight, shared: Path) -> None:
    where = tonight.order.folders
    stamp = folders.version_stamp(tonight.started_at, tonight.load_id)
    made = where.building / "crosswalk.parquet"
    _without_erased(tonight.crosswalk, read_tombstones(where)).write_parquet(made)
    folders.publish(made, where.crosswalk, stamp, 0o600)
    tonight.published = folders.publish(tonight.building, where.published, stamp, 0o440)
    folders.publish(shared, where.safe, stamp, 0o444)
    where.attempts.unlink(missing_ok=True)
    long_ago = tonight.started_at - timedelta(hours=tonight.order.clinic.keep_hours)
    for link in (where.crosswalk, where.published, where.safe):
        folders.keep_newest(link, tonight.order.clinic.keep_versions, long_ago)

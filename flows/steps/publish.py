"""Publishing: views, comments and books; then a read-only version, and one symlink moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from rapport import transforms
from rapport.dashboards.questions import load_questions
from rapport.flows.order import Tonight
from rapport.flows.pages.worklist import worklist_text
from rapport.flows.private.erasure import finish_erasures, withhold, without_buried
from rapport.flows.private.tombstones import read_tombstones
from rapport.flows.steps.make_safe_file import share
from rapport.flows.steps.remembered_lines import keep_lines
from rapport.flows.stopping import check_stopped
from rapport.warehouse.history.erase import known_people
from rapport.warehouse.intake import ledger, staged_rows
from rapport.warehouse.places import publication
from rapport.warehouse.places.folders import prepare
from rapport.warehouse.places.load_facts import FORM, for_encryption
from rapport.warehouse.places.person_notes import noted_reports
from rapport.warehouse.places.private_files import begin_anew
from rapport.warehouse.places.publication import Made
from rapport.warehouse.places.versions import keep_newest, version_stamp
from rapport.warehouse.published import views_and_comments
from rapport.warehouse.store import compaction, encryption, seal

RAPPORT_VERSION = "0.1.0"


def publish(tonight: Tonight) -> None:
    """Views, comments, the books closed; then a read-only version, and one symlink moved."""
    con = tonight.con
    dress(tonight)
    withhold(tonight)
    _write_outcomes(tonight)
    _write_loads(tonight)
    tonight.late_sources = ledger.late_sources(con)
    tonight.tables = seal.table_counts(con, transforms.tables())
    seal.in_one_thread(con)
    where = tonight.order.folders
    listed = worklist_text(con, tonight.order.clinic, tonight.order.as_of, tonight.crosswalk)
    worklist = prepare(tonight.scratch / where.worklist.name, listed)
    shared = share(tonight, load_questions().values())
    crosswalk = _write_crosswalk(tonight)
    facts = _facts(tonight)
    for cursor in tonight.cursors:  # an open transaction of theirs would hold up the checkpoint
        cursor.close()
    if seal.seal(con) or tonight.leaves_space_behind:
        compaction.compact(tonight.building)
    check_stopped()
    _publish(tonight, Made(tonight.building, shared, crosswalk, worklist), facts)
    keep_lines(tonight)
    finish_erasures(tonight)


def dress(tonight: Tonight) -> None:
    """What an analyst sees beside the tables: views, macros, questions, every comment, and how late sources are."""
    con, order = tonight.con, tonight.order
    con.begin()  # some hundred statements, written to the disk once; a view that is refused does not end it
    views_and_comments.make_views(con)
    views_and_comments.make_macros(con)
    asked = load_questions().values()
    refused = views_and_comments.make_question_views(con, {q.name: (q.view_query, q.comment, q.columns) for q in asked})
    tonight.failed_questions += refused
    views_and_comments.make_comments(con, transforms.tables())
    con.commit()
    ledger.write_sources(con, order.clinic, order.as_of, tonight.read_otherwise)


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
    staged_rows.enter_all(tonight.con, "load.expectation_results", rows)


def _write_loads(tonight: Tonight) -> None:
    order, con = tonight.order, tonight.con
    for attempt in tonight.failed_attempts:
        staged_rows.enter(con, "load.loads", {**attempt, "outcome": "failed"})
    for made_at in noted_reports(order.folders):
        staged_rows.enter(con, "load.person_reports", {"load_id": tonight.load_id, "made_at": made_at})
    if tonight.expired_counts[0]:
        counts = dict(zip(("client_count", "episode_count"), tonight.expired_counts, strict=True))
        staged_rows.enter(con, "load.expiries", {"load_id": tonight.load_id, **counts})
    for place, step in enumerate(tonight.steps, start=1):
        facts = {"seconds": step.seconds, "cpu_seconds": step.cpu_seconds, "row_count": step.row_count}
        staged_rows.enter(
            con, "load.steps", {"load_id": tonight.load_id, "step": step.name, "position": place, **facts}
        )
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
    seal.close_books(con, load, current)


def _write_crosswalk(tonight: Tonight) -> Path:
    made = tonight.scratch / tonight.order.folders.crosswalk.name
    made.touch(mode=0o600)
    tombstones = read_tombstones(tonight.order.folders).widened(tonight.old_elsewhere)
    known = known_people(tonight.con) if tombstones.days else ()
    without_buried(tonight.crosswalk, tombstones, set(known)).write_parquet(made)
    return made


def _facts(tonight: Tonight) -> dict[str, object]:
    """What load.json says of the load."""
    failed = [{name: attempt[name] for name in ("as_of", "reason")} for attempt in tonight.failed_attempts]
    facts = {
        "form": FORM,
        "rapport": RAPPORT_VERSION,
        "load": tonight.load_id,
        "as_of": tonight.order.as_of,
        **ledger.told_of_load(tonight.con),
        "late_sources": tonight.late_sources,
        "failed_questions": tonight.failed_questions,
        "failed_since": failed,
    }
    return for_encryption(facts, is_encrypted=encryption.key() is not None)


def _publish(tonight: Tonight, made: Made, facts: Mapping[str, object]) -> None:
    """Publish, then let the rest follow: what fails after the one moment that counts takes nothing back."""
    where = tonight.order.folders
    stamp = version_stamp(tonight.started_at, tonight.load_id)
    tonight.published = publication.publish(where, made, stamp, tonight.load_id, facts)
    try:
        publication.finish(where, tonight.load_id)
        begin_anew(where.attempts)
        begin_anew(where.person_reports)
        long_ago = tonight.started_at - timedelta(hours=tonight.order.clinic.keep_hours)
        for link in where.links:
            keep_newest(link, tonight.order.clinic.keep_versions, long_ago)
    except OSError as error:
        tonight.damaged.append(
            f"the load is published; the links that follow it could not be moved ({error.strerror}); the next night "
            "moves them"
        )

"""Suites of the finished tables and of the books: anything broken here stops the night."""

from __future__ import annotations

from rapport.expectations.clinic_tables import CLINIC_TABLES
from rapport.expectations.estimates import estimate_rules
from rapport.expectations.rules import Rule, never, promised_together, rows_rule, unique
from rapport.warehouse.schema.tables import Table


def table_rules(table: Table) -> list[Rule]:
    """What a finished table's columns promise, its key, and what its own suite adds."""
    added = {**CLINIC_TABLES, **_ADDED}.get(table.name, [])
    estimates = estimate_rules(table.column_names)
    return [*promised_together(table.columns), unique(table.key), *estimates, *added]


def book_rules(book: str, load_id: int) -> list[Rule]:
    """Both ledgers balance, for every file of the load."""
    parts, whole = {
        "files": (
            "header_count + blank_or_footer_count + ignored_count + duplicate_count + unchanged_count "
            "+ quarantined_count + loaded_count",
            "record_count",
        ),
        "rows": ("duplicate_count + unchanged_count + quarantined_count + loaded_count", "row_count"),
    }[book]
    broken = f"{whole} IS DISTINCT FROM {parts}" + (" OR ignored_count < 0" if book == "files" else "")
    query = f"SELECT file_id FROM {{batch}} WHERE load_id = {load_id} AND ({broken})"
    return [rows_rule(f"{whole} is where its records went", query, severity="critical")]


_ADDED = {
    "alliance": [
        never(
            "a change is from a previous score, and from nothing else",
            "(change IS NULL) <> (previous_score IS NULL)",
            "session_id",
        ),
    ],
    "alliance_agreement": [
        never("two raters are two people", "rater = other_rater", "session_id"),
        never("a distance has no sign", "absolute_difference IS DISTINCT FROM abs(signed_difference)", "session_id"),
    ],
    "alliance_congruence": [
        never(
            "congruence or the reason why there is none",
            "(congruence_correlation IS NULL) <> (why_no_congruence IS NOT NULL)",
            "first_session_id",
        ),
    ],
    "early_alliance": [
        never(
            "the third session speaks by its own rule",
            "(early_rule = 'session_3') <> (dyad_session_number = 3) OR dyad_session_number NOT BETWEEN 2 AND 4",
            "session_id",
        ),
    ],
    "alliance_shapes": [
        never("below four scores there is no shape", "(shape IS NULL) <> (score_count < 4)", "first_session_id"),
    ],
    "ruptures": [
        never(
            "what is repaired has a repair",
            "(is_repaired AND repair_session_id IS NULL) "
            "OR (repair_session_id IS NULL) <> (repair_session_count IS NULL)",
            "start_session_id",
        ),
        never("a fall goes down", "depth < 0 OR nadir_value > pre_value AND compared <> 'report'", "start_session_id"),
    ],
    "engagement": [
        never(
            "what was held open was attended, missed or cancelled late",
            "held_open_count <> attended_count + no_show_count + late_cancel_count",
            "episode_id",
        ),
        never(
            "shares of a whole make one",
            "abs(attendance_share + no_show_share + late_cancel_share - 1) > 1e-6",
            "episode_id",
        ),
        never("not more sessions were rated than held", "answered_session_count > attended_count", "episode_id"),
    ],
    "responsiveness": [
        never(
            "observers' scores are of both first sessions",
            "observed_session_count < 2 AND coalesce(positive_atmosphere, attentiveness, early_empathic_responding, "
            "negative_behaviour, global_responsiveness) IS NOT NULL",
            "episode_id",
        ),
        never(
            "five sessions are past four",
            "is_past_four IS DISTINCT FROM CASE WHEN attended_session_count > 4 THEN true END",
            "episode_id",
        ),
    ],
    "outcomes": [
        never(
            "a class or the reason why there is none",
            "(jacobson_truax_class IS NULL) <> (why_no_class IS NOT NULL)",
            "episode_id",
        ),
        never("change is over two scores", "(total_change IS NULL) <> (score_count < 2)", "episode_id"),
    ],
    "reliable_outcomes": [
        never(
            "a status or the reason why there is none",
            "(outcome_status = 'not assessable') <> (why_not_assessable IS NOT NULL)",
            "episode_id",
        ),
        never("who recovered was a case", "is_recovered IS NOT NULL AND NOT is_case_at_start", "episode_id"),
    ],
    "sessions": [
        rows_rule(
            "session numbers count from 1 without a gap",
            "SELECT episode_id FROM {batch} WHERE session_number IS NOT NULL GROUP BY episode_id "
            "HAVING max(session_number) <> count(*) OR min(session_number) <> 1",
            severity="critical",
        ),
        never("a session ends after it starts", "ends_at <= starts_at", "session_id"),
    ],
    "scores": [
        never(
            "a score by complete_only has every item answered",
            "rule = 'complete_only' AND score IS NOT NULL AND answered_count < item_count",
            "response_id",
        ),
        never(
            "a score from fewer answers than items says that it is prorated",
            "basis = 'computed' AND score IS NOT NULL "
            "AND (answered_count = 0 OR is_prorated IS DISTINCT FROM (answered_count < item_count))",
            "response_id",
        ),
    ],
    "responses": [
        rows_rule(
            "of one rater's responses to an instrument in a session one is used",
            "SELECT session_id FROM {batch} WHERE session_id IS NOT NULL "
            "GROUP BY session_id, instrument, rater HAVING count(*) FILTER (is_used) <> 1",
            severity="critical",
        ),
    ],
}

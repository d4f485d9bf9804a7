"""What columns of the clinic tables cannot say: counts that add up, curves that only fall, ends in their order."""

from __future__ import annotations

from rapport.expectations.rules import Rule, never, rows_rule

CLINIC_TABLES: dict[str, list[Rule]] = {
    "retention": [
        never(
            "who did not stay more than four is below the dose, and nobody else",
            "has_more_than_four IS DISTINCT FROM NOT is_dropout_below_dose",
        ),
        never(
            "what has ended is known to have been more than four or not",
            "has_ended AND treatment_session_count > 0 AND has_more_than_four IS NULL",
        ),
    ],
    "retention_curves": [
        rows_rule(
            "who is at risk at the next number is who was, less those who ended, and the share never rises",
            "SELECT * FROM (SELECT *, lead(at_risk_count) OVER line AS next_count, "
            "lead(staying_share) OVER line AS later "
            "FROM {batch} WINDOW line AS (PARTITION BY curve, grouping, group_name ORDER BY session_number)) "
            "WHERE coalesce(next_count, 0) <> at_risk_count - dropout_count - planned_count - censored_count "
            "OR later > staying_share OR dropout_incidence_share + planned_incidence_share > 1.000001",
            severity="critical",
        ),
    ],
    "dropout_agreement": [
        never(
            "the four counts are the clients compared",
            "both_count + first_only_count + second_only_count + neither_count <> compared_count",
        ),
    ],
    "completion": [
        never(
            "complete is received, received was due", "complete_count > received_count OR received_count > due_count"
        ),
    ],
    "ceilings": [
        never("at the ceiling is near it", "ceiling_count > near_ceiling_count OR near_ceiling_count > rated_count"),
    ],
    "mean_progress": [
        never(
            "means are of the paired, who all have a first score",
            "paired_count > first_count OR (paired_count = 0) <> (mean_progress IS NULL)",
        ),
        never("a mean lies within its interval", "NOT mean_progress BETWEEN low AND high"),
    ],
    "proportions": [
        never(
            "a share lies within its interval", "numerator_count > denominator_count OR NOT share BETWEEN low AND high"
        ),
    ],
    "therapist_effects": [
        never(
            "a shrunken effect is nearer to the clinic than the raw one, within its interval",
            "abs(shrunken_effect) > abs(raw_effect) + 1e-9 OR NOT shrunken_effect BETWEEN low AND high",
        ),
    ],
    "funnel_limits": [
        never(
            "limits are in their order around the clinic's share",
            "NOT (approximate_low_998 <= approximate_low_95 AND approximate_low_95 <= target_share "
            "AND target_share <= approximate_high_95 AND approximate_high_95 <= approximate_high_998 "
            "AND exact_low_998 <= exact_low_95 AND exact_high_95 <= exact_high_998)",
        ),
    ],
    "progress": [
        never(
            "a zone but grey has an expected score and more than one measurement",
            "zone <> 'grey' AND (expected_at_latest IS NULL OR score_count < 2)",
        ),
    ],
}

"""Table retention_curves: the number at risk falls by the endings, and a curve never rises."""

from rapport.expectations.rules import rows_rule

SUITE = [
    rows_rule(
        "who is at risk at the next number is who was, less those who ended, and the share never rises",
        "SELECT * FROM (SELECT *, lead(at_risk_count) OVER line AS next_count, "
        "lead(staying_share) OVER line AS later "
        "FROM {batch} WINDOW line AS (PARTITION BY curve, grouping, group_name ORDER BY session_number)) "
        "WHERE coalesce(next_count, 0) <> at_risk_count - dropout_count - planned_count - censored_count "
        "OR later > staying_share OR dropout_incidence_share + planned_incidence_share > 1.000001",
        severity="critical",
    ),
]

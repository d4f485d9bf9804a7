"""Table session_therapists: each session with a therapist has one lead, the therapist whom the session names."""

from rapport.expectations.rules import rows_rule

SUITE = [
    rows_rule(
        "each session has one lead",
        "SELECT session_id FROM {batch} GROUP BY session_id HAVING count(*) FILTER (is_lead) <> 1",
        severity="critical",
    ),
]

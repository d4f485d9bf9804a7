"""Table responses: one response per session, instrument and person is used."""

from rapport.expectations.rules import rows_rule

SUITE = [
    rows_rule(
        "of one person's responses to an instrument in a session one is used",
        "SELECT session_id FROM {batch} WHERE session_id IS NOT NULL "
        "GROUP BY session_id, instrument, rater, rater_number HAVING count(*) FILTER (is_used) <> 1",
        severity="critical",
    ),
]

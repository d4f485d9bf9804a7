"""Table sessions: session numbers without a gap, and ends after starts."""

from rapport.expectations.rules import never, rows_rule

SUITE = [
    rows_rule(
        "session numbers count from 1 without a gap",
        "SELECT episode_id FROM {batch} WHERE session_number IS NOT NULL GROUP BY episode_id "
        "HAVING max(session_number) <> count(*) OR min(session_number) <> 1",
        severity="critical",
    ),
    never("a session ends after it starts", "ends_at <= starts_at", "session_id"),
]

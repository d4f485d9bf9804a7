"""Table reliable_outcomes: a status or a reason, and only a case can recover."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "a status or the reason why there is none",
        "(outcome_status = 'not assessable') <> (why_not_assessable IS NOT NULL)",
        "episode_id",
    ),
    never("who recovered was a case", "is_recovered IS NOT NULL AND NOT is_case_at_start", "episode_id"),
]

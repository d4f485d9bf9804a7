"""Table alliance: a change needs a previous score."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "a change is from a previous score, and from nothing else",
        "(change IS NULL) <> (previous_score IS NULL)",
        "session_id",
    ),
]
